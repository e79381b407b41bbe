// What both guards need, in the form that macOS has.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "process/guard/guard.hpp"

namespace punie::process::guard {

namespace {

// The guard was started with POSIX_SPAWN_CLOEXEC_DEFAULT: it has nothing beyond its own few
// descriptors.
constexpr int highest_descriptor = 64;

}  // namespace

void close_from(int first) {
    for (int fd = first; fd < highest_descriptor; ++fd) ::close(fd);
}

void close_on_exec_from(int first) {
    for (int fd = first; fd < highest_descriptor; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/// SIGPIPE is ignored by the guards.
void send_report(int descriptor, const Report& report) {
    while (::send(descriptor, &report, sizeof(report), 0) < 0 && errno == EINTR) {
    }
}

void die_with_parent(Level /*level*/) {}  // macOS has nothing like it

}  // namespace punie::process::guard
