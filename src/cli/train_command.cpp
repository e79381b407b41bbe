// cli/train_command.cpp: `punie train`, an adapter from a model and data.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <memory>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/loss_curve.hpp"
#include "cli/run_record.hpp"
#include "pipeline/attempt.hpp"
#include "pipeline/identity.hpp"
#include "training/train.hpp"
#include "training/train_file.hpp"

namespace punie::cli {

namespace {

/// What the command line says; nothing where it does not, so that a file can.
struct Flags {
    std::string config;
    std::optional<std::string> model;
    std::optional<std::string> data;
    std::optional<std::string> adapter;
    std::optional<int> iters, batch_size, num_layers, max_seq_length, grad_accumulation_steps;
    std::optional<int> steps_per_report, steps_per_eval, val_batches, save_every, rank, early_stop;
    std::optional<double> learning_rate, scale, dropout;
    std::optional<std::uint64_t> seed;
    std::optional<std::string> fine_tune_type, optimizer, keep;
    std::optional<bool> mask_prompt, grad_checkpoint;
    bool resume = false;
    bool overwrite = false;
    bool force = false;
    bool no_data_check = false;
    bool json = false;
    std::string name;
    std::string mlx_lm;
};

template <typename T>
void put(json::object& settings, std::string_view name, const std::optional<T>& value) {
    if (value) settings[name] = json::value(*value);
}

/// The file's settings with the flags over them.
json::object settings_of(const Flags& flags, json::object settings) {
    put(settings, "iters", flags.iters);
    put(settings, "batch_size", flags.batch_size);
    put(settings, "num_layers", flags.num_layers);
    put(settings, "max_seq_length", flags.max_seq_length);
    put(settings, "grad_accumulation_steps", flags.grad_accumulation_steps);
    put(settings, "steps_per_report", flags.steps_per_report);
    put(settings, "steps_per_eval", flags.steps_per_eval);
    put(settings, "val_batches", flags.val_batches);
    put(settings, "save_every", flags.save_every);
    put(settings, "learning_rate", flags.learning_rate);
    put(settings, "seed", flags.seed);
    put(settings, "fine_tune_type", flags.fine_tune_type);
    put(settings, "optimizer", flags.optimizer);
    put(settings, "mask_prompt", flags.mask_prompt);
    put(settings, "grad_checkpoint", flags.grad_checkpoint);
    auto* given = settings.if_contains("lora_parameters");
    json::object lora =
        given != nullptr && given->is_object() ? given->as_object() : json::object();
    put(lora, "rank", flags.rank);
    put(lora, "scale", flags.scale);
    put(lora, "dropout", flags.dropout);
    if (!lora.empty()) settings["lora_parameters"] = std::move(lora);
    return settings;
}

Result<training::TrainOptions> options_of(const Flags& flags, Terminal& terminal) {
    training::TrainFile file;
    if (!flags.config.empty()) {
        auto read = training::read_train_file(flags.config);
        if (!read) return std::unexpected(std::move(read).error());
        file = *std::move(read);
        for (const auto& note : file.notes) terminal.note("note: " + note);
    }
    training::TrainOptions options;
    options.model = flags.model ? *flags.model : file.model.value_or("");
    options.data = flags.data ? *flags.data : file.data.value_or("");
    options.adapter = flags.adapter ? *flags.adapter : file.adapter.value_or("");
    options.settings = settings_of(flags, std::move(file.settings));
    options.keep_best = flags.keep ? *flags.keep == "best" : file.keep_best.value_or(true);
    options.early_stop = flags.early_stop ? *flags.early_stop : file.early_stop.value_or(0);
    options.resume = flags.resume;
    options.overwrite = flags.overwrite;
    options.check_data = !flags.no_data_check;
    options.force = flags.force;
    options.mlx_lm = flags.mlx_lm;
    const auto missing = options.model.empty()     ? "--model"
                         : options.data.empty()    ? "--data"
                         : options.adapter.empty() ? "--adapter"
                                                   : "";
    if (*missing == '\0') return options;
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("{} is missing", missing),
        "punie train --model models/tiny --data data --adapter adapters/first"
    );
}

std::string duration(double seconds) {
    return human_duration(std::chrono::duration<double>(seconds));
}

std::string progress_line(const training::TrainProgress& progress) {
    auto line = fmt::format("{} {}/{}", progress.phase, progress.iteration, progress.iterations);
    if (progress.last && progress.last->train_loss)
        line += fmt::format("  loss {:.3f}", *progress.last->train_loss);
    if (progress.valid_loss) line += fmt::format("  valid {:.3f}", *progress.valid_loss);
    if (progress.last && progress.last->tokens_per_second > 0)
        line += fmt::format("  {:.0f} tokens/s", progress.last->tokens_per_second);
    if (progress.last && progress.last->peak_memory_gb > 0)
        line += fmt::format("  {:.2f} GB", progress.last->peak_memory_gb);
    if (progress.seconds_left)
        return line + fmt::format("  {} left", duration(*progress.seconds_left));
    return line + fmt::format("  {}", duration(progress.elapsed_seconds));
}

/// What the trainer does with the rows without a word.
std::string facts_text(const training::TrainDataFacts& facts) {
    auto text = fmt::format(
        "{} rows, {} trained tokens an epoch, longest row {} tokens, {:.0f} % padding",
        facts.rows,
        facts.trained_tokens,
        facts.longest,
        100 * facts.padding_share
    );
    const auto add = [&text](std::int64_t count, std::string_view what) {
        if (count > 0) text += fmt::format("; {} {}", count, what);
    };
    add(facts.rows_left_over, "left over after the last full batch: never trained");
    add(facts.rows_cut, "cut at the length limit: their end is lost");
    add(facts.rows_untrained, "with nothing to train on");
    add(facts.steps_dropped, "last iterations whose gradients are dropped");
    if (facts.looked_at < facts.rows)
        text += fmt::format(" (of the first {} rows)", facts.looked_at);
    return text;
}

/// A training in the journal, from its begin to its end.
class Record {
public:
    explicit Record(Terminal& terminal) : record_(terminal) {}

