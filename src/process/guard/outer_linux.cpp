// The outer guard: Punie's end of the line. Passes words on, and sees to the rest when its twin or
// Punie is gone.
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "process/guard/guard.hpp"

namespace punie::process::guard {

namespace {

struct Outer {
    Level level;
    Links links;
    pid_t inner = -1;
    pid_t program = 0;  // as seen from here
    bool exit_told = false;
    bool ended = false;  // the inner guard was reaped
};

/// A report with the sender's pid as our namespace numbers it; false when there is none (yet). At
/// the end of the link it becomes -1, which poll skips: what ended would be readable for ever.
bool receive(int& twin, Report& report, pid_t& sender) {
    if (twin < 0) return false;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
    iovec part{&report, sizeof(report)};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto count = ::recvmsg(twin, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count == 0) twin = -1;
    if (count != sizeof(report)) return false;
    sender = 0;
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header != nullptr && header->cmsg_type == SCM_CREDENTIALS) {
        ucred credentials{};
        std::memcpy(&credentials, CMSG_DATA(header), sizeof(credentials));
        sender = credentials.pid;
    }
    return true;
}

void pass_reports_on(Outer& outer) {
    Report report{};
    pid_t sender = 0;
    while (receive(outer.links.twin, report, sender)) {
        if (report.kind == Kind::target) {
            outer.program = sender;
            continue;
        }
        if (report.kind == Kind::started) report = {Kind::started, outer.program, outer.inner};
        if (report.kind == Kind::exited) outer.exit_told = true;
        send_report(outer.links.socket, report);
    }
}

void on_end(void* context, pid_t pid, int status) {
    auto& outer = *static_cast<Outer*>(context);
    if (pid == outer.inner) outer.ended = true;
    if (pid != outer.program || outer.exit_told) return;
    outer.exit_told = true;  // it came to us because the inner guard was killed
    send_report(outer.links.socket, exit_report(status));
}

void on_child_signal(Outer& outer) {
    std::array<signalfd_siginfo, 8> ignored{};
    while (::read(outer.links.children, ignored.data(), sizeof(ignored)) > 0) {
    }
    int status = 0;
    while (const pid_t pid = ::waitpid(-1, &status, WNOHANG)) {
        if (pid < 0 && errno != EINTR) return;
        if (pid > 0) on_end(&outer, pid, status);
    }
}

void kill_everything(Outer& outer) {
    if (outer.level == Level::pid_namespace) {
        ::kill(
            outer.inner, SIGKILL
        );  // and with it, by the kernel, all the others; SIGCHLD follows
        return;
    }
    kill_descendants(outer.links.children, outer.inner, on_end, &outer);
    outer.ended = true;
}

void on_commands(Outer& outer) {
    std::array<char, 64> bytes{};
    const auto count = ::recv(outer.links.socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count == 0) kill_everything(outer);
    if (count <= 0) return;
    if (outer.links.twin < 0) return;
    ::kill(outer.inner, SIGCONT);  // should anybody have stopped it
    ::send(outer.links.twin, bytes.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL);
}

void watch(Outer& outer) {
    bool punie_gone = false;
    while (!outer.ended) {
        std::array<pollfd, 4> items = {
            {{outer.links.children, POLLIN, 0},
             {outer.links.twin, POLLIN, 0},
             {punie_gone ? -1 : outer.links.socket, POLLIN | POLLRDHUP, 0},
             {punie_gone ? -1 : outer.links.punie, POLLIN, 0}}
        };
        if (::poll(items.data(), items.size(), -1) < 0) continue;
        if (items[1].revents != 0) pass_reports_on(outer);
        punie_gone = punie_gone || (items[2].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0 ||
                     items[3].revents != 0;
        if (punie_gone) kill_everything(outer);
        if (!punie_gone && items[2].revents != 0) on_commands(outer);
        if (items[0].revents != 0) on_child_signal(outer);
    }
}

void finish(Outer& outer) {
    pass_reports_on(outer);
    // Without a namespace the tree outlives a killed inner guard, and came to us.
    if (outer.level == Level::subreaper) kill_descendants(outer.links.children, 0, on_end, &outer);
    send_report(outer.links.socket, {Kind::empty});
}

/// Starts the inner guard. errno of what failed.
int start_inner(const Order& order, Outer& outer) {
    std::array<int, 2> link{};
    const int flags = SOCK_SEQPACKET | SOCK_CLOEXEC;
    if (::socketpair(AF_UNIX, flags, 0, link.data()) != 0) return errno;
    const int on = 1;
    ::setsockopt(link[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
    const pid_t self = ::getpid();
    outer.inner = fork_contained(order.level);
    if (outer.inner < 0) return errno;
    if (outer.inner == 0) {
        ::close(link[0]);
        Links links = outer.links;
        links.twin = link[1];
        run_inner(order, links, self);
    }
    ::close(link[1]);
    outer.links.twin = link[0];
    return 0;
}

}  // namespace

int run_outer(const Order& order) {
    close_from(order.events ? events_fd + 1 : events_fd);
    Outer outer{.level = order.level, .links = {}};
    ignore_signals();
    outer.links.children = readable_child_signals();
    // Fails before Linux 5.3 and when Punie is dead already, which the socket tells as well.
    outer.links.punie = static_cast<int>(::syscall(SYS_pidfd_open, order.punie, 0));
    if (order.level == Level::subreaper) ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (const int error = start_inner(order, outer); error != 0) {
        const auto stage = order.level == Level::pid_namespace ? Stage::contain : Stage::fork;
        send_report(outer.links.socket, {Kind::failed, static_cast<std::int32_t>(stage), error});
        return 1;
    }
    ::close(output_fd);
    if (order.events) ::close(events_fd);
    [[maybe_unused]] const int result = ::chdir("/");
    watch(outer);
    finish(outer);
    return 0;
}

}  // namespace punie::process::guard
