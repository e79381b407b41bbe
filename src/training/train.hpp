#pragma once
// A LoRA training with mlx_lm: checked before, told while it runs, resumable, its best kept.

#include <punie/error.hpp>

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

struct TrainProgress {
    std::string phase;
    int iteration = 0;
    int iterations = 0;
    double elapsed_seconds = 0;
    std::optional<TrainReport> last;
    std::optional<double> valid_loss;
    std::optional<double> seconds_left;
};

struct TrainCalls {
    std::function<void()> on_start{};  ///< all checks are passed, the trainer is started next
    std::function<void(const TrainProgress&)> on_progress{};
    std::function<void(const TrainReport&)> on_report{};    ///< each as it comes
    std::function<void(const TrainDataFacts&)> on_facts{};  ///< of train.jsonl, before the start
    std::function<void(int iteration)> on_checkpoint{};
    std::function<void(const std::string&)> on_note{};
};

struct TrainResult {
    std::vector<TrainReport> reports;  ///< all, those before a resumption too
    int iterations = 0;                ///< done in all
    int resumed_from = 0;              ///< iteration of the checkpoint; 0: from the start
    std::optional<double> final_train_loss;
    std::optional<double> best_valid_loss;
    std::optional<int> best_iteration;
    std::optional<double> final_valid_loss;
    int kept_iteration = 0;  ///< what adapters.safetensors holds; 0: there is none
    bool kept_best = false;  ///< the best by validation loss, else the last
    double trained_tokens = 0;
    double peak_memory_gb = 0;     ///< MLX's
    double tree_peak_gb = 0;       ///< resident, of the trainer and its children
    double estimated_peak_gb = 0;  ///< 0: unknown
    double seconds = 0;
    std::optional<TrainStop> stop;              ///< why before its last iteration
    std::optional<TrainDataFacts> facts;        ///< of train.jsonl
    std::optional<TrainDataFacts> valid_facts;  ///< of valid.jsonl
    std::vector<std::string> notes;
    json::object settings;          ///< all that decide the result, mlx_lm's names
    std::string model_fingerprint;  ///< see train_checks.hpp
    std::string data_hash;          ///< SHA-256 over train.jsonl and valid.jsonl
    std::string adapter_hash;       ///< SHA-256 of adapters.safetensors; "" none
    std::vector<std::string> command;
    std::string mlx_lm_version;
    std::string mlx_version;
    std::filesystem::path adapter;

    /// It ended as it should: all iterations, or an early stop.
    bool complete() const { return !stop || stop->reason == "early_stop"; }
};

/// Trains. The folder then has what mlx_lm loads (adapters.safetensors, adapter_config.json), the
/// checkpoints and punie.json (options, hashes, losses). A loss that is no number and a divergence
/// are results with `stop`; the last finite adapter is kept. Errors: invalid_argument (settings,
/// data with errors, a resumption of another training: names what changed), state (an adapter is
/// there already; a folder that Punie cannot resume), not_found, model_invalid, out_of_memory
/// (before the start, or killed for it), program_missing, unsupported (this mlx_lm cannot be
/// resumed), exited, disk_full, timeout (nothing happens any more); cancelled (a checkpoint was
/// written; `resume` goes on).
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
