#pragma once
// The steps of a training benchmark around the run itself.

#include <punie/training_benchmark.hpp>

#include <functional>
#include <optional>

#include "backend/mlx_installation.hpp"
#include "backend/model_files.hpp"
#include "base/awaitable.hpp"
#include "base/files.hpp"
#include "training/memory_estimate.hpp"
#include "training/settings.hpp"
#include "training/trainer_run.hpp"

namespace punie::training {

/// All that is known before the start.
struct Preparation {
    TrainingBenchmarkOptions options;
    backend::MlxInstallation mlx;
    std::optional<backend::ModelInfo> model;  ///< nothing: not on this machine yet
    Settings settings;
    std::optional<MemoryEstimate> estimate;
    int validation_batches = 0;  ///< that mlx_lm's default would take of the data; 0: no validation
    std::vector<std::string> notes;
};

/// Looks at model and data (no child, nothing is written). Errors: invalid_argument, not_found,
/// model_invalid.
Result<Preparation> prepare(TrainingBenchmarkOptions options, backend::MlxInstallation mlx);

/// Puts `train.jsonl` and, if wanted, `valid.jsonl` into `folder`: links to the data given, or a
/// dummy set long enough for the batch and the sequence length. Errors: io, disk_full.
Result<void> place_data(const Preparation& preparation, const std::filesystem::path& folder);

/// The result of what was prepared and measured. Pure.
BenchmarkResult finish(const Preparation& preparation, const TrainerOutcome& outcome);

/// The whole benchmark. Errors: as punie::run_training_benchmark. Cancellable (terminal).
Task<Result<BenchmarkResult>> benchmark(
    TrainingBenchmarkOptions options, std::function<void(const BenchmarkProgress&)> on_progress
);

}  // namespace punie::training
