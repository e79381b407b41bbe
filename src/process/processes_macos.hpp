#pragma once
// What libproc and sysctl know of processes. Used by the files that end in _macos only.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace punie::process {

struct ProcessInfo {
    pid_t pid = 0;
    pid_t parent = 0;
    bool zombie = false;
};

std::optional<ProcessInfo> process_info(pid_t pid);

/// All processes that may be seen.
std::vector<ProcessInfo> all_processes();

/// KERN_PROCARGS2: the arguments joined by spaces, and the environment block. Empty for other
/// users' processes; the system hides the environment of its own protected programs.
struct ProcessArguments {
    std::string command_line;
    std::string environment;
};

ProcessArguments process_arguments(pid_t pid);

}  // namespace punie::process
