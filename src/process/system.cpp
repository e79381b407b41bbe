// What is the same on every platform.
#include "process/system.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace punie::process {

namespace {

struct Bound {
    int error = EADDRNOTAVAIL;
    std::uint16_t port = 0;
};

/// Binds as a server would (SO_REUSEADDR: connections of an earlier server in TIME_WAIT do not
/// count) and closes again.
Bound try_bind(const addrinfo& address) {
    const int fd = ::socket(address.ai_family, SOCK_STREAM, 0);
    if (fd < 0) return {.error = errno};
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    Bound result{.error = 0};
    sockaddr_storage bound{};
    socklen_t size = sizeof(bound);
    // Listening, too: with SO_REUSEADDR some systems let a bind pass where only the listen fails.
    if (::bind(fd, address.ai_addr, address.ai_addrlen) != 0 || ::listen(fd, 1) != 0) {
        result.error = errno;
    } else if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) == 0) {
        // sin_port and sin6_port are at the same place
        result.port = ntohs(reinterpret_cast<const sockaddr_in*>(&bound)->sin_port);
    }
    ::close(fd);
    return result;
}

Bound try_bind(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const auto service = std::to_string(port);
    if (::getaddrinfo(host.empty() ? nullptr : host.c_str(), service.c_str(), &hints, &found) != 0)
        return {};
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
    return try_bind(*found);
}

}  // namespace

std::uint16_t free_port(const std::string& host) {
    return try_bind(host, 0).port;
}

int bind_error(const std::string& host, std::uint16_t port) {
    return try_bind(host, port).error;
}

std::optional<std::uint64_t> disk_free(const std::string& path) {
    struct statvfs info{};
    if (::statvfs(path.c_str(), &info) != 0) return std::nullopt;
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace punie::process
