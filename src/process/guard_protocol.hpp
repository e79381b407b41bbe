#pragma once
// What Punie and its guard say to each other. Both are built together, so there is no version in
// it.
//
// Start:  punie-guard run LEVEL PUNIE_PID EVENTS FOLDER PROGRAM ARGV0 [ARG...]   with the child's
// environment
//         LEVEL as name_of(Containment); EVENTS 1 or 0; FOLDER "" for the present one; PROGRAM a
//         path
// Probe:  punie-guard probe LEVEL    exit code 0 if this system allows that level
//
// Descriptors of the guard: 0-2 /dev/null, then the three below. The child gets 0 /dev/null, 1 and
// 2 the output pipe and, with events, 3 the event pipe; nothing else.
//
// On the socket the guard sends `Report`s, Punie sends single bytes (`Command`). The end of the
// socket is the message that matters most: seen by the guard it means that Punie is gone and all
// must die, seen by Punie that all is dead.

#include <cstdint>

namespace punie::process::guard {

inline constexpr int socket_fd = 3;
inline constexpr int output_fd = 4;
inline constexpr int events_fd = 5;
inline constexpr int child_events_fd = 3;

enum class Kind : std::uint32_t {
    started,  ///< the exec succeeded: first = pid of the program, second = pid of the inner guard,
              ///< as Punie sees them
    failed,   ///< nothing runs: first = Stage, second = errno
    exited,   ///< the program ended: first = exit code or -1, second = signal or 0
    empty,    ///< nothing of the tree runs any more; the end of the socket follows
    target,   ///< between the two guards only: first = the program's pid (Linux takes it from the
              ///< credentials)
};

enum class Stage : std::int32_t {
    contain,  ///< this level of containment is not to be had
    fork,     ///< no process to be had
    folder,   ///< the working folder
    exec,     ///< the program itself
    setup,    ///< a call that does not normally fail: descriptors, session
};

struct Report {
    Kind kind;
    std::int32_t first = 0;
    std::int32_t second = 0;
};

static_assert(sizeof(Report) == 12);

enum class Command : char { terminate = 'T', interrupt = 'I', kill = 'K' };

}  // namespace punie::process::guard
