// The stages that make variants: feasibility, train, fuse, quantise.

#include <fmt/format.h>
#include <punie/training_benchmark.hpp>

#include "base/text.hpp"
#include "pipeline/attempt.hpp"
#include "pipeline/run.hpp"
#include "pipeline/runner.hpp"
#include "training/make_model.hpp"
#include "training/train.hpp"
#include "training/train_settings.hpp"

namespace punie::pipeline {

namespace {

std::string duration(double seconds) {
    return human_duration(std::chrono::duration<double>(seconds));
}

std::string progress_line(const training::TrainProgress& progress) {
    if (!progress.last) return progress.phase;
    auto line = fmt::format(
        "{}/{}  loss {:.3f}",
        progress.iteration,
        progress.iterations,
        progress.last->train_loss.value_or(0)
    );
    if (progress.valid_loss) line += fmt::format("  validation {:.3f}", *progress.valid_loss);
    if (progress.last->tokens_per_second > 0)
        line += fmt::format("  {:.0f} tokens/s", progress.last->tokens_per_second);
    if (progress.last->peak_memory_gb > 0)
        line += fmt::format("  {:.2f} GB", progress.last->peak_memory_gb);
    if (progress.seconds_left) line += fmt::format("  {} left", duration(*progress.seconds_left));
    return line;
}

/// What mlx_lm is given for the variant, without what only Punie knows.
struct TrainSettings {
    json::object mlx_lm;
    bool keep_best = true;
    int early_stop = 0;
};

Result<TrainSettings> settings_of(const Variant& variant) {
    TrainSettings settings{.mlx_lm = variant.settings};
    if (const auto* keep = settings.mlx_lm.if_contains("keep")) {
        if (*keep != "best" && *keep != "last")
            return fail(ErrorCode::invalid_argument, "keep: expected best or last");
        settings.keep_best = *keep == "best";
        settings.mlx_lm.erase("keep");
    }
    if (const auto* patience = settings.mlx_lm.if_contains("early_stop")) {
        const auto number = patience->is_int64() ? patience->as_int64() : -1;
        if (number < 0 || number > 1'000'000)
            return fail(ErrorCode::invalid_argument, "early_stop: expected a whole number from 0");
        settings.early_stop = static_cast<int>(number);
        settings.mlx_lm.erase("early_stop");
    }
    return settings;
}

training::TrainOptions train_options(
    const Work& work, const StageStatus& status, TrainSettings settings
) {
    const auto& variant = *work.experiment.find(status.stage.variant);
    return {
        .model = variant.model.empty() ? work.experiment.model : variant.model,
        .data = work.experiment.data,
        .adapter = status.output,
        .settings = std::move(settings.mlx_lm),
        .keep_best = settings.keep_best,
        .early_stop = settings.early_stop,
        .resume = true,
        .force = work.options.force,
        .mlx_lm = work.mlx_lm()
    };
}

Error not_trained(const training::TrainResult& result) {
    std::string rows;
    for (const int row : result.stop->rows)
        rows += fmt::format("{}{}", rows.empty() ? "" : ", ", row);
    return {
        ErrorCode::state,
        fmt::format(
            "the training ended at iteration {}: {}{}",
            result.stop->iteration,
            result.stop->message,
            rows.empty() ? "" : fmt::format(" (lines {} of train.jsonl)", rows)
        )
    };
}

training::MakeCalls make_calls(const Work& work, const Stage& stage) {
    return {.on_progress = [&work, &stage](const std::string& phase, double seconds) {
        work.say(stage, "progress", fmt::format("{}, {}", phase, duration(seconds)));
    }};
}

/// Records what was made, or why it was not.
template <typename Made>
Result<void> record(const Work& work, const Stage& stage, journal::Run run, Result<Made> made) {
    if (!made) return std::unexpected(work.failed(std::move(run), std::move(made).error()));
    auto text = human_bytes(made->bytes);
    if (made->bits_per_weight > 0)
        text += fmt::format(", {:.2f} bits per weight", made->bits_per_weight);
    if (made->check)
        text += fmt::format(", within {:.3f} of base and adapter", made->check->adapter_to_fused);
    work.say(stage, "note", text);
    return work.finish(std::move(run), training::to_json(*made));
}

}  // namespace

Result<void> run_feasibility(Work& work, const StageStatus& status) {
    const auto& settings = work.experiment.feasibility;
    TrainingBenchmarkOptions options;
    for (const auto& variant : work.experiment.variants) {
        if (variant.kind != VariantKind::train) continue;
        auto chosen = settings_of(variant);
        if (!chosen) return std::unexpected(std::move(chosen).error());
        auto complete = training::complete_train_settings(chosen->mlx_lm);
        if (!complete) return std::unexpected(std::move(complete).error().in(variant.name));
        options = training::as_benchmark_options(*complete);
        break;
    }
    options.plan_iterations = options.iterations;
    options.iterations = settings.iterations;
    options.model_path = work.experiment.model;
    options.data = work.experiment.data;
    options.force = work.options.force;
    options.mlx_lm = work.mlx_lm();
    auto run = work.begin(status, {{"iterations", settings.iterations}});
    if (!run) return std::unexpected(std::move(run).error());
    auto result = run_training_benchmark(
        options,
        [&](const BenchmarkProgress& progress) {
            work.say(
                status.stage,
                "progress",
                fmt::format("{} {}/{}", progress.phase, progress.iteration, progress.iterations)
            );
        },
        work.stop
    );
    if (!result) return std::unexpected(work.failed(*run, std::move(result).error()));
    work.say(
        status.stage,
        "note",
        fmt::format(
            "{}: {} an iteration, {:.2f} GB{}",
            name_of(result->verdict),
            duration(result->seconds_per_iter),
            result->peak_memory_gb,
            result->seconds_for_plan ? fmt::format(
                                           ", {} iterations about {}",
                                           *options.plan_iterations,
                                           duration(*result->seconds_for_plan)
                                       )
                                     : ""
        )
    );
    static const std::vector<std::pair<std::string, Verdict>> limits = {
        {"excellent", Verdict::excellent},
        {"acceptable", Verdict::acceptable},
        {"slow", Verdict::slow}
    };
    for (const auto& [name, verdict] : limits) {
        if (settings.require != name || result->verdict <= verdict) continue;
        return std::unexpected(work.failed(
            *run,
            Error(
                ErrorCode::state,
                fmt::format("{} was required, {} was measured", name, name_of(result->verdict))
            )
                .with_hint("punie bench train says what would make it faster")
        ));
    }
    return work.finish(
        *std::move(run),
        {{"seconds_per_iter", result->seconds_per_iter},
         {"peak_memory_gb", result->peak_memory_gb},
         {"verdict", name_of(result->verdict)}}
    );
}

Result<void> run_train(Work& work, const StageStatus& status) {
    auto settings = settings_of(*work.experiment.find(status.stage.variant));
    if (!settings) return std::unexpected(std::move(settings).error());
    const auto options = train_options(work, status, *std::move(settings));
    auto run = work.begin(status, {{"settings", options.settings}, {"model", options.model}});
    if (!run) return std::unexpected(std::move(run).error());
    const auto began = std::chrono::steady_clock::now();
    std::optional<Error> journal_error;
    const training::TrainCalls calls{
        .on_progress = [&](const training::TrainProgress& progress
                       ) { work.say(status.stage, "progress", progress_line(progress)); },
        .on_report =
            [&](const training::TrainReport& report) {
                auto added = work.journal.add_point(run->id, point_of(report, began));
                if (!added && !journal_error) journal_error = std::move(added).error();
            },
        .on_facts =
            [&](const training::TrainDataFacts& facts) {
                if (facts.rows_left_over + facts.rows_cut + facts.rows_untrained == 0) return;
                work.say(
                    status.stage,
                    "note",
                    fmt::format(
                        "of {} rows {} are left over after the last full batch, {} are cut, {} "
                        "have nothing to train on",
                        facts.rows,
                        facts.rows_left_over,
                        facts.rows_cut,
                        facts.rows_untrained
                    )
                );
            },
        .on_note = [&](const std::string& note) { work.say(status.stage, "note", note); }
    };
    auto result = training::train_model(options, calls, work.stop);
    if (!result) return std::unexpected(work.failed(*run, std::move(result).error()));
    if (journal_error) return std::unexpected(work.failed(*run, std::move(*journal_error)));
    if (auto added = add_missing_points(work.journal, run->id, result->reports); !added)
        return std::unexpected(work.failed(*run, std::move(added).error()));
    if (!result->complete()) return std::unexpected(work.failed(*run, not_trained(*result)));
    return work.finish(*std::move(run), training::to_json(*result));
}

Result<void> run_fuse(Work& work, const StageStatus& status) {
    const auto& variant = *work.experiment.find(status.stage.variant);
    const auto source = files_of(work.experiment, *work.experiment.find(variant.from), work.stages);
    const training::FuseOptions options{
        .model = source.model,
        .adapter = source.adapter,
        .out = status.output,
        .dequantise = bool_member(variant.settings, "dequantise").value_or(false),
        .overwrite = true,
        .mlx_lm = work.mlx_lm()
    };
    auto run = work.begin(status, {{"model", options.model}, {"from", variant.from}});
    if (!run) return std::unexpected(std::move(run).error());
    auto made = training::fuse_model(options, make_calls(work, status.stage), work.stop);
    return record(work, status.stage, *std::move(run), std::move(made));
}

Result<void> run_quantise(Work& work, const StageStatus& status) {
    const auto& variant = *work.experiment.find(status.stage.variant);
    const auto source = files_of(work.experiment, *work.experiment.find(variant.from), work.stages);
    const training::QuantiseOptions options{
        .model = source.model,
        .out = status.output,
        .bits = static_cast<int>(integer_member(variant.settings, "bits").value_or(4)),
        .group_size = static_cast<int>(integer_member(variant.settings, "group_size").value_or(64)),
        .overwrite = true,
        .mlx_lm = work.mlx_lm()
    };
    auto run = work.begin(
        status,
        {{"model", options.model}, {"bits", options.bits}, {"group_size", options.group_size}}
    );
    if (!run) return std::unexpected(std::move(run).error());
    auto made = training::quantise_model(options, make_calls(work, status.stage), work.stop);
    return record(work, status.stage, *std::move(run), std::move(made));
}

}  // namespace punie::pipeline
