// cli/bench_command.cpp: `punie bench train`, is LoRA training of a model feasible on this machine?

#include <fmt/format.h>
#include <punie/training_benchmark.hpp>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"

namespace punie::cli {

namespace {

struct BenchOptions {
    TrainingBenchmarkOptions training;
    std::string data;
    std::string require;
    bool no_validation = false;
    bool run_all = false;
    bool json = false;
};

const std::map<std::string, Verdict>& verdicts() {
    static const std::map<std::string, Verdict> known = {
        {"excellent", Verdict::excellent},
        {"acceptable", Verdict::acceptable},
        {"slow", Verdict::slow}
    };
    return known;
}

Colour colour_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::excellent:
        case Verdict::acceptable:
            return Colour::green;
        case Verdict::slow:
            return Colour::yellow;
        case Verdict::too_slow:
            break;
    }
    return Colour::red;
}

std::string seconds(double value) {
    return human_duration(std::chrono::duration<double>(value));
}

void show_progress(Terminal& terminal, const BenchmarkProgress& progress) {
    auto line = fmt::format(
        "{} {}/{}  {}",
        progress.phase,
        progress.iteration,
        progress.iterations,
        seconds(progress.elapsed_seconds)
    );
    if (progress.report) {
        line += fmt::format(
            "  {} an iteration, loss {:.3f}, peak {:.2f} GB",
            seconds(progress.report->seconds),
            progress.report->train_loss,
            progress.report->peak_memory_gb
        );
    }
    terminal.progress(line);
}

void row(Terminal& terminal, std::string_view name, const std::string& value) {
    terminal.print(fmt::format("  {:<22}{}", name, value));
}

void show_speed(Terminal& terminal, const BenchmarkResult& result) {
    auto speed = fmt::format(
        "{} (median of {} steady iterations, {} to {}",
        seconds(result.seconds_per_iter),
        std::max(result.num_iters - 1, 0),
        seconds(result.spread_low),
        seconds(result.spread_high)
    );
    if (result.ci_low && result.ci_high)
        speed += fmt::format(
            "; 95 % interval {} to {}", seconds(*result.ci_low), seconds(*result.ci_high)
        );
    row(terminal, "seconds per iteration", speed + ")");
    row(terminal, "tokens per second", fmt::format("{:.1f}", result.tokens_per_second));
}

void show_memory(Terminal& terminal, const BenchmarkResult& result) {
    auto memory = result.peak_memory_gb > 0 ? fmt::format("{:.3f} GB by MLX", result.peak_memory_gb)
                                            : std::string("not reported by MLX");
    memory += fmt::format(", {:.3f} GB whole process tree", result.tree_peak_gb);
    row(terminal, "peak memory", memory);
    if (result.estimated_peak_gb <= 0) return;
    auto estimate = fmt::format("{:.3f} GB", result.estimated_peak_gb);
    if (result.corrected_peak_gb)
        estimate += fmt::format(", {:.3f} GB after two iterations", *result.corrected_peak_gb);
    row(terminal, "estimated before", estimate);
}

void show_parts(Terminal& terminal, const BenchmarkResult& result) {
    row(terminal,
        "total",
        fmt::format(
            "{} = loading {} + first iteration {} + {} more {} + validation {} + checkpoints {} + "
            "other {}",
            seconds(result.total_seconds),
            seconds(result.load_seconds),
            seconds(result.first_iteration_seconds),
            std::max(result.num_iters - 1, 0),
            seconds(result.training_seconds),
            seconds(result.validation_seconds),
            seconds(result.checkpoint_seconds),
            seconds(result.other_seconds)
        ));
}

void show(Terminal& terminal, const BenchmarkResult& result, const BenchOptions& options) {
    terminal.print(fmt::format(
        "{}  {}", result.model_path, terminal.paint(Colour::dim, "mlx_lm " + result.mlx_lm_version)
    ));
    show_speed(terminal, result);
    show_memory(terminal, result);
    show_parts(terminal, result);
    row(terminal, "100 iterations", "about " + seconds(result.seconds_for_100_iters));
    if (result.seconds_for_plan) {
        row(terminal,
            fmt::format("{} iterations", *options.training.plan_iterations),
            "about " + seconds(*result.seconds_for_plan));
    }
    if (result.event_source != "callback") row(terminal, "read from", result.event_source);
    for (const auto& note : result.notes) row(terminal, "note", note);
    if (result.stopped_early)
        row(terminal,
            "stopped early",
            "after two iterations it was plain (--all-iterations runs them all)");
    terminal.print(fmt::format(
        "\n  verdict: {}", terminal.paint(colour_of(result.verdict), name_of(result.verdict))
    ));
    for (const auto& advice : result.advice) {
        auto line = fmt::format("  try {}: {}", advice.change, advice.explanation);
        if (advice.estimated_seconds_per_iter > 0)
            line +=
                fmt::format(", about {} an iteration", seconds(advice.estimated_seconds_per_iter));
        if (advice.estimated_peak_gb > 0)
            line += fmt::format(", {:.2f} GB", advice.estimated_peak_gb);
        terminal.print(line);
    }
}

