#include "training/train_command.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace punie::training {

namespace {

constexpr int mlx_lm_rank = 8;  // its default, and those of the two below
constexpr double mlx_lm_scale = 20.0;
constexpr std::string_view mlx_lm_dropout = "0.0";

struct Flag {
    std::string name;
    std::string value;  ///< empty: a switch
};

/// Validation at the first and the last iteration only, one batch each; one adapter file, at the
/// end: what is timed apart is timed once or twice, whatever the number of iterations.
std::vector<Flag> flags_for(
    const TrainingBenchmarkOptions& options, const Settings& settings, const TrainPlaces& places
) {
    const auto number = [](auto value) { return fmt::format("{}", value); };
    const auto never = number(static_cast<long long>(options.iterations) + 1'000'000);
    std::vector<Flag> flags = {
        {"--model", options.model_path},
        {"--train", ""},
        {"--data", places.data.native()},
        {"--fine-tune-type", options.fine_tune_type},
        {"--num-layers", number(options.num_layers < 1 ? -1 : settings.layers)},
        {"--batch-size", number(options.batch_size)},
        {"--iters", number(options.iterations)},
        {"--learning-rate", number(options.learning_rate)},
        {"--max-seq-length", number(options.max_seq_length)},
        {"--steps-per-report", "1"},
        {"--steps-per-eval", never},
        {"--val-batches", "1"},
        {"--save-every", never},
        {"--adapter-path", places.adapter.native()},
    };
    if (options.grad_checkpoint) flags.push_back({"--grad-checkpoint", ""});
    if (options.mask_prompt) flags.push_back({"--mask-prompt", ""});
    return flags;
}

std::vector<std::string> program(const backend::MlxInstallation& mlx, const TrainPlaces& places) {
    if (!places.launcher.empty()) return {mlx.python.native(), places.launcher.native()};
    return {mlx.python.native(), "-m", "mlx_lm", "lora"};
}

}  // namespace

Result<TrainCommand> build_train_command(
    const TrainingBenchmarkOptions& options,
    const Settings& settings,
    const backend::MlxInstallation& mlx,
    const TrainPlaces& places
) {
    TrainCommand command;
    command.argv = program(mlx, places);
    auto flags = flags_for(options, settings, places);
    // The rank is the one setting without a flag. YAML reads JSON.
    if (options.lora_rank != mlx_lm_rank && settings.kind != FineTune::full) {
        command.config_text = fmt::format(
            "{{\"lora_parameters\": {{\"rank\": {}, \"dropout\": {}, \"scale\": {:.1f}}}}}\n",
            options.lora_rank,
            mlx_lm_dropout,
            mlx_lm_scale
        );
        flags.push_back({"--config", places.config.native()});
    }
    for (auto& [name, value] : flags) {
        if (!mlx.lora_flags.empty() && !mlx.lora_flags.contains(name)) {
            return fail(
                ErrorCode::unsupported,
                fmt::format("mlx_lm {} has no option {} for training", mlx.mlx_lm_version, name),
                "leave the option out, or update mlx_lm: pip install -U mlx-lm"
            );
        }
        command.argv.push_back(std::move(name));
        if (!value.empty()) command.argv.push_back(std::move(value));
    }
    // Lines must arrive when they are printed: the printed text is the fallback for times.
    command.environment["PYTHONUNBUFFERED"] = "1";
    // The longest rows first: two iterations then tell the peak.
    command.environment["PUNIE_LONGEST_FIRST"] = "1";
    return command;
}

}  // namespace punie::training
