#include "training/feasibility.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.hpp"

namespace punie::training {

namespace {

std::string bytes(double count) {
    return human_bytes(static_cast<std::uint64_t>(std::max(0.0, count)));
}

std::string what_to_change(const MemoryEstimate& estimate, const Settings& settings) {
    if (estimate.weights * estimate_margin > estimate.peak * 0.7)
        return "take a smaller or more quantised model";
    std::vector<std::string> changes;
    if (settings.batch_size > 1) changes.emplace_back("a smaller --batch-size");
    changes.emplace_back("a smaller --max-seq-length");
    if (settings.layers > 4 && estimate.activations > estimate.logits)
        changes.emplace_back("fewer --num-layers");
    if (!settings.grad_checkpoint && estimate.activations > estimate.logits)
        changes.emplace_back("--grad-checkpoint");
    return "take " + join_or(changes);
}

}  // namespace

std::uint64_t memory_limit(
    const process::MachineMemory& memory, std::uint64_t recommended_working_set
) {
    if (recommended_working_set == 0) return memory.available;
    return std::min(memory.available, recommended_working_set);
}

Result<void> check_memory(
    const MemoryEstimate& estimate, const Settings& settings, std::uint64_t limit
) {
    const double needed = estimate.peak * estimate_margin;
    if (needed <= static_cast<double>(limit)) return {};
    return fail(
        ErrorCode::out_of_memory,
        fmt::format(
            "training needs about {} ({} with a margin of 20 %): {} of weights, {} of adapters and "
            "optimiser, {} of "
            "activations, {} for the loss and attention; the machine has {} for it",
            bytes(estimate.peak),
            bytes(needed),
            bytes(estimate.weights),
            bytes(estimate.trainable),
            bytes(estimate.activations),
            bytes(std::max(estimate.logits, estimate.attention)),
            human_bytes(limit)
        ),
        fmt::format("{}, or start it all the same with --force", what_to_change(estimate, settings))
    );
}

}  // namespace punie::training