    /// What could not start is no run.
    void begin(const training::TrainOptions& options, const Flags& flags) {
        hashes_["model"] = pipeline::content_hash(options.model).value_or("");
        hashes_["data"] = pipeline::content_hash(options.data).value_or("");
        journal::Run run;
        run.kind = "train";
        run.name = flags.name.empty() ? options.adapter.filename().string() : flags.name;
        run.config_json = to_text(json::object{
            {"model", options.model},
            {"data", options.data.string()},
            {"adapter", options.adapter.string()},
            {"settings", options.settings},
            {"keep", options.keep_best ? "best" : "last"},
            {"early_stop", options.early_stop},
            {"resume", options.resume}
        });
        run.hashes_json = to_text(hashes_);
        record_.begin(std::move(run));
    }

    void add(const training::TrainReport& report) {
        record_.add(pipeline::point_of(report, began_));
    }

    void end(const Result<training::TrainResult>& result) {
        if (!result) return record_.end(result.error());
        for (const auto& report : result->reports) {
            if (report.iteration <= result->resumed_from) add(report);
        }
        auto* run = record_.run();
        if (run == nullptr) return;
        run->state = result->complete() ? journal::RunState::done : journal::RunState::failed;
        if (!result->complete()) run->error = result->stop->message;
        hashes_["adapter"] = pipeline::content_hash(result->adapter).value_or("");
        run->hashes_json = to_text(hashes_);
        run->results_json = to_text(training::to_json(*result));
        auto config = parse_json(run->config_json).value_or(json::object());
        config.as_object()["settings"] = result->settings;
        run->config_json = to_text(config);
        record_.end();
    }

