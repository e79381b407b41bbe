#pragma once
// The command line of one benchmark: `mlx_lm lora` through python/training_callback.py. Pure.

#include <punie/training_benchmark.hpp>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backend/mlx_installation.hpp"
#include "training/settings.hpp"

namespace punie::training {

/// Where things are. The files of `config` and `adapter` are made by the run, in its temporary
/// folder.
struct TrainPlaces {
    std::filesystem::path launcher;  ///< python/training_callback.py; empty: `python -m mlx_lm
                                     ///< lora`, printed text only
    std::filesystem::path
        data;  ///< folder with train.jsonl and, if validation is wanted, valid.jsonl
    std::filesystem::path adapter;  ///< folder for the adapter that is thrown away
    std::filesystem::path config;   ///< file for what has no flag
};

struct TrainCommand {
    std::vector<std::string> argv;
    std::map<std::string, std::string> environment;
    std::optional<std::string>
        config_text;  ///< to be written to TrainPlaces::config before the start
};

/// Options must have passed check_options; `settings.layers` is what is really trained.
/// Errors: unsupported (an option that the installed mlx_lm has no flag for: names flag and
/// version).
Result<TrainCommand> build_train_command(
    const TrainingBenchmarkOptions& options,
    const Settings& settings,
    const backend::MlxInstallation& mlx,
    const TrainPlaces& places
);

}  // namespace punie::training
