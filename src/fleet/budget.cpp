// How much memory the models may have.
#include <algorithm>

#include "fleet/gateway_config.hpp"
#include "process/system.hpp"

namespace punie::fleet {

std::uint64_t memory_budget_of(const GatewayConfig& config) {
    if (config.memory) return *config.memory;
    const auto machine = process::machine_memory();
    if (machine.working_set < machine.total) return machine.working_set;  // the system's own word
    constexpr std::uint64_t most_kept = 2'000'000'000;
    return machine.total - std::min(machine.total / 5, most_kept);
}

}  // namespace punie::fleet
