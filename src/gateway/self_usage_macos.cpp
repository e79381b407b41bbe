// macOS: libproc and getrusage.

#include <libproc.h>
#include <sys/proc_info.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/self_usage.hpp"

namespace punie::gateway {

namespace {

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + (static_cast<double>(time.tv_usec) / 1e6);
}

}  // namespace

SelfUsage self_usage() {
    SelfUsage usage;
    rusage used{};
    if (::getrusage(RUSAGE_SELF, &used) == 0)
        usage.cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
    const pid_t self = ::getpid();
    proc_taskinfo task{};
    if (::proc_pidinfo(self, PROC_PIDTASKINFO, 0, &task, sizeof task) == sizeof task) {
        usage.resident = task.pti_resident_size;
        usage.virtual_bytes = task.pti_virtual_size;
    }
    proc_bsdinfo info{};
    if (::proc_pidinfo(self, PROC_PIDTBSDINFO, 0, &info, sizeof info) == sizeof info) {
        usage.start_time = static_cast<double>(info.pbi_start_tvsec) +
                           (static_cast<double>(info.pbi_start_tvusec) / 1e6);
    }
    // Asked without a buffer it answers with the room that the list would need, a little more than
    // there is; close enough for a gauge.
    if (const int bytes = ::proc_pidinfo(self, PROC_PIDLISTFDS, 0, nullptr, 0); bytes > 0)
        usage.open_files = static_cast<std::uint64_t>(bytes) / sizeof(proc_fdinfo);
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) usage.most_files = limit.rlim_cur;
    return usage;
}

}  // namespace punie::gateway
