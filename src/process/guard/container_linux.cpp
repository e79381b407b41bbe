// The container: a PID namespace with a /proc of its own, or nothing but the subreaper bit.
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "process/guard/guard.hpp"

namespace punie::process::guard {

namespace {

// Taken before the clone: inside a new user namespace everybody is nobody until the mapping is
// written.
uid_t own_uid = 0;
gid_t own_gid = 0;

/// fork() with namespaces. The raw call is safe here: one thread, and the child uses system calls
/// only until it forks.
pid_t clone_process(unsigned long flags) {
    return static_cast<pid_t>(::syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, 0UL)
    );
}

int write_file(const char* path, const char* text) {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return errno;
    const auto length = std::strlen(text);
    const int result = ::write(file, text, length) == static_cast<ssize_t>(length) ? 0 : errno;
    ::close(file);
    return result;
}

/// Maps the caller's own user and group to themselves. In the parent's user namespace the mapping
/// stands already.
int map_user() {
    if (::geteuid() == own_uid && ::getegid() == own_gid) return 0;
    std::array<char, 64> line{};
    if (const int error = write_file("/proc/self/setgroups", "deny"); error != 0 && error != ENOENT)
        return error;
    std::snprintf(line.data(), line.size(), "%u %u 1", own_uid, own_uid);
    if (const int error = write_file("/proc/self/uid_map", line.data()); error != 0) return error;
    std::snprintf(line.data(), line.size(), "%u %u 1", own_gid, own_gid);
    return write_file("/proc/self/gid_map", line.data());
}

}  // namespace

pid_t fork_contained(Level level) {
    if (level == Level::subreaper) return clone_process(0);
    own_uid = ::geteuid();
    own_gid = ::getegid();
    const pid_t child = clone_process(CLONE_NEWPID | CLONE_NEWNS);
    if (child >= 0) return child;
    return clone_process(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS);
}

int complete_container(Level level) {
    if (level == Level::subreaper)
        return ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 ? 0 : errno;
    if (const int error = map_user(); error != 0) return error;
    // A slave: what is mounted outside later appears inside too, and nothing goes the other way.
    if (::mount("none", "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return errno;
    // Programs find themselves in /proc by getpid(): the two must agree. Refused where parts of
    // /proc are hidden (most containers); then this level is not to be had.
    if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
        return errno;
    std::array<char, 16> self{};
    const auto length = ::readlink("/proc/self", self.data(), self.size() - 1);
    return length == 1 && self[0] == '1' ? 0 : ENOTSUP;
}

int probe(Level level) {
    const pid_t child = fork_contained(level);
    if (child < 0) return 1;
    if (child == 0) ::_exit(complete_container(level) == 0 ? 0 : 1);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

}  // namespace punie::process::guard
