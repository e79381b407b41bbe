// The inner guard: parent of the program and of every orphan of its tree.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "process/guard/guard.hpp"

namespace punie::process::guard {

namespace {

struct Inner {
    const Order& order;
    Links links;
    pid_t program = -1;  // -1 once it was reaped: its number may then belong to somebody else
    pid_t group = -1;    // stays
    int errors = -1;     // the read end that ends when the exec succeeds; -1 once that is settled
    bool reaped_all = false;
};

[[noreturn]] void fail_and_exit(const Inner& inner, Stage stage, int error_number) {
    send_report(inner.links.twin, {Kind::failed, static_cast<std::int32_t>(stage), error_number});
    ::_exit(1);
}

/// Everything dies with us: the kernel sees to it in a namespace, we do it ourselves without one.
[[noreturn]] void die_with_all(const Inner& inner) {
    if (inner.order.level == Level::subreaper)
        kill_descendants(inner.links.children, 0, nullptr, nullptr);
    ::_exit(0);
}

/// The exec succeeded (end of the pipe) or it says why not.
void settle_start(Inner& inner) {
    std::array<std::int32_t, 2> why{};
    ssize_t count = 0;
    while ((count = ::read(inner.errors, why.data(), sizeof(why))) < 0 && errno == EINTR) {
    }
    ::close(inner.errors);
    inner.errors = -1;
    if (count == sizeof(why)) {
        send_report(inner.links.twin, {Kind::failed, why[0], why[1]});
    } else {
        send_report(inner.links.twin, {Kind::started, 0, 0});
    }
}

void on_end(void* context, pid_t pid, int status) {
    auto& inner = *static_cast<Inner*>(context);
    if (pid != inner.program) return;
    if (inner.errors >= 0) settle_start(inner);
    send_report(inner.links.twin, exit_report(status));
    inner.program = -1;
}

void reap(Inner& inner) {
    while (true) {
        int status = 0;
        const pid_t pid = ::waitpid(-1, &status, WNOHANG);
        if (pid > 0) {
            on_end(&inner, pid, status);
        } else if (pid == 0 || errno != EINTR) {
            inner.reaped_all = pid < 0;
            return;
        }
    }
}

void on_child_signal(Inner& inner) {
    std::array<signalfd_siginfo, 8> ignored{};
    while (::read(inner.links.children, ignored.data(), sizeof(ignored)) > 0) {
    }
    reap(inner);
}

/// A stopped process takes no SIGTERM: CONT follows.
void signal_program(const Inner& inner, int signal) {
    if (inner.program > 0) {
        ::kill(-inner.group, signal);
        ::kill(-inner.group, SIGCONT);
    } else if (inner.order.level == Level::pid_namespace) {
        ::kill(-1, signal);  // what the program left behind, in whatever group
        ::kill(-1, SIGCONT);
    } else {
        signal_descendants(signal);
        signal_descendants(SIGCONT);
    }
}

void kill_all(Inner& inner) {
    if (inner.order.level == Level::pid_namespace) {
        ::kill(-1, SIGKILL);  // all of the namespace but process 1
        return;
    }
    kill_descendants(inner.links.children, 0, on_end, &inner);
    inner.reaped_all = true;
}

void on_commands(Inner& inner) {
    std::array<char, 64> bytes{};
    const auto count = ::recv(inner.links.twin, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count < 0) return;
    if (count == 0) die_with_all(inner);
    for (ssize_t i = 0; i < count; ++i) {
        switch (static_cast<Command>(bytes[static_cast<std::size_t>(i)])) {
            case Command::terminate:
                signal_program(inner, SIGTERM);
                break;
            case Command::interrupt:
                signal_program(inner, SIGINT);
                break;
            case Command::kill:
                kill_all(inner);
                break;
        }
    }
}

void start_program(Inner& inner) {
    std::array<int, 2> errors{};
    if (::pipe2(errors.data(), O_CLOEXEC) != 0) fail_and_exit(inner, Stage::setup, errno);
    inner.program = ::fork();
    if (inner.program < 0) fail_and_exit(inner, Stage::fork, errno);
    if (inner.program == 0) become_program(inner.order, inner.links.twin, errors[1]);
    inner.group = inner.program;
    inner.errors = errors[0];
    ::close(errors[1]);
    ::close(output_fd);  // whoever reads the output must see its end
    if (inner.order.events) ::close(events_fd);
    [[maybe_unused]] const int result = ::chdir("/");  // pins no folder
}

void watch(Inner& inner) {
    while (!inner.reaped_all) {
        std::array<pollfd, 5> items = {
            {{inner.links.children, POLLIN, 0},
             {inner.links.twin, POLLIN, 0},
             {inner.links.socket, POLLRDHUP, 0},
             {inner.links.punie, POLLIN, 0},
             {inner.errors, POLLIN, 0}}
        };
        if (::poll(items.data(), items.size(), -1) < 0) continue;
        if (items[2].revents != 0 || items[3].revents != 0) die_with_all(inner);
        if (items[4].revents != 0) settle_start(inner);
        if (items[0].revents != 0) on_child_signal(inner);
        if (items[1].revents != 0) on_commands(inner);
    }
}

}  // namespace

void run_inner(const Order& order, Links links, pid_t outer) {
    Inner inner{.order = order, .links = links};
    if (order.level == Level::pid_namespace) {
        ::prctl(
            PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0
        );  // if it is too late for this, the link has ended
    } else if (::getppid() != outer) {
        ::_exit(1);
    }
    if (const int error = complete_container(order.level); error != 0)
        fail_and_exit(inner, Stage::contain, error);
    start_program(inner);
    watch(inner);
    ::_exit(0);
}

}  // namespace punie::process::guard
