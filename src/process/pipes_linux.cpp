#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "process/pipes.hpp"

namespace punie::process {

const int spawn_extra_flags = 0;

namespace {

constexpr int first_free_number =
    10;  // above what the guard is given: no dup2 overwrites another's source
constexpr int pipe_bytes = 1 << 20;  // what an ordinary user may have (fs.pipe-max-size)

/// Moves a descriptor out of the way of the numbers that the guard uses.
bool lift(Descriptor& descriptor) {
    if (descriptor.get() >= first_free_number) return true;
    Descriptor lifted(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, first_free_number));
    if (!lifted) return false;
    descriptor = std::move(lifted);
    return true;
}

bool make_pipe(Descriptor& read_end, Descriptor& write_end) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read_end = Descriptor(ends[0]);
    write_end = Descriptor(ends[1]);
    ::fcntl(
        ends[0], F_SETPIPE_SZ, pipe_bytes
    );  // a bigger pipe is fewer wake-ups; without it, it works too
    const int flags = ::fcntl(ends[0], F_GETFL);
    return ::fcntl(ends[0], F_SETFL, flags | O_NONBLOCK) == 0 && lift(write_end);
}

}  // namespace

std::expected<Lines, int> make_lines(bool events) {
    Lines lines;
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return std::unexpected(errno);
    lines.socket = Descriptor(ends[0]);
    lines.guard_socket = Descriptor(ends[1]);
    const int flags = ::fcntl(ends[0], F_GETFL);
    if (::fcntl(ends[0], F_SETFL, flags | O_NONBLOCK) != 0 || !lift(lines.guard_socket))
        return std::unexpected(errno);
    if (!make_pipe(lines.output, lines.guard_output)) return std::unexpected(errno);
    if (events && !make_pipe(lines.events, lines.guard_events)) return std::unexpected(errno);
    return lines;
}

void send_quietly(int socket, char byte) {
    ::send(socket, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace punie::process
