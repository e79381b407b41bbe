#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "relay/stream.hpp"

namespace punie::relay {

namespace {

/// macOS has no flags for this at the socket's making; the narrow gap until here is what it leaves.
int prepared(int socket) {
    if (socket < 0) return socket;
    ::fcntl(socket, F_SETFD, FD_CLOEXEC);
    ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
    return socket;
}

}  // namespace

int accept_socket(int listener, void* address, unsigned* size) {
    return prepared(::accept(listener, static_cast<sockaddr*>(address), size));
}

int make_socket(int family, int type) {
    return prepared(::socket(family, type, 0));
}

std::size_t unsent_bytes(int socket) {
    int bytes = 0;
    socklen_t size = sizeof bytes;
    return ::getsockopt(socket, SOL_SOCKET, SO_NWRITE, &bytes, &size) == 0 && bytes > 0
               ? static_cast<std::size_t>(bytes)
               : 0;
}

/// Without POLLRDHUP an end behind unread bytes is not seen until they are read.
bool ended_by_peer(int socket) {
    char byte = 0;
    return ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

}  // namespace punie::relay
