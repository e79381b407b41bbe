#pragma once
// What decides the time and the memory of a training, as numbers; checked once, then constant.

#include <punie/training_benchmark.hpp>

#include <cstdint>
#include <optional>
#include <string>

#include "backend/model_files.hpp"

namespace punie::training {

enum class FineTune { lora, dora, full };

/// "lora", "dora" or "full", as mlx_lm spells them.
std::string_view name_of(FineTune kind);

struct Settings {
    int batch_size = 4;
    int layers = 16;  ///< layers that are trained, counted from the last; at least 1
    int sequence =
        2048;  ///< longest row in tokens as the trainer cuts it (`--max-seq-length` or less)
    bool grad_checkpoint = false;
    FineTune kind = FineTune::lora;
    int rank = 8;
};

/// Refuses values that mlx_lm cannot train with. Errors: invalid_argument (names the field, what
/// was given and what is allowed).
Result<void> check_options(const TrainingBenchmarkOptions& options);

/// The settings of checked options for a model of `model_layers` layers (nothing: unknown model).
/// `--num-layers -1` and numbers above the model's mean all of them: mlx_lm would refuse the
/// latter.
Settings settings_of(const TrainingBenchmarkOptions& options, std::optional<int> model_layers);

/// Length of the sequences that go through the model when the longest row of a batch has `longest`
/// tokens: mlx_lm pads to one more than a multiple of 32, cuts at `limit`, and the last token is a
/// target only (tuner/trainer.py).
std::int64_t padded_length(std::int64_t longest, std::int64_t limit);

}  // namespace punie::training
