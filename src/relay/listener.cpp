#include "relay/listener.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/files.hpp"
#include "http/resolve.hpp"
#include "process/system.hpp"
#include "relay/tls_server.hpp"

namespace punie::relay {

namespace {

constexpr int queue_length = 4096;  // the kernel cuts it to what it allows

/// Closes what was opened before a later step failed.
class OpenSocket {
public:
    explicit OpenSocket(int socket) : socket_(socket) {}

    OpenSocket(const OpenSocket&) = delete;
    OpenSocket& operator=(const OpenSocket&) = delete;

    ~OpenSocket() {
        if (socket_ >= 0) ::close(socket_);
    }

    int get() const { return socket_; }

    int release() { return std::exchange(socket_, -1); }

private:
    int socket_;
};

Error port_taken(const Listen& place) {
    const auto holder = process::port_holder(place.port);
    const auto who = holder && holder->pid != 0
                         ? fmt::format("process {} ({})", holder->pid, holder->program)
                         : std::string("another program");
    return Error(
               ErrorCode::port_in_use,
               fmt::format("port {} of {} is in use by {}", place.port, place.host, who)
    )
        .with_hint("name another port, or 0 for any free one");
}

Result<int> listen_tcp(const Listen& place) {
    const http::HostPort where{.host = place.host, .port = place.port};
    auto endpoints = http::known_endpoints(where);
    if (!endpoints) {
        auto found = http::system_lookup(where);
        if (!found) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("listen: {}: {}", place.host, found.error().message())
            );
        }
        endpoints = *std::move(found);
    }
    const auto& endpoint = endpoints->front();
    OpenSocket socket(make_socket(endpoint.protocol().family(), SOCK_STREAM));
    const int on = 1;
    if (socket.get() >= 0) {
        ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // inherited
    }
    if (socket.get() < 0 ||
        ::bind(socket.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 ||
        ::listen(socket.get(), queue_length) != 0) {
        if (errno == EADDRINUSE) return std::unexpected(port_taken(place));
        return std::unexpected(
            errno_error(errno, fmt::format("cannot listen on {}:{}", place.host, place.port))
        );
    }
    return socket.release();
}

/// Whether somebody answers on the socket file.
bool answers(const sockaddr_un& address) {
    const OpenSocket probe(make_socket(AF_UNIX, SOCK_STREAM));
    return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
               0 ||
           errno == EAGAIN;
}

Result<void> make_way(const sockaddr_un& address) {
    struct stat status{};
    if (::lstat(address.sun_path, &status) != 0) return {};
    if (!S_ISSOCK(status.st_mode)) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} is in the way: it is no socket", address.sun_path),
            "name another path for the socket, or remove the file"
        );
    }
    if (answers(address)) {
        return fail(
            ErrorCode::port_in_use,
            fmt::format("another program answers on the socket {}", address.sun_path),
            "stop it, or name another path"
        );
    }
    ::unlink(address.sun_path);
    return {};
}

Result<int> listen_unix(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto& text = path.native();
    if (text.size() >= sizeof address.sun_path) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("the socket's path {} is over {} bytes", text, sizeof address.sun_path - 1),
            "name a shorter one"
        );
    }
    std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
    if (auto free = make_way(address); !free) return std::unexpected(std::move(free).error());
    OpenSocket socket(make_socket(AF_UNIX, SOCK_STREAM));
    // nobody can connect before listen(), so the mode is in force before anybody tries
    if (socket.get() < 0 ||
        ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::chmod(text.c_str(), S_IRUSR | S_IWUSR) != 0 ||
        ::listen(socket.get(), queue_length) != 0) {
        return std::unexpected(errno_error(errno, fmt::format("cannot listen on {}", text)));
    }
    return socket.release();
}

std::pair<std::string, std::uint16_t> address_of(const sockaddr_storage& storage) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (storage.ss_family == AF_INET) {
        sockaddr_in address{};
        std::memcpy(&address, &storage, sizeof address);
        ::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
        return {text.data(), ntohs(address.sin_port)};
    }
    if (storage.ss_family == AF_INET6) {
        sockaddr_in6 address{};
        std::memcpy(&address, &storage, sizeof address);
        ::inet_ntop(AF_INET6, &address.sin6_addr, text.data(), text.size());
        return {text.data(), ntohs(address.sin6_port)};
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(
    const asio::any_io_executor& executor, Listen place
) {
    std::shared_ptr<SSL_CTX> tls;
    if (place.tls) {
        auto made = server_tls(*place.tls);
        if (!made) return std::unexpected(std::move(made).error());
        tls = *std::move(made);
    }
    auto socket = place.unix_socket.empty() ? listen_tcp(place) : listen_unix(place.unix_socket);
    if (!socket) return std::unexpected(std::move(socket).error());
    auto listener = std::make_unique<Listener>(executor, *socket, std::move(place));
    listener->set_tls(std::move(tls));
    return listener;
}

Listener::Listener(const asio::any_io_executor& executor, int socket, Listen place)
    : place_(std::move(place)), descriptor_(executor, socket) {
    if (!place_.unix_socket.empty()) {
        struct stat status{};
        if (::stat(place_.unix_socket.c_str(), &status) == 0)
            file_.emplace(status.st_dev, status.st_ino);
        return;
    }
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0)
        port_ = address_of(address).second;
}

Listener::~Listener() {
    close();
}

void Listener::close() {
    boost::system::error_code ignored;
    descriptor_.close(ignored);
    struct stat status{};
    const auto& path = place_.unix_socket;
    if (file_ && ::stat(path.c_str(), &status) == 0 &&
        *file_ == std::pair<std::uint64_t, std::uint64_t>(status.st_dev, status.st_ino)) {
        ::unlink(path.c_str());
    }
    file_.reset();
}

Listener::Accepted Listener::accept() {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    Accepted accepted;
    accepted.socket = accept_socket(descriptor_.native_handle(), &address, &size);
    if (accepted.socket < 0) {
        accepted.error = errno;
        return accepted;
    }
    accepted.peer.listener = place_.name;
    accepted.peer.tls = tls_ != nullptr;
    accepted.peer.unix_socket = !place_.unix_socket.empty();
    accepted.peer.local_port = port_;
    std::tie(accepted.peer.address, accepted.peer.port) = address_of(address);
    return accepted;
}

void ReserveDescriptors::fill() {
    for (auto& descriptor : descriptors_) {
        if (descriptor < 0) descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
}

void ReserveDescriptors::spend() {
    for (auto& descriptor : descriptors_) {
        if (descriptor >= 0) ::close(std::exchange(descriptor, -1));
    }
}

}  // namespace punie::relay
