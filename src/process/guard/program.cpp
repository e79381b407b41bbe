// The last steps before the program: its descriptors, signals, session and folder.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "process/guard/guard.hpp"

extern char**
    environ;  // NOLINT(readability-redundant-declaration): glibc declares it, macOS does not

namespace punie::process::guard {

namespace {

constexpr std::array ignored_signals = {
    SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU
};

[[noreturn]] void give_up(int errors, Stage stage, int error_number) {
    const std::array<std::int32_t, 2> why = {static_cast<std::int32_t>(stage), error_number};
    [[maybe_unused]] const auto written = ::write(errors, why.data(), sizeof(why));
    ::_exit(127);
}

void default_signals() {
    for (int signal = 1; signal < NSIG; ++signal)
        ::signal(signal, SIG_DFL);  // fails for KILL and STOP: no matter
    sigset_t none;
    sigemptyset(&none);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// 1 and 2 the output, 3 the events; everything else closes at the exec. Their own numbers are
/// above those.
bool arrange_descriptors(bool events) {
    if (::dup2(output_fd, 1) < 0 || ::dup2(output_fd, 2) < 0) return false;
    if (events && ::dup2(events_fd, child_events_fd) < 0) return false;
    close_on_exec_from(events ? child_events_fd + 1 : child_events_fd);
    return true;
}

}  // namespace

void ignore_signals() {
    for (const int signal : ignored_signals) ::signal(signal, SIG_IGN);
    ::signal(SIGCHLD, SIG_DFL);
}

Report exit_report(int status) {
    if (WIFSIGNALED(status)) return {Kind::exited, -1, WTERMSIG(status)};
    return {Kind::exited, WEXITSTATUS(status), 0};
}

void become_program(const Order& order, int twin, int errors) {
    die_with_parent(order.level);
    // On Linux the receiver's kernel translates our pid into its own namespace.
    send_report(twin, {Kind::target, static_cast<std::int32_t>(::getpid()), 0});
    if (::setsid() < 0) give_up(errors, Stage::setup, errno);  // no terminal, a group of its own
    const int safe_errors = ::fcntl(errors, F_DUPFD_CLOEXEC, events_fd + 1);
    if (safe_errors < 0) give_up(errors, Stage::setup, errno);
    if (!arrange_descriptors(order.events)) give_up(safe_errors, Stage::setup, errno);
    if (*order.folder != '\0' && ::chdir(order.folder) != 0)
        give_up(safe_errors, Stage::folder, errno);
    default_signals();
    ::execve(order.program, order.argv, environ);
    give_up(safe_errors, Stage::exec, errno);
}

}  // namespace punie::process::guard
