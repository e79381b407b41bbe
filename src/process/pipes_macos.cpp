#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "process/pipes.hpp"

namespace punie::process {

// Everything but what the file actions name is closed in the guard: there is no way here to make a
// descriptor that is closed on exec from its first moment on.
const int spawn_extra_flags = POSIX_SPAWN_CLOEXEC_DEFAULT;

namespace {

constexpr int first_free_number =
    10;  // above what the guard is given: no dup2 overwrites another's source

bool prepare(Descriptor& descriptor) {
    Descriptor lifted(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, first_free_number));
    if (!lifted) return false;
    descriptor = std::move(lifted);
    return true;
}

bool set_nonblocking(int descriptor) {
    const int flags = ::fcntl(descriptor, F_GETFL);
    return flags >= 0 && ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0;
}

bool make_pipe(Descriptor& read_end, Descriptor& write_end) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) return false;
    read_end = Descriptor(ends[0]);
    write_end = Descriptor(ends[1]);
    return prepare(read_end) && prepare(write_end) && set_nonblocking(read_end.get());
}

}  // namespace

std::expected<Lines, int> make_lines(bool events) {
    Lines lines;
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) return std::unexpected(errno);
    lines.socket = Descriptor(ends[0]);
    lines.guard_socket = Descriptor(ends[1]);
    if (!prepare(lines.socket) || !prepare(lines.guard_socket)) return std::unexpected(errno);
    const int on = 1;
    ::setsockopt(lines.socket.get(), SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on));
    if (!set_nonblocking(lines.socket.get())) return std::unexpected(errno);
    if (!make_pipe(lines.output, lines.guard_output)) return std::unexpected(errno);
    if (events && !make_pipe(lines.events, lines.guard_events)) return std::unexpected(errno);
    return lines;
}

void send_quietly(int socket, char byte) {
    ::send(socket, &byte, 1, MSG_DONTWAIT);
}

}  // namespace punie::process