    std::string id() const { return record_.id(); }

private:
    RunRecord record_;
    json::object hashes_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

void print_event(Terminal& terminal, std::string_view name, json::object members) {
    json::object event{{"event", name}};
    for (auto& [key, value] : members) event[key] = std::move(value);
    terminal.print(to_text(event));
}

training::TrainCalls calls_for(
    const training::TrainOptions& options, const Flags& flags, Terminal& terminal, Record& record
) {
    training::TrainCalls calls;
    calls.on_start = [&] { record.begin(options, flags); };
    calls.on_report = [&](const training::TrainReport& report) {
        record.add(report);
        if (flags.json) print_event(terminal, "report", training::to_json(report));
    };
    calls.on_facts = [&](const training::TrainDataFacts& facts) {
        if (flags.json)
            print_event(terminal, "facts", training::to_json(facts));
        else
            terminal.note("data: " + facts_text(facts));
    };
    calls.on_note = [&](const std::string& note) {
        if (flags.json)
            print_event(terminal, "note", {{"text", note}});
        else
            terminal.note("note: " + note);
    };
    if (flags.json) {
        calls.on_checkpoint = [&](int iteration) {
            print_event(terminal, "checkpoint", {{"iteration", iteration}});
        };
    } else {
        calls.on_progress = [&](const training::TrainProgress& progress) {
            terminal.progress(progress_line(progress));
        };
    }
    return calls;
}

bool plain_terminal() {
    const auto has = [](const char* name, std::string_view value) {
        const char* set = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): read only
        return set != nullptr && *set != '\0' && (value.empty() || value == set);
    };
    return has("NO_COLOR", "") || has("TERM", "dumb") || !has("TERM", "");
}

void show_curve(Terminal& terminal, const training::TrainResult& result) {
    std::vector<CurvePoint> train;
    std::vector<CurvePoint> valid;
    for (const auto& report : result.reports) {
        if (report.train_loss) train.push_back({report.iteration, *report.train_loss});
        if (report.valid_loss) valid.push_back({report.iteration, *report.valid_loss});
    }
    for (const auto& line : loss_curve(train, valid, {.ascii = plain_terminal()}))
        terminal.print(line);
}

void row(Terminal& terminal, std::string_view name, const std::string& value) {
    terminal.print(fmt::format("  {:<18}{}", name, value));
}

void show_losses(Terminal& terminal, const training::TrainResult& result) {
    if (result.final_train_loss)
        row(terminal, "training loss", fmt::format("{:.4f}", *result.final_train_loss));
    if (result.best_valid_loss)
        row(terminal,
            "best validation",
            fmt::format(
                "{:.4f} after iteration {}", *result.best_valid_loss, *result.best_iteration
            ));
    row(terminal,
        "trained",
        fmt::format(
            "{} iterations{}, {:.0f} tokens in {}",
            result.iterations,
            result.resumed_from > 0 ? fmt::format(" (resumed at {})", result.resumed_from) : "",
            result.trained_tokens,
            duration(result.seconds)
        ));
    auto memory = fmt::format("{:.2f} GB by MLX", result.peak_memory_gb);
    if (result.estimated_peak_gb > 0)
        memory += fmt::format(", {:.2f} GB estimated before", result.estimated_peak_gb);
    row(terminal, "peak memory", memory);
}

void show(Terminal& terminal, const training::TrainResult& result, const std::string& model) {
    show_curve(terminal, result);
    show_losses(terminal, result);
    const auto adapter = result.adapter.string();
    if (result.kept_iteration > 0 || result.kept_best) {
        row(terminal,
            "adapter",
            fmt::format(
                "{} ({} iteration {})",
                adapter,
                result.kept_best ? "the best one," : "the last one,",
                result.kept_iteration
            ));
    } else {
        row(terminal, "adapter", "none: the loss was no number from the start");
    }
    if (!result.complete()) return;
    terminal.print("\nNext:");
    const std::vector<std::vector<std::string>> next = {
        {"punie", "eval", "SUITE", "--model", model, "--adapter", adapter},
        {"punie", "chat", "--model", model, "--adapter", adapter},
        {"punie", "fuse", "--model", model, "--adapter", adapter, "--out", adapter + "-fused"},
    };
    for (const auto& words : next) terminal.print("  " + shell_quoted(words));
}

std::string stop_text(const training::TrainStop& stop) {
    std::string rows;
    for (const int line : stop.rows) rows += fmt::format("{}{}", rows.empty() ? "" : ", ", line);
    return fmt::format(
        "stopped after iteration {}: {}{}",
        stop.iteration,
        stop.message,
        rows.empty() ? "" : fmt::format("; its batch holds lines {} of train.jsonl", rows)
    );
}

/// The command that goes on: as typed, without what would start anew, with --resume.
std::string resume_command() {
    auto command = typed_command();
    for (const std::string_view word : {" --overwrite", " --resume"}) {
        if (const auto at = command.find(word); at != std::string::npos)
            command.erase(at, word.size());
    }
    return command + " --resume";
}

ExitCode finish(
    const Flags& flags,
    const training::TrainOptions& options,
    const Result<training::TrainResult>& result,
    const std::string& run,
    Terminal& terminal
) {
    if (!result) {
        const auto code = terminal.report(result.error(), flags.json);
        if (code != ExitCode::interrupted) return code;
        if (!flags.json) terminal.note(result.error().message());
        if (training::resumable(options.adapter)) terminal.note("go on with: " + resume_command());
        return code;
    }
    if (flags.json) {
        auto object = training::to_json(*result);
        object["adapter"] = result->adapter.string();
        object["run"] = run;
        object["settings"] = result->settings;
        print_event(terminal, "result", std::move(object));
    } else {
        show(terminal, *result, options.model);
        if (!run.empty()) terminal.print("\n  " + terminal.paint(Colour::cyan, run));
    }
    if (result->stop) terminal.note(stop_text(*result->stop));
    return result->complete() ? ExitCode::done : ExitCode::failed;
}

ExitCode run_train(const Flags& flags, Terminal& terminal) {
    const auto options = options_of(flags, terminal);
    if (!options) return terminal.report(options.error(), flags.json);
    const Interrupt interrupt;
    Record record(terminal);
    const auto calls = calls_for(*options, flags, terminal, record);
    const auto result = training::train_model(*options, calls, interrupt.token());
    terminal.clear_progress();
    record.end(result);
    return finish(flags, *options, result, record.id(), terminal);
}

void add_training_options(CLI::App& sub, Flags& flags) {
    const std::string group = "Training (the options of mlx_lm lora)";
    const auto number = [&](const char* name, auto& target, const char* text) {
        sub.add_option(name, target, text)->group(group);
    };
    number("--iters", flags.iters, "Iterations; 1000");
    number("--batch-size", flags.batch_size, "Rows a batch; 4");
    number("--num-layers", flags.num_layers, "Layers to train, from the last; -1 all; 16");
    number("--learning-rate", flags.learning_rate, "Learning rate; 1e-5");
    number("--optimizer", flags.optimizer, "adam, adamw, muon, sgd or adafactor; adam");
    number("--fine-tune-type", flags.fine_tune_type, "lora, dora or full; lora");
    number("--rank", flags.rank, "Rank of the adapters; 8");
    number("--scale", flags.scale, "Their scale (alpha / rank elsewhere); 20");
    number("--dropout", flags.dropout, "Their dropout; 0");
    number("--max-seq-length", flags.max_seq_length, "Longest row in tokens; 2048");
    number("--grad-accumulation-steps", flags.grad_accumulation_steps, "Iterations an update; 1");
    number("--seed", flags.seed, "Seed of order and adapters; 0");
    number("--steps-per-report", flags.steps_per_report, "Iterations between reports; 10");
    number("--steps-per-eval", flags.steps_per_eval, "Iterations between validations");
    number("--val-batches", flags.val_batches, "Batches a validation, -1 all; 25");
    number("--save-every", flags.save_every, "Iterations between checkpoints");
    sub.add_flag("--mask-prompt,!--no-mask-prompt", flags.mask_prompt, "Train on the answers only")
        ->group(group);
    sub.add_flag(
           "--grad-checkpoint,!--no-grad-checkpoint",
           flags.grad_checkpoint,
           "Recompute activations: less memory, more time"
    )
        ->group(group);
}

}  // namespace

