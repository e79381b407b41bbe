#include "raw_socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace punie::test {

namespace {

constexpr int patience = 20'000;

}  // namespace

// NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): the socket API's own way
RawSocket::RawSocket(std::uint16_t port, int receive_buffer)
    : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0)
        ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    connect_to(port);
}

RawSocket::RawSocket(Unconnected&& made, std::uint16_t port)
    : descriptor_(std::exchange(made.descriptor_, -1)) {
    connect_to(port);
}

void RawSocket::connect_to(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ =
        ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

RawSocket::RawSocket(const std::filesystem::path& unix_socket)
    : descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, unix_socket.c_str(), sizeof address.sun_path - 1);
    connected_ =
        ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)

RawSocket::Unconnected::Unconnected()
    : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}

RawSocket::Unconnected::~Unconnected() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

RawSocket::~RawSocket() {
    close();
}

bool RawSocket::send(std::string_view bytes) const {
    while (!bytes.empty()) {
        const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool RawSocket::more() {
    pollfd watched{descriptor_, POLLIN, 0};
    if (::poll(&watched, 1, patience) <= 0) {
        held_ += "\n(nothing more came within 20 s)";
        return false;
    }
    std::array<char, 65536> buffer{};
    const auto count = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (count > 0) {
        held_.append(buffer.data(), static_cast<std::size_t>(count));
        return true;
    }
    ended_ = count == 0;
    reset_ = count < 0 && errno == ECONNRESET;
    return false;
}

std::string RawSocket::read_until(std::string_view words) {
    while (true) {
        const auto at = words.empty() ? std::string::npos : held_.find(words);
        if (at != std::string::npos) {
            auto found = held_.substr(0, at + words.size());
            held_.erase(0, at + words.size());
            return found;
        }
        if (!more()) return std::exchange(held_, {});
    }
}

std::string RawSocket::read_exactly(std::size_t bytes) {
    while (held_.size() < bytes && more()) {
    }
    auto found = held_.substr(0, bytes);
    held_.erase(0, found.size());
    return found;
}

void RawSocket::end_sending() const {
    ::shutdown(descriptor_, SHUT_WR);
}

void RawSocket::reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

void RawSocket::close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

int status_of(std::string_view answer) {
    if (!answer.starts_with("HTTP/1.1 ") || answer.size() < 12) return 0;
    return std::atoi(std::string(answer.substr(9, 3)).c_str());
}

std::string body_of(const std::string& answer) {
    const auto end = answer.find("\r\n\r\n");
    return end == std::string::npos ? std::string() : answer.substr(end + 4);
}

std::size_t count_of(std::string_view text, std::string_view words) {
    std::size_t count = 0;
    for (auto at = text.find(words); at != std::string_view::npos; at = text.find(words, at + 1)) {
        ++count;
    }
    return count;
}

}  // namespace punie::test
