#pragma once
// What this process itself uses, for the process_... metrics: one implementation file a platform.

#include <cstdint>

namespace punie::gateway {

struct SelfUsage {
    double cpu_seconds = 0;           ///< user and system, since the start
    std::uint64_t resident = 0;       ///< bytes
    std::uint64_t virtual_bytes = 0;  ///< bytes of address space
    std::uint64_t open_files = 0;
    std::uint64_t most_files = 0;  ///< soft limit
    double start_time = 0;         ///< seconds since 1970; 0 unknown
};

/// About 20 µs and a descriptor for a moment.
SelfUsage self_usage();

}  // namespace punie::gateway
