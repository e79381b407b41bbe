#pragma once
// Training an adapter with mlx_lm, merging it into its model, making a model smaller. The whole
// story is docs/training.md.
//
//   punie::TrainingOptions options{.model = "models/tiny", .data = "data", .adapter =
//   "adapters/a"}; options.settings = "iters: 300\nmask_prompt: true\n"; const auto result =
//   punie::train_model(options); if (result && result->complete()) ...

#include <punie/error.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace punie {

/// One report of the trainer: a training loss or a validation loss, and what came with it.
struct TrainReport {
    int iteration = 0;                   ///< iterations that are done
    std::optional<double> train_loss{};  ///< mean over the iterations since the last report
    std::optional<double> valid_loss{};  ///< of the adapter after `iteration`
    bool best = false;                   ///< lowest validation loss so far
    bool not_a_number = false;           ///< the loss that this reports is no number
    bool is_validation = false;          ///< of valid_loss; else of train_loss
    double seconds_per_iter = 0;         ///< of the whole pass for a validation
    double learning_rate = 0;
    double tokens_per_second = 0;
    double trained_tokens = 0;
    double peak_memory_gb = 0;  ///< 1e9 bytes, by MLX
};

/// What the trainer does with the rows without a word.
struct TrainDataFacts {
    std::string split = "train";
    std::int64_t rows = 0;
    std::int64_t rows_left_over = 0;  ///< never in a batch
    std::int64_t rows_cut = 0;        ///< longer than max_seq_length: their end is lost
    std::int64_t rows_untrained = 0;  ///< the mask leaves nothing of them
    std::int64_t trained_tokens = 0;  ///< in one epoch
    double padding_share = 0;         ///< of all tokens that are computed
    std::int64_t longest = 0;         ///< tokens of the longest row
    std::int64_t looked_at = 0;       ///< rows whose lengths were counted
    std::int64_t steps_dropped = 0;   ///< last iterations whose gradients are never applied
};

/// How a training ended before its last iteration.
struct TrainStop {
    std::string reason;  ///< early_stop, not_a_number, diverged, interrupted
    int iteration = 0;   ///< the last good one
    std::string message;
    std::vector<int> rows;  ///< of not_a_number: lines of train.jsonl, from 1
};

/// For a line of progress. Comes with every event and once a second.
struct TrainProgress {
    std::string phase;
    int iteration = 0;
    int iterations = 0;
    double elapsed_seconds = 0;
    std::optional<TrainReport> last;  ///< of the training loss
    std::optional<double> valid_loss;
    std::optional<double> seconds_left;
};

/// Called in the calling thread; must not block.
struct TrainCalls {
    std::function<void()> on_start{};  ///< all checks are passed, the trainer is started next
    std::function<void(const TrainProgress&)> on_progress{};
    std::function<void(const TrainReport&)> on_report{};    ///< each as it comes
    std::function<void(const TrainDataFacts&)> on_facts{};  ///< of train.jsonl, before the start
    std::function<void(int iteration)> on_checkpoint{};
    std::function<void(const std::string&)> on_note{};
};

struct TrainingOptions {
    std::string model;                ///< folder or hub name
    std::filesystem::path data{};     ///< folder with train.jsonl and valid.jsonl
    std::filesystem::path adapter{};  ///< folder that it makes
    /// Options of `mlx_lm lora` in its own form, YAML or JSON; `keep: best|last` (best) and
    /// `early_stop: N` (0: never) are Punie's. The paths above do not belong here.
    std::string settings{};
    bool resume = false;     ///< go on from the newest checkpoint in the folder
    bool overwrite = false;  ///< an adapter that is there is removed
    bool check_data = true;  ///< looks for what would spoil the training in the rows first
    bool force = false;      ///< although memory, disk or the check of the data say no
    std::string mlx_lm{};    ///< as ServerProcessOptions::mlx_lm
};