void add_train(CLI::App& app, Commands& commands) {
    auto flags = std::make_shared<Flags>();
    auto* sub = app.add_subcommand("train", "Train an adapter with mlx_lm");
    sub->add_option("--model", flags->model, "Model folder or hub name");
    sub->add_option("--data", flags->data, "Folder with train.jsonl and valid.jsonl");
    sub->add_option("--adapter", flags->adapter, "Folder that the adapter is written to");
    sub->add_option("--config", flags->config, "Options in mlx_lm's YAML form; flags go before it");
    add_training_options(*sub, *flags);
    sub->add_option("--keep", flags->keep, "The adapter at the end: best (by validation) or last")
        ->check(CLI::IsMember({"best", "last"}));
    sub->add_option(
        "--early-stop", flags->early_stop, "Stop after N validations without a better loss"
    );
    sub->add_flag("--resume", flags->resume, "Go on from the newest checkpoint in the folder");
    sub->add_flag("--overwrite", flags->overwrite, "Remove the adapter that is in the folder");
    sub->add_flag(
        "--force", flags->force, "Start although data check, memory estimate or disk say no"
    );
    sub->add_flag("--no-data-check", flags->no_data_check, "Do not look at the data before");
    sub->add_option("--name", flags->name, "Name of the run in the journal");
    sub->add_option(
        "--mlx-lm",
        flags->mlx_lm,
        "Where mlx_lm is: a virtual environment, its bin folder or its python"
    );
    sub->add_flag("--json", flags->json, "Each event a JSON line, the result the last one");
    sub->footer(
        "Examples:\n"
        "  punie train --model models/tiny --data data --adapter adapters/first --iters 300\n"
        "  punie train --model models/tiny --data data --adapter adapters/first --resume\n"
        "  punie train --config lora.yaml --early-stop 3 --mask-prompt\n\n"
        "Ctrl-C ends it after the iteration that runs, with a checkpoint; --resume goes on exactly "
        "there, with the\nlosses of an unbroken training. Exit codes: 0 done, 1 the loss was no "
        "number or diverged, 130 interrupted."
    );
    commands.on(sub, [flags](Terminal& terminal) { return run_train(*flags, terminal); });
}

}  // namespace punie::cli
