#pragma once
// Sockets and just enough HTTP: one request a connection, which is closed after the answer, as
// mlx_lm.server does.

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace fake {

struct Request {
    std::string method;
    std::string path;
    std::string head;  // request line and headers, lower case
    std::string body;
};

/// An accepted connection. Writes to a client that left return false.
class Connection {
public:
    explicit Connection(int fd) : fd_(fd) {}

    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    ~Connection() { ::close(fd_); }

    bool write(std::string_view bytes) const {
        while (!bytes.empty()) {
            const auto sent = ::send(fd_, bytes.data(), bytes.size(), 0);
            if (sent < 0 && errno == EINTR) continue;
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    /// Waits; false when the client closed meanwhile. A negative time waits until it does.
    bool sleep_ms(long ms) const {
        pollfd waited{fd_, POLLIN, 0};
        if (::poll(&waited, 1, static_cast<int>(ms)) <= 0) return true;
        char byte = 0;
        return ::recv(fd_, &byte, 1, MSG_PEEK) > 0;
    }

    void reset_on_close() const {
        const linger abort{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    }

    std::optional<Request> read() const {
        std::string bytes;
        auto end = std::string::npos;
        while ((end = bytes.find("\r\n\r\n")) == std::string::npos) {
            if (!read_more(bytes)) return std::nullopt;
        }
        Request request;
        request.head = bytes.substr(0, end);
        const auto method_end = request.head.find(' ');
        const auto path_end = request.head.find(' ', method_end + 1);
        if (path_end == std::string::npos) return std::nullopt;
        request.method = request.head.substr(0, method_end);
        request.path = request.head.substr(method_end + 1, path_end - method_end - 1);
        for (auto& c : request.head)
            c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        const auto at = request.head.find("content-length:");
        const auto length =
            at == std::string::npos ? 0 : std::strtoul(request.head.c_str() + at + 15, nullptr, 10);
        request.body = bytes.substr(end + 4);
        while (request.body.size() < length) {
            if (!read_more(request.body)) return std::nullopt;
        }
        return request;
    }

private:
    bool read_more(std::string& bytes) const {
        char buffer[16384];
        const auto got = ::recv(fd_, buffer, sizeof buffer, 0);
        if (got < 0 && errno == EINTR) return true;
        if (got <= 0) return false;
        bytes.append(buffer, static_cast<std::size_t>(got));
        return true;
    }

    int fd_;
};

/// A bound socket and its port; fd -1 with errno set when that failed.
struct Bound {
    int fd = -1;
    int port = 0;
};

inline Bound bind_to(const std::string& host, long port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
        errno = EADDRNOTAVAIL;
        return {};
    }
    Bound bound{::socket(found->ai_family, SOCK_STREAM, 0), 0};
    const int on = 1;
    ::setsockopt(bound.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const int failed = ::bind(bound.fd, found->ai_addr, found->ai_addrlen);
    ::freeaddrinfo(found);
    if (failed != 0) return {};
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(bound.fd, reinterpret_cast<sockaddr*>(&address), &size);
    char service[16] = "";
    ::getnameinfo(
        reinterpret_cast<sockaddr*>(&address),
        size,
        nullptr,
        0,
        service,
        sizeof service,
        NI_NUMERICSERV
    );
    bound.port = std::atoi(service);
    return bound;
}

inline bool send_response(
    const Connection& to, int status, std::string_view body, std::string_view more_headers = {}
) {
    std::string out =
        "HTTP/1.0 " + std::to_string(status) + (status == 200 ? " OK" : " Error") +
        "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n" + std::string(more_headers) + "\r\n";
    out += body;
    return to.write(out);
}

}  // namespace fake