struct TrainingResult {
    std::vector<TrainReport> reports;  ///< all, those before a resumption too
    int iterations = 0;                ///< done in all
    int resumed_from = 0;              ///< iteration of the checkpoint; 0: from the start
    std::optional<double> final_train_loss;
    std::optional<double> final_valid_loss;
    std::optional<double> best_valid_loss;
    std::optional<int> best_iteration;
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
    std::string model_fingerprint;  ///< of configuration, tokenizer and samples of the weights
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
/// are results with `stop`; the last finite adapter is kept. `stop` (the token) asks for a clean
/// end: a checkpoint of the iteration that runs. Errors: invalid_argument (settings, data with
/// errors, a resumption of another training: names what changed), state (an adapter is there
/// already; a folder that Punie cannot resume), not_found, model_invalid, out_of_memory (before the
/// start, or killed for it), program_missing, unsupported (this mlx_lm cannot be resumed), exited,
/// disk_full, timeout (nothing happens any more); cancelled (a checkpoint was written; `resume`
/// goes on). Blocks. Nothing runs any more when it returns.
Result<TrainingResult> train_model(
    const TrainingOptions& options, const TrainCalls& calls = {}, std::stop_token stop = {}
);

struct MakeCalls {
    std::function<void(const std::string& phase, double seconds)> on_progress{};  ///< once a second
};

struct FuseOptions {
    std::string model;              ///< folder or hub name
    std::filesystem::path adapter;  ///< folder
    std::filesystem::path out;      ///< folder that it makes
    bool dequantise = false;        ///< of a quantised base: the fused model has full width
    bool overwrite = false;
    bool force = false;  ///< although the disk seems too small
    bool check = true;   ///< replays prompts through adapter and fused model
    std::string mlx_lm;
};

struct QuantiseOptions {
    std::string model;
    std::filesystem::path out;
    int bits = 4;         ///< 4, 5, 6 or 8
    int group_size = 64;  ///< weights that share a scale; must divide the width of every layer
    bool overwrite = false;
    bool force = false;
    std::string mlx_lm;
};

/// How far apart the next-token distributions of two models are over all places of a few prompts:
/// root of the mean squared difference of log-probabilities, weighted by probability (nats), so
/// that tokens which neither model would choose do not count.
struct FuseCheck {
    int prompts = 0;
    int agree = 0;  ///< prompts after which the likeliest token is the same
    double adapter_to_fused = 0;
    double adapter_to_base = 0;
    double fused_to_base = 0;
    double largest = 0;  ///< difference of a probability between adapter and fused
};

struct MadeModel {
    std::filesystem::path folder;
    std::uint64_t bytes_before = 0;  ///< of the weights
    std::uint64_t bytes = 0;
    double bits_per_weight = 0;  ///< of quantise: as mlx_lm says; 0: not said
    double seconds = 0;
    std::optional<FuseCheck> check;
    std::vector<std::string> notes;
    std::string mlx_lm_version;
};

/// Merges an adapter into its model. Written beside `out` and renamed into place: a half-made model
/// is never taken for a whole one. With `overwrite` the model that was there is kept until then.
/// Errors: invalid_argument (out is there already), not_found, model_invalid, adapter_mismatch,
/// disk_full (before the start, with the numbers), state (the fused model has lost the adapter, or
/// answers otherwise than the adapter), program_missing, exited, cancelled.
Result<MadeModel> fuse_model(
    const FuseOptions& options, const MakeCalls& calls = {}, std::stop_token stop = {}
);

/// Fewer bits a weight. Errors: as fuse_model; invalid_argument also for widths that mlx_lm does
/// not have and a group size that does not divide a layer while another would divide all (names
/// both). mlx_lm leaves such a layer as it is without a word; where no size divides all it is in
/// the notes.
Result<MadeModel> quantise_model(
    const QuantiseOptions& options, const MakeCalls& calls = {}, std::stop_token stop = {}
);

}  // namespace punie
