#pragma once
// What the operating system knows about processes, ports and memory: one implementation file a
// platform. All functions are snapshots, safe from any thread, and cheap enough for a poll every 15
// ms where said.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace punie::process {

/// A process that has an open listening TCP socket on a port.
struct PortHolder {
    pid_t pid =
        0;  ///< 0 when the socket exists but its owner may not be seen (another user's process)
    std::string program;  ///< its command line, shortened to 120 characters; empty if unknown
};

/// All descendants of `root` (children, their children, ...), without `root`. Empty when there are
/// none.
std::vector<pid_t> descendants(pid_t root);

/// Whether anything listens on `port` at `host`'s address or a wildcard. Reads the socket table
/// only (about 0.1 ms).
bool port_listens(std::uint16_t port);

/// Who listens on `port`; nothing if nobody does.
std::optional<PortHolder> port_holder(std::uint16_t port);

/// Whether the socket that listens on `port` belongs to `root` or one of its descendants.
bool tree_listens(pid_t root, std::uint16_t port);

/// A free TCP port of `host` ("127.0.0.1", "::1", "0.0.0.0" ...), chosen by the kernel. 0 if there
/// is none.
std::uint16_t free_port(const std::string& host);

/// Whether `port` of `host` can be bound now (errno of the failing bind, 0 if it can).
int bind_error(const std::string& host, std::uint16_t port);

/// Memory and processor time of a tree of processes, `root` included. Bytes and seconds.
struct TreeUsage {
    std::uint64_t resident =
        0;  ///< sum of resident sizes; shared pages count in each process (an upper bound)
    std::uint64_t anonymous = 0;  ///< RssAnon + VmSwap: what the tree keeps from others; 0 where
                                  ///< unknown (macOS: footprint)
    std::chrono::duration<double> cpu{0};
    unsigned processes = 0;
};

TreeUsage tree_usage(pid_t root);

/// The machine's memory in bytes, container limits taken into account.
struct MachineMemory {
    std::uint64_t total = 0;
    std::uint64_t available = 0;  ///< what can be used without swapping
    std::uint64_t working_set =
        0;  ///< what a GPU framework may use: macOS the recommended working set, else total
    bool limited_by_container = false;
};

MachineMemory machine_memory();

/// Bytes free on the file system of `path`; nothing if it cannot be told.
std::optional<std::uint64_t> disk_free(const std::string& path);

/// "Debian GNU/Linux 12 (bookworm), Linux 6.1, x86_64" or "macOS 15.1, arm64".
std::string platform_name();

/// Processor name and number of usable cores, as a person would say it.
std::string processor_name();
unsigned processor_count();

/// Whether a process with this pid exists (a zombie does not count).
bool process_alive(pid_t pid);

/// The path of the running executable.
std::string executable_path();

}  // namespace punie::process
