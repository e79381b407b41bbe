#pragma once
// Whether a training fits into the machine, judged before it starts. Pure.

#include <punie/error.hpp>

#include <cstdint>

#include "process/system.hpp"
#include "training/memory_estimate.hpp"
#include "training/settings.hpp"

namespace punie::training {

/// The estimate was within -22 and +17 % of the measured peak on all shapes tried
/// (docs/memory-model.md).
inline constexpr double estimate_margin = 1.2;

/// Bytes that a training may use: what is available without swapping; where a GPU's recommended
/// working set is known (macOS, `recommended_working_set` above 0), the smaller of the two.
std::uint64_t memory_limit(
    const process::MachineMemory& memory, std::uint64_t recommended_working_set
);

/// Refuses when the estimate with its margin is above the limit. Errors: out_of_memory with all
/// numbers; the hint names what to change and how to start all the same.
Result<void> check_memory(
    const MemoryEstimate& estimate, const Settings& settings, std::uint64_t limit
);

}  // namespace punie::training
