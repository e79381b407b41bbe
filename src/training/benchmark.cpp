#include "training/benchmark.hpp"

#include <fmt/format.h>

#include <exception>
#include <utility>

#include "base/run_here.hpp"
#include "process/system.hpp"
#include "training/advice.hpp"
#include "training/feasibility.hpp"
#include "training/train_command.hpp"
#include "training/verdict.hpp"

namespace punie {

namespace training {

namespace fs = std::filesystem;

namespace {

Result<TrainCommand> command_for(const Preparation& preparation, const fs::path& folder) {
    const auto launcher = backend::python_asset("training_callback.py");
    if (!launcher) return std::unexpected(launcher.error());
    const TrainPlaces places{
        .launcher = *launcher,
        .data = folder / "data",
        .adapter = folder / "adapter",
        .config = folder / "lora.yaml",
    };
    if (auto placed = place_data(preparation, places.data); !placed)
        return std::unexpected(std::move(placed).error());
    auto command =
        build_train_command(preparation.options, preparation.settings, preparation.mlx, places);
    if (!command || !command->config_text) return command;
    if (auto written = write_atomic(places.config, *command->config_text); !written) {
        return std::unexpected(std::move(written).error());
    }
    return command;
}

Result<void> check_fits(const Preparation& preparation) {
    if (!preparation.estimate || preparation.options.force) return {};
    const auto limit =
        memory_limit(process::machine_memory(), preparation.mlx.recommended_working_set);
    return check_memory(*preparation.estimate, preparation.settings, limit);
}

TrainerRun run_of(
    const Preparation& preparation,
    const TrainCommand& command,
    std::function<void(const BenchmarkProgress&)> on_progress
) {
    TrainerRun run;
    run.spawn.argv = command.argv;
    run.spawn.environment = command.environment;
    run.spawn.drop_environment = {"PYTHONSTARTUP", "PYTHONINSPECT"};
    run.model_path = preparation.options.model_path;
    run.iterations = preparation.options.iterations;
    run.validation = preparation.validation_batches > 0;
    run.stop_when_too_slow = preparation.options.stop_when_too_slow;
    run.on_progress = std::move(on_progress);
    return run;
}

void add_notes(
    BenchmarkResult& result, const Preparation& preparation, const TrainerOutcome& outcome
) {
    result.notes = preparation.notes;
    if (result.num_iters == 1) {
        result.notes.emplace_back("one iteration only: seconds_per_iter contains the compilation");
    }
    if (result.num_iters < preparation.options.iterations && !outcome.stopped_early) {
        result.notes.push_back(fmt::format(
            "the trainer reported {} of {} iterations",
            result.num_iters,
            preparation.options.iterations
        ));
    }
    if (outcome.bad_event_lines > 0) {
        result.notes.push_back(
            fmt::format("{} event lines were unreadable", outcome.bad_event_lines)
        );
    }
    if (outcome.measurement.source() == Source::printed_text) {
        result.notes.emplace_back(
            "times come from printed text: where it has none they are as exact as 0.05 s"
        );
    }
}

}  // namespace

BenchmarkResult finish(const Preparation& preparation, const TrainerOutcome& outcome) {
    const auto& options = preparation.options;
    BenchmarkResult result;
    result.model_path = options.model_path;
    result.mlx_lm_version = preparation.mlx.mlx_lm_version;
    outcome.measurement.fill(result, outcome.seconds);
    result.tree_peak_gb = outcome.tree_peak_gb;
    result.stopped_early = outcome.stopped_early;
    if (preparation.estimate) result.estimated_peak_gb = preparation.estimate->peak / 1e9;
    if (preparation.estimate) result.corrected_peak_gb = outcome.measurement.probe_peak_gb();
    result.verdict = verdict_for(result.seconds_per_iter);

    auto pace = outcome.measurement.pace();
    pace.validation_pass *= preparation.validation_batches;  // one batch was timed
    result.seconds_for_100_iters = projected_seconds(pace, 100);
    if (options.plan_iterations)
        result.seconds_for_plan = projected_seconds(pace, *options.plan_iterations);

    const auto* model = preparation.model ? &*preparation.model : nullptr;
    const Measured measured{
        .seconds_per_iter = result.seconds_per_iter, .peak_gb = result.peak_memory_gb
    };
    result.advice = advise(model, preparation.settings, measured);
    add_notes(result, preparation, outcome);
    return result;
}

Task<Result<BenchmarkResult>> benchmark(
    TrainingBenchmarkOptions options, std::function<void(const BenchmarkProgress&)> on_progress
) {
    if (auto checked = check_options(options); !checked)
        co_return std::unexpected(std::move(checked).error());
    if (on_progress)
        on_progress(BenchmarkProgress{.phase = "preparing", .iterations = options.iterations});
    // Model and data first: what is wrong with them needs no mlx_lm to be told.
    auto preparation = prepare(std::move(options), {});
    if (!preparation) co_return std::unexpected(std::move(preparation).error());
    auto mlx = co_await backend::find_mlx(preparation->options.mlx_lm);
    if (!mlx) co_return std::unexpected(std::move(mlx).error());
    preparation->mlx = *std::move(mlx);
    if (auto fits = check_fits(*preparation); !fits)
        co_return std::unexpected(std::move(fits).error());
    const auto folder = TemporaryFolder::make("punie-bench");
    if (!folder) co_return std::unexpected(folder.error());
    const auto command = command_for(*preparation, folder->path());
    if (!command) co_return std::unexpected(command.error());
    const auto outcome =
        co_await run_trainer(run_of(*preparation, *command, std::move(on_progress)));
    if (!outcome) co_return std::unexpected(outcome.error());
    auto result = finish(*preparation, *outcome);
    result.command = command->argv;
    co_return result;
}

}  // namespace training

Result<BenchmarkResult> run_training_benchmark(
    const TrainingBenchmarkOptions& options,
    const std::function<void(const BenchmarkProgress&)>& on_progress,
    std::stop_token stop
) {
    if (stop.stop_requested())
        return fail(ErrorCode::cancelled, "the training benchmark was stopped");
    return run_here(
        training::benchmark(options, on_progress), std::move(stop), "the training benchmark"
    );
}

}  // namespace punie
