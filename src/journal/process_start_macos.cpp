#include <sys/sysctl.h>
#include <sys/types.h>

#include <array>

#include "journal/process_start.hpp"

namespace punie::journal {

std::int64_t process_start(std::int64_t pid) {
    if (pid <= 0) return 0;
    std::array<int, 4> what = {CTL_KERN, KERN_PROC, KERN_PROC_PID, static_cast<int>(pid)};
    kinfo_proc info{};
    std::size_t size = sizeof info;
    if (::sysctl(what.data(), what.size(), &info, &size, nullptr, 0) != 0) return 0;
    if (size < sizeof info || info.kp_proc.p_pid != static_cast<pid_t>(pid)) return 0;
    if (info.kp_proc.p_stat == SZOMB) return 0;
    const auto& began = info.kp_proc.p_starttime;
    return (std::int64_t{began.tv_sec} * 1'000'000) + began.tv_usec;
}

}  // namespace punie::journal
