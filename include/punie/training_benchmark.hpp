#pragma once
// How fast and how big LoRA training of a model is on this machine, and whether that is feasible.

#include <punie/error.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace punie {

/// Options of `mlx_lm lora` that decide time and memory. Defaults are mlx_lm's but for the
/// iterations.
struct TrainingBenchmarkOptions {
    std::string model_path;
    std::filesystem::path data{
    };  ///< folder with train.jsonl (valid.jsonl); empty: a dummy set is made
    int iterations = 10;
    int batch_size = 4;
    int num_layers = 16;  ///< -1: all
    int max_seq_length = 2048;
    bool grad_checkpoint = false;
    std::string fine_tune_type = "lora";  ///< lora, dora or full
    bool mask_prompt = false;
    double learning_rate = 1e-5;
    int lora_rank = 8;               ///< mlx_lm's default
    bool validation = true;          ///< one validation pass is timed apart
    bool force = false;              ///< start although the memory estimate says that it cannot fit
    bool stop_when_too_slow = true;  ///< stop after two iterations when it is plain
    std::optional<int> plan_iterations{};  ///< projected beside the 100 iterations
    std::string mlx_lm{};                  ///< as ServerProcessOptions::mlx_lm
};

enum class Verdict { excellent, acceptable, slow, too_slow };
/// "excellent", "acceptable", "slow", "too slow".
std::string_view name_of(Verdict verdict);

/// Up to 5 s/iteration excellent, up to 30 acceptable, up to 60 slow, above too slow.
Verdict verdict_for(double seconds_per_iteration);

/// Something to change, with what it would give.
struct Advice {
    std::string change;  ///< "--num-layers 8"
    std::string explanation;
    double estimated_seconds_per_iter = 0;  ///< 0: unknown
    double estimated_peak_gb = 0;           ///< 0: unknown
};

struct IterationReport {
    int iteration = 0;
    double seconds = 0;  ///< wall time of this iteration, validation and checkpoints left out
    double trainer_seconds =
        0;  ///< the same as mlx_lm itself measured it (without making the batch); 0: not said
    double train_loss = 0;
    double tokens_per_second = 0;
    double peak_memory_gb = 0;  ///< MLX's peak so far (1e9 bytes)
};

struct BenchmarkResult {
    std::string model_path;
    double seconds_per_iter =
        0;  ///< median of the steady iterations (the first, compiling one left out)
    double total_seconds = 0;   ///< from the start of the child to its end
    int num_iters = 0;          ///< iterations really done
    double peak_memory_gb = 0;  ///< MLX's own peak, 1e9 bytes; 0 when the trainer does not say

    double load_seconds = 0;  ///< start of the child to the first batch: imports, model, data
    double first_iteration_seconds = 0;  ///< with compilation
    double validation_seconds = 0;
    double checkpoint_seconds = 0;
    double training_seconds = 0;             ///< sum over the steady iterations
    double other_seconds = 0;                ///< total minus all parts
    double spread_low = 0, spread_high = 0;  ///< fastest and slowest steady iteration
    std::optional<double> ci_low{},
        ci_high{};  ///< 95 % interval of the median; nothing under 6 steady iterations
    double tokens_per_second = 0;
    double tree_peak_gb = 0;                    ///< of the whole process tree as the system saw it
    double estimated_peak_gb = 0;               ///< predicted before the start
    std::optional<double> corrected_peak_gb{};  ///< estimate corrected by the first two iterations
    Verdict verdict = Verdict::too_slow;
    bool stopped_early = false;        ///< plainly too slow after two iterations
    double seconds_for_100_iters = 0;  ///< projected, with load, compilation and validation
    std::optional<double> seconds_for_plan{};
    std::vector<Advice> advice;
    std::vector<IterationReport> iterations;
    std::string event_source;  ///< "callback" or "printed text"
    std::vector<std::string>
        notes;  ///< what a reader of the figures should know, e.g. why there is no estimate
    std::string mlx_lm_version;
    std::vector<std::string> command;  ///< what was run
};

/// Progress for a person: phase ("preparing", "loading", "validating", "compiling", "training",
/// "stopping") and iterations done. Comes with every event and at least once a second while the
/// trainer runs.
struct BenchmarkProgress {
    std::string phase;
    int iteration = 0;
    int iterations = 0;
    double elapsed_seconds = 0;
    std::optional<IterationReport> report;
};

/// Runs it. Errors: program_missing, not_found, model_invalid, invalid_argument, out_of_memory
/// (before the start: the numbers and `force`; afterwards: killed for it), exited (with the last
/// log lines), disk_full, timeout (the trainer does nothing any more), protocol (it ended without
/// reporting an iteration), cancelled. Blocks; `on_progress` is called in the calling thread and
/// must not block. Nothing runs any more when it returns.
Result<BenchmarkResult> run_training_benchmark(
    const TrainingBenchmarkOptions& options,
    const std::function<void(const BenchmarkProgress&)>& on_progress = {},
    std::stop_token stop = {}
);

/// The result as JSON text (the schema is docs/bench-train.md).
std::string to_json(const BenchmarkResult& result);

}  // namespace punie
