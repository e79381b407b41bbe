#pragma once
// Reading /proc. Used by the files that end in _linux only.

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "process/system.hpp"

namespace punie::process {

/// From /proc/PID/stat.
struct ProcessStat {
    pid_t pid = 0;
    pid_t parent = 0;
    char state = '?';
    std::uint64_t cpu_ticks = 0;  ///< its own and that of the children that it waited for
};

std::optional<ProcessStat> read_stat(pid_t pid);

/// All processes that there are.
std::vector<ProcessStat> all_processes();

/// A small file's text, "" if it cannot be read (the process may have ended just now).
std::string slurp(const std::filesystem::path& file);

/// The number after `key` in lines like "VmRSS:   123 kB".
std::optional<std::uint64_t> number_after(const std::string& text, std::string_view key);

/// Inodes of the sockets that listen on `port`, from tables as in /proc/net/tcp.
std::vector<std::uint64_t> listening_inodes(const std::string& table, std::uint16_t port);

/// machine_memory() as the files below `root` tell it (tests bring their own).
MachineMemory machine_memory_under(const std::filesystem::path& root);

/// Inodes of the sockets that listen on `port`, by netlink; nothing where the kernel does not offer
/// that.
std::optional<std::vector<std::uint64_t>> diagnosed_listeners(std::uint16_t port);

}  // namespace punie::process
