#pragma once
// What to change when training is slow, with an estimate of what each change would give. Pure.

#include <punie/training_benchmark.hpp>

#include <vector>

#include "backend/model_files.hpp"
#include "training/settings.hpp"

namespace punie::training {

/// What an iteration costs, in multiply-adds: every layer forward, the trained ones backward (again
/// forward with checkpointing), the vocabulary both ways, the attention maps. Only ratios of it are
/// used.
double work_of_iteration(const backend::ModelInfo& model, const Settings& settings);

/// What was measured; the estimates start from it.
struct Measured {
    double seconds_per_iter = 0;
    double peak_gb = 0;  ///< 0: unknown
};

/// Changes for the verdicts slow and too slow, the one that helps most first; nothing for the
/// others. Each changes one setting. Without a model (nothing could be read of it) the estimates
/// are 0, unknown.
std::vector<Advice> advise(
    const backend::ModelInfo* model, const Settings& settings, const Measured& measured
);

}  // namespace punie::training
