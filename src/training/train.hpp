#pragma once
// A LoRA training with mlx_lm: checked before, told while it runs, resumable, its best kept.

#include <punie/training.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "training/training_log.hpp"

namespace punie::training {

struct TrainOptions {
    std::string model;              ///< folder or hub name
    std::filesystem::path data;     ///< folder with train.jsonl, valid.jsonl
    std::filesystem::path adapter;  ///< folder that it makes
    json::object settings;          ///< mlx_lm's own keys; see complete_train_settings
    bool keep_best = true;          ///< adapters.safetensors is the best by validation loss
    int early_stop = 0;             ///< evaluations without a better loss; 0: never
    bool resume = false;      ///< go on from the folder's newest checkpoint; from the start when it
                              ///< was begun there and has none yet
    bool overwrite = false;   ///< an adapter that is there is removed
    bool check_data = false;  ///< looks for what would spoil the training in the rows first
    bool force = false;       ///< although memory, disk or the check of the data say no
    std::string mlx_lm;       ///< as ServerProcessOptions::mlx_lm
};

using punie::TrainCalls;
using punie::TrainProgress;

struct TrainResult : TrainingResult {
    json::object settings;  ///< all that decide the result, mlx_lm's names
};

/// As punie::train_model, with the settings as an object.
Result<TrainResult> train_model(
    const TrainOptions& options, const TrainCalls& calls, std::stop_token stop
);

/// Whether the folder has a checkpoint that `resume` would go on from, and its iteration.
std::optional<int> resumable(const std::filesystem::path& adapter);

/// Results as the journal and --json have them.
json::object to_json(const TrainResult& result);
json::object to_json(const TrainDataFacts& facts);
json::object to_json(const TrainReport& report);

}  // namespace punie::training
