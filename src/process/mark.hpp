#pragma once
// Each tree carries a mark in its environment. It is the last resort for finding what lost its
// parents; a program that clears its environment drops it, so no promise rests on the mark alone.

#include <sys/types.h>

#include <string>
#include <string_view>

namespace punie::process {

inline constexpr std::string_view mark_name = "PUNIE_TREE";

/// A value that no other tree of this machine has.
std::string fresh_mark();

/// Whether the environment block of a process ("A=1\0B=2\0") holds the mark.
bool carries_mark(std::string_view environment, std::string_view mark);

/// Sends SIGKILL to every living process that carries the mark; how many there were.
std::size_t kill_marked(const std::string& mark);

}  // namespace punie::process
