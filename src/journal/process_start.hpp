#pragma once
// When a process began, to tell it from a later one with the same pid.

#include <cstdint>

namespace punie::journal {

/// A number that stays the same for a process's life and differs for another of the same pid
/// (Linux: clock ticks since boot, /proc/PID/stat; macOS: microseconds since 1970, sysctl
/// KERN_PROC_PID). 0 when there is no such process, or only its unreaped rest (a zombie).
std::int64_t process_start(std::int64_t pid);

}  // namespace punie::journal
