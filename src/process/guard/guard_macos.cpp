// The two guards on macOS. kqueue tells of the end of Punie, of the twin, of the program, and of
// each fork in the tree.
#include <fcntl.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "process/guard/guard.hpp"
#include "process/guard/tree_macos.hpp"

namespace punie::process::guard {

namespace {

Tree tree;  // each of the two processes has its own

/// False when there is no such process any more.
bool watch(int queue, std::uintptr_t what, std::int16_t filter, std::uint32_t notes = 0) {
    struct kevent change{};
    EV_SET(&change, what, filter, EV_ADD | EV_CLEAR, notes, 0, nullptr);
    return ::kevent(queue, &change, 1, nullptr, 0, nullptr) == 0;
}

bool watch_process(int queue, pid_t pid, std::uint32_t notes) {
    return watch(queue, static_cast<std::uintptr_t>(pid), EVFILT_PROC, notes);
}

bool watch_descriptor(int queue, int descriptor) {
    return watch(queue, static_cast<std::uintptr_t>(descriptor), EVFILT_READ);
}

struct Inner {
    const Order& order;
    int queue = -1;
    int twin = -1;
    int errors = -1;
    pid_t program = -1;
};

void watch_members(const Inner& inner) {
    for (std::size_t i = 0; i < tree.size; ++i)
        watch_process(inner.queue, tree.members[i].pid, NOTE_FORK | NOTE_EXIT);
}

[[noreturn]] void die_with_all() {
    kill_members(tree);
    ::_exit(0);
}

void settle_start(Inner& inner) {
    std::array<std::int32_t, 2> why{};
    ssize_t count = 0;
    while ((count = ::read(inner.errors, why.data(), sizeof(why))) < 0 && errno == EINTR) {
    }
    ::close(inner.errors);
    inner.errors = -1;
    const bool failed = count == static_cast<ssize_t>(sizeof(why));
    send_report(
        inner.twin,
        failed ? Report{Kind::failed, why[0], why[1]} : Report{Kind::started, inner.program, 0}
    );
}

void reap(Inner& inner) {
    int status = 0;
    while (inner.program > 0 && ::waitpid(inner.program, &status, WNOHANG) == inner.program) {
        if (inner.errors >= 0) settle_start(inner);
        send_report(inner.twin, exit_report(status));
        inner.program = -1;
    }
}

void on_commands(Inner& inner) {
    std::array<char, 64> bytes{};
    const auto count = ::recv(inner.twin, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count == 0) die_with_all();
    for (ssize_t i = 0; i < count; ++i) {
        const auto command = static_cast<Command>(bytes[static_cast<std::size_t>(i)]);
        if (command == Command::kill) {
            kill_members(tree);
            continue;
        }
        const int signal = command == Command::interrupt ? SIGINT : SIGTERM;
        if (inner.program > 0) {
            ::kill(-inner.program, signal);
            ::kill(-inner.program, SIGCONT);
        } else {
            signal_members(tree, signal);
            signal_members(tree, SIGCONT);
        }
    }
}

void start_program(Inner& inner) {
    std::array<int, 2> errors{};
    if (::pipe(errors.data()) != 0) {
        send_report(inner.twin, {Kind::failed, static_cast<std::int32_t>(Stage::setup), errno});
        ::_exit(1);
    }
    inner.program = ::fork();
    if (inner.program < 0) {
        send_report(inner.twin, {Kind::failed, static_cast<std::int32_t>(Stage::fork), errno});
        ::_exit(1);
    }
    if (inner.program == 0) {
        ::close(errors[0]);
        become_program(inner.order, inner.twin, errors[1]);
    }
    inner.errors = errors[0];
    ::close(errors[1]);
    ::close(output_fd);
    if (inner.order.events) ::close(events_fd);
    [[maybe_unused]] const int result = ::chdir("/");
}

[[noreturn]] void live_inner(const Order& order, int twin, pid_t outer) {
    Inner inner{.order = order, .twin = twin};
    start_program(inner);
    inner.queue = ::kqueue();  // not inherited by fork: made after it
    tree.program = inner.program;
    tree.not_a_member = outer;
    watch(inner.queue, SIGCHLD, EVFILT_SIGNAL);
    watch_descriptor(inner.queue, inner.errors);
    watch_descriptor(inner.queue, inner.twin);
    watch_descriptor(inner.queue, socket_fd);
    if (!watch_process(inner.queue, order.punie, NOTE_EXIT)) die_with_all();
    refresh(tree);
    watch_members(inner);
    while (true) {
        reap(inner);  // before the first wait, too: the program may have ended before we watched
        if (inner.program < 0) refresh(tree);
        if (inner.program < 0 && tree.size == 0) ::_exit(0);
        if (inner.program < 0) watch_members(inner);
        struct kevent event{};
        if (::kevent(inner.queue, nullptr, 0, &event, 1, nullptr) != 1) continue;
        const bool process = event.filter == EVFILT_PROC;
        const bool punie_gone =
            (process && event.ident == static_cast<std::uintptr_t>(order.punie)) ||
            (event.filter == EVFILT_READ && event.ident == socket_fd && (event.flags & EV_EOF) != 0
            );
        if (punie_gone) die_with_all();
        if (process && (event.fflags & NOTE_FORK) != 0) {
            refresh(tree);
            watch_members(inner);
        }
        if (event.filter != EVFILT_READ) continue;
        if (inner.errors >= 0 && event.ident == static_cast<std::uintptr_t>(inner.errors))
            settle_start(inner);
        if (event.ident == static_cast<std::uintptr_t>(inner.twin)) on_commands(inner);
    }
}

struct Outer {
    int queue = -1;
    int twin = -1;
    pid_t inner = -1;
};

void pass_reports_on(const Outer& outer) {
    Report report{};
    while (::recv(outer.twin, &report, sizeof(report), MSG_DONTWAIT) ==
           static_cast<ssize_t>(sizeof(report))) {
        if (report.kind == Kind::target) {
            tree.program = report.first;
            continue;
        }
        if (report.kind == Kind::started) report.second = outer.inner;
        send_report(socket_fd, report);
    }
}

/// The inner guard is left alone until it is the only one: it does the same work, should we be
/// killed half way.
[[noreturn]] void end_all(const Outer& outer) {
    tree.not_a_member = outer.inner;
    kill_members(tree);
    ::kill(outer.inner, SIGKILL);
    ::waitpid(outer.inner, nullptr, 0);
    pass_reports_on(outer);
    send_report(socket_fd, {Kind::empty});
    ::_exit(0);
}

void on_punie(const Outer& outer) {
    std::array<char, 64> bytes{};
    const auto count = ::recv(socket_fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count == 0) end_all(outer);
    if (count < 0) return;
    ::kill(outer.inner, SIGCONT);
    ::send(outer.twin, bytes.data(), static_cast<std::size_t>(count), 0);
}

[[noreturn]] void live_outer(Outer outer, const Order& order) {
    outer.queue = ::kqueue();
    watch_descriptor(outer.queue, outer.twin);
    watch_descriptor(outer.queue, socket_fd);
    const bool inner_lives = watch_process(outer.queue, outer.inner, NOTE_EXIT);
    if (!inner_lives || !watch_process(outer.queue, order.punie, NOTE_EXIT)) end_all(outer);
    while (true) {
        struct kevent event{};
        if (::kevent(outer.queue, nullptr, 0, &event, 1, nullptr) != 1) continue;
        pass_reports_on(outer);
        if (event.filter == EVFILT_PROC)
            end_all(outer);  // the twin's own end leaves nothing to kill
        if (event.filter == EVFILT_READ && event.ident == socket_fd) on_punie(outer);
    }
}

}  // namespace

int probe(Level level) {
    return level == Level::subreaper ? 0 : 1;
}

int run_outer(const Order& order) {
    close_from(order.events ? events_fd + 1 : events_fd);
    ignore_signals();
    std::array<int, 2> link{};
    Outer outer;
    const pid_t self = ::getpid();
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, link.data()) != 0 || (outer.inner = ::fork()) < 0) {
        send_report(socket_fd, {Kind::failed, static_cast<std::int32_t>(Stage::fork), errno});
        return 1;
    }
    if (outer.inner == 0) {
        ::close(link[0]);
        live_inner(order, link[1], self);
    }
    ::close(link[1]);
    outer.twin = link[0];
    ::close(output_fd);
    if (order.events) ::close(events_fd);
    [[maybe_unused]] const int result = ::chdir("/");
    live_outer(outer, order);
}

}  // namespace punie::process::guard
