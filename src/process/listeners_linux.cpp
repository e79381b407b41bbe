// Listening sockets by the kernel's socket diagnosis (man 7 sock_diag). Reading /proc/net/tcp walks
// the whole hash table of connections, 7 ms on a machine with much memory, and a start looks every
// 10 ms; this asks for the listeners alone.
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "process/launch.hpp"
#include "process/proc_linux.hpp"

namespace punie::process {

namespace {

struct Question {
    nlmsghdr header{};
    inet_diag_req_v2 request{};
};

bool ask(int socket, std::uint8_t family) {
    Question question;
    question.header.nlmsg_len = sizeof(question);
    question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    question.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    question.request.sdiag_family = family;
    question.request.sdiag_protocol = IPPROTO_TCP;
    question.request.idiag_states = 1U << TCP_LISTEN;
    return ::send(socket, &question, sizeof(question), 0) == sizeof(question);
}

enum class Reading { more, done, failed };

/// One datagram of the answer: any number of messages, each a socket, an error or the end.
Reading read_messages(
    const char* at, std::size_t left, std::uint16_t port, std::vector<std::uint64_t>& inodes
) {
    while (left >= sizeof(nlmsghdr)) {
        nlmsghdr header{};
        std::memcpy(&header, at, sizeof(header));
        if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > left) return Reading::failed;
        if (header.nlmsg_type == NLMSG_DONE) return Reading::done;
        if (header.nlmsg_type == NLMSG_ERROR)
            return Reading::failed;  // no such module, not allowed
        inet_diag_msg message{};
        if (header.nlmsg_len < sizeof(header) + sizeof(message)) return Reading::failed;
        std::memcpy(&message, at + sizeof(header), sizeof(message));
        if (ntohs(message.id.idiag_sport) == port) inodes.push_back(message.idiag_inode);
        const std::size_t step = NLMSG_ALIGN(header.nlmsg_len);
        if (step >= left) return Reading::more;
        at += step;
        left -= step;
    }
    return Reading::more;
}

bool collect(
    int socket, std::uint8_t family, std::uint16_t port, std::vector<std::uint64_t>& inodes
) {
    if (!ask(socket, family)) return false;
    std::array<char, 32768> buffer{};
    while (true) {
        const auto count = ::recv(socket, buffer.data(), buffer.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        const auto reading =
            read_messages(buffer.data(), static_cast<std::size_t>(count), port, inodes);
        if (reading != Reading::more) return reading == Reading::done;
    }
}

}  // namespace

std::optional<std::vector<std::uint64_t>> diagnosed_listeners(std::uint16_t port) {
    const Descriptor socket(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!socket) return std::nullopt;
    const timeval limit{.tv_sec = 1, .tv_usec = 0};  // the kernel answers at once or never
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    std::vector<std::uint64_t> inodes;
    const bool four = collect(socket.get(), AF_INET, port, inodes);
    if (!four) return std::nullopt;
    if (!collect(socket.get(), AF_INET6, port, inodes)) return std::nullopt;
    return inodes;
}

}  // namespace punie::process
