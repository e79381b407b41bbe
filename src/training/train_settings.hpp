#pragma once
// The options of a training by mlx_lm's own names, checked strictly: mlx_lm ignores keys that it
// does not know. Pure.

#include <punie/error.hpp>
#include <punie/training_benchmark.hpp>

#include <string>
#include <vector>

#include "base/json.hpp"

namespace punie::training {

/// Known keys, for messages: "iters", "batch_size", ...
std::vector<std::string> train_setting_names();

/// The settings with everything filled in that decides the result: mlx_lm's defaults, but for
/// save_every (a quarter of the iterations, at most 100) and steps_per_eval (a tenth, at least 10,
/// at most 200), so that a short training has checkpoints and a best one, too. Errors:
/// invalid_argument, all faults in one message: unknown keys with the nearest known, wrong types,
/// values out of range.
Result<json::object> complete_train_settings(const json::object& given);

/// What decides time and memory of it, for the estimate.
TrainingBenchmarkOptions as_benchmark_options(const json::object& complete);

}  // namespace punie::training
