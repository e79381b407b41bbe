#pragma once
// The guard: two small single-threaded processes between Punie and the child. No heap, no library
// but libc.
//
//   Punie ==socket== outer guard ==link== inner guard --- the program --- its children
//
// pid_namespace: the inner guard is process 1 of a namespace of its own. When it dies, for whatever
// reason, the kernel
//   kills everything in there, and nothing can leave. It dies when the outer guard dies
//   (parent-death signal, link) and when Punie dies (socket, pidfd).
// subreaper: both guards are subreapers, so that what loses its parent becomes the inner guard's
// child, or, when that
//   one was killed, the outer's. Whichever is left when Punie or its twin is gone kills its
//   descendants until it has none.
//
// The inner guard knows when the tree is empty without looking: it is the parent of every orphan,
// so "no child left" (ECHILD) says it. It then exits, and the outer guard reports.

#include "process/guard_protocol.hpp"

#include <sys/types.h>

namespace punie::process::guard {

enum class Level { pid_namespace, subreaper };

/// The command line of `punie-guard run`, checked.
struct Order {
    Level level = Level::subreaper;
    pid_t punie = 0;
    bool events = false;
    const char* folder = "";
    const char* program = "";
    char* const* argv = nullptr;
};

/// What the guards hold; -1 what is not open.
struct Links {
    int socket = socket_fd;  ///< to Punie
    int twin = -1;           ///< to the other guard
    int punie = -1;  ///< pidfd of Punie: a process forked by it may hold its end of the socket open
    int children = -1;  ///< signalfd for SIGCHLD
};

/// The outer guard's life. Returns its exit code.
int run_outer(const Order& order);

/// The inner guard's life, from its first instruction on. Does not return.
[[noreturn]] void run_inner(const Order& order, Links links, pid_t outer);

/// Whether a namespace can be had, by making one. Exit code: 0 yes.
int probe(Level level);

/// Starts the inner guard in its container; 0 in the inner guard itself, -1 with errno.
pid_t fork_contained(Level level);

/// Makes the container complete from inside (user mapping, /proc). 0 or errno.
int complete_container(Level level);

/// In a forked process: becomes the program. Writes {Stage, errno} to `errors` when it cannot.
[[noreturn]] void become_program(const Order& order, int twin, int errors);

/// Kills all descendants of the calling process until it has none; waits for them. `on_end` hears
/// of each child that was reaped. `last` (0: nobody) is the inner guard when the outer one calls:
/// it is left alone until it is the only one. Stopped or killed earlier it could not do the same
/// work, which it must if the caller is killed half way.
void kill_descendants(
    int children, pid_t last, void (*on_end)(void* context, pid_t pid, int status), void* context
);

/// Sends `signal` to each descendant of the calling process.
void signal_descendants(int signal);

/// Ignores what a terminal or a service manager sends to everybody.
void ignore_signals();

/// Makes SIGCHLD readable. The descriptor, -1 on error.
int readable_child_signals();

/// Closes every descriptor from `first` on.
void close_from(int first);

/// The same at the exec.
void close_on_exec_from(int first);

/// In the forked process that becomes the program: ends with its parent where the system offers
/// that.
void die_with_parent(Level level);

/// Sends one report; a peer that is gone is no reason to stop.
void send_report(int descriptor, const Report& report);

Report exit_report(int status);

}  // namespace punie::process::guard