ExitCode run_bench_train(BenchOptions options, Terminal& terminal) {
    options.training.data = options.data;
    options.training.validation = !options.no_validation;
    options.training.stop_when_too_slow = !options.run_all;
    const Interrupt interrupt;
    const auto progress = [&](const BenchmarkProgress& now) {
        if (!options.json) show_progress(terminal, now);
    };
    auto result = run_training_benchmark(options.training, progress, interrupt.token());
    terminal.clear_progress();
    if (!result) return terminal.report(result.error(), options.json);
    if (options.json)
        terminal.print(to_json(*result));
    else
        show(terminal, *result, options);
    if (options.require.empty() || result->verdict <= verdicts().at(options.require))
        return ExitCode::done;
    terminal.note(
        fmt::format("required: {} or better; found: {}", options.require, name_of(result->verdict))
    );
    return ExitCode::failed;
}

void add_train_options(CLI::App& sub, BenchOptions& options) {
    auto& training = options.training;
    sub.add_option("--model", training.model_path, "Model folder or hub name")->required();
    sub.add_option(
        "--data",
        options.data,
        "Folder with train.jsonl and valid.jsonl; without it a dummy set is made"
    );
    sub.add_option("--iters", training.iterations, "Iterations to run")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    sub.add_option("--batch-size", training.batch_size, "Rows a batch")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    sub.add_option("--num-layers", training.num_layers, "Layers to train, -1 for all")
        ->check(CLI::Range(-1, 100'000))
        ->capture_default_str();
    sub.add_option("--max-seq-length", training.max_seq_length, "Longest row in tokens")
        ->check(CLI::Range(8, 10'000'000))
        ->capture_default_str();
    sub.add_option("--fine-tune-type", training.fine_tune_type, "lora, dora or full")
        ->check(CLI::IsMember({"lora", "dora", "full"}))
        ->capture_default_str();
    sub.add_option("--rank", training.lora_rank, "Rank of the adapters")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    sub.add_option("--learning-rate", training.learning_rate, "Learning rate")
        ->capture_default_str();
    sub.add_flag(
        "--grad-checkpoint",
        training.grad_checkpoint,
        "Recompute activations: less memory, more time"
    );
    sub.add_flag("--mask-prompt", training.mask_prompt, "Train on the answers only");
    sub.add_flag("--no-validation", options.no_validation, "Leave out the validation pass");
    sub.add_option(
        "--plan-iters", training.plan_iterations, "Also project the time for this many iterations"
    );
    sub.add_option("--require", options.require, "Exit code 1 when the verdict is worse")
        ->check(CLI::IsMember({"excellent", "acceptable", "slow"}));
    sub.add_flag(
        "--all-iterations",
        options.run_all,
        "Go on although two iterations show that it is too slow"
    );
    sub.add_flag("--force", training.force, "Start although the memory will not suffice");
    sub.add_option(
        "--mlx-lm",
        training.mlx_lm,
        "Where mlx_lm is: a virtual environment, its bin folder or its python"
    );
    sub.add_flag("--json", options.json, "The result as one JSON object");
}

}  // namespace

void add_bench(CLI::App& app, Commands& commands) {
    auto options = std::make_shared<BenchOptions>();
    auto* bench = app.add_subcommand("bench", "Measure this machine");
    bench->require_subcommand(0, 1);
    auto* train =
        bench->add_subcommand("train", "Tell whether LoRA training of a model is feasible here");
    add_train_options(*train, *options);
    train->footer(
        "Examples:\n"
        "  punie bench train --model models/tiny\n"
        "  punie bench train --model models/smollm2 --iters 3 --batch-size 1 --max-seq-length 512\n"
        "  punie bench train --model models/smollm2 --plan-iters 600 --require acceptable "
        "--json\n\n"
        "Verdict: up to 5 s an iteration excellent, up to 30 acceptable, up to 60 slow, above too "
        "slow."
    );
    commands.on(train, [options](Terminal& terminal) {
        return run_bench_train(*options, terminal);
    });
}

}  // namespace punie::cli
