#pragma once
// The lines between Punie and a guard; made so that no other child of this program can inherit
// them.

#include <expected>

#include "process/launch.hpp"

namespace punie::process {

/// Both ends of everything. Ours do not block; all numbers are above those that the guard uses.
struct Lines {
    Descriptor socket, guard_socket;
    Descriptor output, guard_output;
    Descriptor events, guard_events;
};

/// Errors: errno.
std::expected<Lines, int> make_lines(bool events);

/// For posix_spawn: macOS can close all but the wanted descriptors by itself; 0 on Linux (the guard
/// does it).
extern const int spawn_extra_flags;

/// Sends without SIGPIPE, without blocking; what the peer does not take is lost.
void send_quietly(int socket, char byte);

}  // namespace punie::process
