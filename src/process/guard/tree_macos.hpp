#pragma once
// The members of a tree where the system does not keep them together: found by parentage (followed
// at each fork), by the program's process group and by the mark in the environment, and remembered
// when their parents are gone.

#include <sys/types.h>

#include <array>
#include <cstdint>

namespace punie::process::guard {

struct Member {
    pid_t pid = 0;
    std::uint64_t started = 0;  ///< microseconds: tells a process from a later one with its number
};

struct Tree {
    pid_t program = 0;
    pid_t not_a_member =
        0;  ///< the other guard, as long as it is to live; it carries the mark, too
    std::array<Member, 4096> members{};
    std::size_t size = 0;
};

/// Finds new members, forgets the dead.
void refresh(Tree& tree);

/// Sends a signal to all that are known.
void signal_members(const Tree& tree, int signal);

/// SIGSTOP, then SIGKILL, until there is none.
void kill_members(Tree& tree);

}  // namespace punie::process::guard
