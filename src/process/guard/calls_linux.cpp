// What both guards need and only Linux has in this form.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>

#include "process/guard/guard.hpp"

namespace punie::process::guard {

namespace {

constexpr unsigned close_on_exec = 1U << 2U;  // CLOSE_RANGE_CLOEXEC, missing in older headers

void close_range_or_each(int first, unsigned flags) {
    if (::syscall(SYS_close_range, first, UINT_MAX, flags) == 0) return;
    const long limit = ::sysconf(_SC_OPEN_MAX);  // before Linux 5.9 (5.11 with the flag)
    for (int fd = first; fd < (limit > 0 ? limit : 1024); ++fd) {
        if (flags != 0) {
            ::fcntl(fd, F_SETFD, FD_CLOEXEC);
        } else {
            ::close(fd);
        }
    }
}

}  // namespace

void close_from(int first) {
    close_range_or_each(first, 0);
}

void close_on_exec_from(int first) {
    close_range_or_each(first, close_on_exec);
}

int readable_child_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    if (::sigprocmask(SIG_SETMASK, &set, nullptr) != 0) return -1;
    return ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void send_report(int descriptor, const Report& report) {
    while (::send(descriptor, &report, sizeof(report), MSG_NOSIGNAL) < 0 && errno == EINTR) {
    }
}

void die_with_parent(Level level) {
    if (level == Level::pid_namespace) return;  // the kernel sees to it
    // A help, not the promise: it ends the program at once if both guards are killed together.
    const pid_t parent = ::getppid();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (::getppid() != parent) ::_exit(127);
}

}  // namespace punie::process::guard
