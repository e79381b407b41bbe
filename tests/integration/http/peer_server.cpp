#include "peer_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace punie::test {

namespace {

[[noreturn]] void broken(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

std::uint16_t port_of(int descriptor) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0)
        broken("getsockname");
    return ntohs(
        address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                      : reinterpret_cast<sockaddr_in&>(address).sin_port
    );
}

int bound_socket(const std::string& host) {
    const bool v6 = host.find(':') != std::string::npos;
    const int descriptor = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    if (descriptor < 0) broken("socket");
    sockaddr_in v4_address{};
    v4_address.sin_family = AF_INET;
    sockaddr_in6 v6_address{};
    v6_address.sin6_family = AF_INET6;
    ::inet_pton(AF_INET, host.c_str(), &v4_address.sin_addr);
    ::inet_pton(AF_INET6, host.c_str(), &v6_address.sin6_addr);
    const int status =
        v6 ? ::bind(descriptor, reinterpret_cast<sockaddr*>(&v6_address), sizeof v6_address)
           : ::bind(descriptor, reinterpret_cast<sockaddr*>(&v4_address), sizeof v4_address);
    if (status != 0) broken("bind");
    return descriptor;
}

#ifdef MSG_NOSIGNAL
constexpr int no_signal = MSG_NOSIGNAL;
#else
constexpr int no_signal = 0;
#endif

}  // namespace

Peer::~Peer() {
    close();
}

std::string Peer::read_header() {
    std::array<char, 4096> buffer{};
    while (held_.find("\r\n\r\n") == std::string::npos) {
        const auto count = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
        if (count <= 0) return std::exchange(held_, {});
        held_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return read_exactly(held_.find("\r\n\r\n") + 4);
}

std::string Peer::read_exactly(std::size_t count) {
    std::array<char, 65536> buffer{};
    while (held_.size() < count) {
        const auto got = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
        if (got <= 0) break;
        held_.append(buffer.data(), static_cast<std::size_t>(got));
    }
    auto bytes = held_.substr(0, count);
    held_.erase(0, bytes.size());
    return bytes;
}

bool Peer::send(std::string_view bytes) const {
    while (!bytes.empty()) {
        const auto count = send_some(bytes);
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

std::ptrdiff_t Peer::send_some(std::string_view bytes) const {
    return ::send(descriptor_, bytes.data(), bytes.size(), no_signal);
}

void Peer::wait_for_close() const {
    std::array<char, 4096> buffer{};
    while (::recv(descriptor_, buffer.data(), buffer.size(), 0) > 0) {
    }
}

void Peer::reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

void Peer::close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

PeerServer::PeerServer(std::function<void(Peer&)> handler, const char* host)
    : handler_(std::move(handler)), host_(host), listener_(bound_socket(host)) {
    if (::listen(listener_, 64) != 0) broken("listen");
    if (::pipe(wake_) != 0) broken("pipe");
    port_ = port_of(listener_);
    acceptor_ = std::thread([this] { accept_all(); });
}

PeerServer::~PeerServer() {
    ::close(wake_[1]);
    acceptor_.join();
    for (auto& served : served_) served.thread.join();
    ::close(wake_[0]);
    ::close(listener_);
}

void PeerServer::accept_all() {
    while (true) {
        std::array<pollfd, 2> waits = {pollfd{listener_, POLLIN, 0}, pollfd{wake_[0], POLLIN, 0}};
        if (::poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) return;
        if (waits[1].revents != 0) return;
        if (waits[0].revents == 0) continue;
        const int descriptor = ::accept(listener_, nullptr, nullptr);
        if (descriptor < 0) continue;
        const std::lock_guard lock(mutex_);
        auto& served = served_.emplace_back(descriptor);
        served.thread = std::thread([this, &served] {
            handler_(served.peer);
            served.peer.close();
        });
    }
}

std::string PeerServer::url(std::string_view path) const {
    const auto* form = host_.find(':') == std::string::npos ? "http://{}:{}{}" : "http://[{}]:{}{}";
    return fmt::format(fmt::runtime(form), host_, port_, path);
}

int PeerServer::connections() const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(served_.size());
}

FullPort::FullPort() {
    descriptors_.push_back(bound_socket("127.0.0.1"));
    if (::listen(descriptors_.front(), 0) != 0) broken("listen");
    port_ = port_of(descriptors_.front());
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    for (int i = 0; i < 8; ++i) {
        const int filler = ::socket(AF_INET, SOCK_STREAM, 0);
        if (filler < 0) broken("socket");
        ::fcntl(filler, F_SETFL, O_NONBLOCK);
        descriptors_.push_back(filler);
        const int status = ::connect(filler, reinterpret_cast<sockaddr*>(&address), sizeof address);
        if (status != 0 && errno != EINPROGRESS) broken("connect");
    }
}

FullPort::~FullPort() {
    for (const int descriptor : descriptors_) ::close(descriptor);
}

ClosedPort::ClosedPort() : descriptor_(bound_socket("127.0.0.1")), port_(port_of(descriptor_)) {}

ClosedPort::~ClosedPort() {
    ::close(descriptor_);
}

}  // namespace punie::test
