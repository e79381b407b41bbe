// cli/run_command.cpp: `punie run`, an experiment from its file to its report; `punie init` writes
// such a file.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "base/files.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/eval_summary.hpp"
#include "cli/interrupt.hpp"
#include "cli/open_file.hpp"
#include "pipeline/run.hpp"

namespace punie::cli {

namespace {

struct RunCommandOptions {
    std::string file = "experiment.yaml";
    pipeline::RunOptions run;
    bool dry_run = false;
    bool open = false;
    bool json = false;
};

struct InitOptions {
    std::string folder = ".";
    std::string name;
    bool force = false;
};

std::string duration(double seconds) {
    return human_duration(std::chrono::duration<double>(seconds));
}

/// Stages as they stand, with what the next run would take.
void show_plan(Terminal& terminal, const std::vector<pipeline::StageStatus>& plan) {
    double seconds = 0;
    std::uint64_t bytes = 0;
    bool unknown = false;
    for (const auto& status : plan) {
        const auto state = status.up_to_date ? terminal.paint(Colour::green, "up to date")
                                             : terminal.paint(Colour::yellow, "to do     ");
        auto line = fmt::format("  {:<22} {}", status.stage.id, state);
        if (!status.up_to_date) {
            line += "  " + status.reason;
            if (status.estimated_seconds) {
                line += fmt::format(
                    "  about {} ({})", duration(*status.estimated_seconds), status.estimate_source
                );
                seconds += *status.estimated_seconds;
            } else {
                unknown = true;
            }
            if (status.estimated_bytes > 0)
                line += fmt::format("  {} of disk", human_bytes(status.estimated_bytes));
            bytes += status.estimated_bytes;
        }
        terminal.print(line);
    }
    const auto to_do = std::ranges::count_if(plan, [](const auto& s) { return !s.up_to_date; });
    if (to_do == 0) {
        terminal.print("\nnothing to do");
        return;
    }
    terminal.print(fmt::format(
        "\n{} of {} stages to do{}{}{}",
        to_do,
        plan.size(),
        seconds > 0 ? fmt::format(", about {}", duration(seconds)) : "",
        unknown ? (seconds > 0 ? " and what was never run here" : ", never run here before") : "",
        bytes > 0 ? fmt::format(", {} of disk", human_bytes(bytes)) : ""
    ));
}

json::object status_json(const pipeline::StageStatus& status) {
    json::object object{
        {"stage", status.stage.id},
        {"kind", name_of(status.stage.kind)},
        {"variant", status.stage.variant},
        {"key", status.key},
        {"up_to_date", status.up_to_date},
        {"reason", status.reason},
        {"output", status.output.string()},
        {"estimated_bytes", status.estimated_bytes}
    };
    if (status.estimated_seconds) object["estimated_seconds"] = *status.estimated_seconds;
    json::array needs;
    for (const auto& need : status.stage.needs) needs.emplace_back(need);
    object["needs"] = std::move(needs);
    return object;
}

/// Tells events: lines for what happened, the progress line for what goes on.
class Teller {
public:
    Teller(Terminal& terminal, bool json) : terminal_(terminal), json_(json) {}

    void tell(const pipeline::ExperimentEvent& event) {
        if (json_) {
            tell_json(event);
            return;
        }
        const auto name = fmt::format("{:<22}", event.stage);
        if (event.kind == "progress") {
            terminal_.progress(name + " " + event.text);
        } else if (event.kind == "begin") {
            terminal_.progress(name + " ...");
        } else if (event.kind == "up to date") {
            terminal_.print(name + " " + terminal_.paint(Colour::dim, "up to date"));
        } else if (event.kind == "done") {
            terminal_.print(fmt::format("{} done in {}", name, duration(event.seconds)));
        } else {
            terminal_.note(fmt::format("{} {}", name, event.text));
        }
    }

private:
    void tell_json(const pipeline::ExperimentEvent& event) {
        json::object object{{"event", event.kind}, {"stage", event.stage}};
        if (!event.text.empty()) object["text"] = event.text;
        if (event.seconds > 0) object["seconds"] = event.seconds;
        terminal_.print(to_text(object));
    }

    Terminal& terminal_;
    bool json_;
};

void show_outcome(
    Terminal& terminal, const pipeline::ExperimentOutcome& outcome, const RunCommandOptions& options
) {
    if (options.json) {
        json::array variants;
        for (const auto& one : outcome.evaluations) variants.push_back(evaluation_json(one, false));
        json::array misses;
        for (const auto& miss : outcome.misses) misses.emplace_back(miss);
        terminal.print(to_text(json::object{
            {"event", "result"},
            {"run", outcome.run},
            {"verdict", outcome.verdict},
            {"missed", outcome.missed},
            {"misses", std::move(misses)},
            {"report", outcome.report.string()},
            {"stages_run", outcome.stages_run},
            {"stages_up_to_date", outcome.stages_up_to_date},
            {"variants", std::move(variants)}
        }));
        return;
    }
    terminal.print("");
    for (const auto& one : outcome.evaluations) {
        terminal.print(
            fmt::format("  {:<20} {}", one.table.name, estimate_text("passed", one.accuracy))
        );
    }
    terminal.print("\n" + terminal.paint(Colour::bold, outcome.verdict));
    for (const auto& miss : outcome.misses)
        terminal.print(terminal.paint(Colour::red, "missed: ") + miss);
    if (!outcome.report.empty()) terminal.print(fmt::format("report: {}", outcome.report.string()));
}

ExitCode run_run(RunCommandOptions& options, Terminal& terminal) {
    auto experiment = pipeline::read_experiment(options.file);
    if (!experiment) {
        auto error = std::move(experiment).error();
        if (error.code() == ErrorCode::not_found && error.hint().empty())
            error = std::move(error).with_hint("punie init writes one to start with");
        return terminal.report(error, options.json);
    }
    auto journal =
        journal::Journal::open(journal::find_journal_folder(std::filesystem::current_path()));
    if (!journal) return terminal.report(journal.error(), options.json);
    options.run.command = typed_command();
    if (options.dry_run) {
        auto plan = pipeline::plan_experiment(*experiment, *journal, options.run);
        if (!plan) return terminal.report(plan.error(), options.json);
        if (!options.json) {
            show_plan(terminal, *plan);
            return ExitCode::done;
        }
        for (const auto& status : *plan) terminal.print(to_text(status_json(status)));
        return ExitCode::done;
    }
    const Interrupt interrupt;
    Teller teller(terminal, options.json);
    const pipeline::ExperimentCalls calls{
        .on_event = [&teller](const pipeline::ExperimentEvent& event) { teller.tell(event); }
    };
    auto outcome =
        pipeline::run_experiment(*experiment, *journal, options.run, calls, interrupt.token());
    terminal.clear_progress();
    if (!outcome) {
        const auto code = terminal.report(outcome.error(), options.json);
        if (code == ExitCode::interrupted)
            terminal.note("the same command goes on where this one stopped");
        return code;
    }
    show_outcome(terminal, *outcome, options);
    if (options.open && !outcome->report.empty()) {
        if (auto opened = open_file(outcome->report); !opened)
            terminal.note(opened.error().describe());
    }
    return outcome->missed ? ExitCode::failed : ExitCode::done;
}

ExitCode run_init(const InitOptions& options, Terminal& terminal) {
    const auto folder = std::filesystem::path(options.folder);
    const auto file = folder / "experiment.yaml";
    std::error_code ignored;
    if (std::filesystem::exists(file, ignored) && !options.force) {
        return terminal.report(Error(ErrorCode::invalid_argument, file.string() + " exists already")
                                   .with_hint("--force overwrites it"));
    }
    if (std::filesystem::exists(folder, ignored) && !std::filesystem::is_directory(folder, ignored))
        return terminal.report(Error(ErrorCode::invalid_argument, folder.string() + " is no folder")
                                   .with_hint("name a folder, which is made if need be"));
    auto name = options.name;
    if (name.empty()) name = std::filesystem::weakly_canonical(folder, ignored).filename().string();
    if (name.empty()) name = "experiment";
    if (auto written = write_atomic(file, pipeline::starting_experiment(name)); !written)
        return terminal.report(written.error());
    terminal.print(fmt::format("wrote {}", file.string()));
    terminal.print("put your model, data and suite into it, then: punie run --dry-run");
    return ExitCode::done;
}

}  // namespace

void add_run(CLI::App& app, Commands& commands) {
    auto options = std::make_shared<RunCommandOptions>();
    auto* sub = app.add_subcommand(
        "run",
        "Run an experiment: check, train, evaluate, compare, report; only what is out of date"
    );
    sub->add_option("experiment", options->file, "Experiment file")->capture_default_str();
    sub->add_flag("--dry-run", options->dry_run, "Show the stages and what is up to date");
    sub->add_flag("--again", options->run.again, "Run every stage, whatever is up to date");
    sub->add_flag(
        "--force",
        options->run.force,
        "Train although the data check or the memory estimate says no"
    );
    sub->add_option("--mlx-lm", options->run.mlx_lm, "Where mlx_lm is");
    sub->add_flag("--open", options->open, "Open the report in the browser");
    sub->add_flag("--json", options->json, "One JSON object an event");
    sub->footer(
        "Examples:\n"
        "  punie init                                start with a commented experiment.yaml\n"
        "  punie run --dry-run                       which stages are to do, and what they take\n"
        "  punie run examples/quickstart/experiment.yaml --open\n\n"
        "Killed anywhere, the same command goes on: finished stages and answers are not repeated.\n"
        "Exit code 1 when a prompt has no answer, a threshold is missed or a category got worse."
    );
    commands.on(sub, [options](Terminal& terminal) { return run_run(*options, terminal); });
}

void add_init(CLI::App& app, Commands& commands) {
    auto options = std::make_shared<InitOptions>();
    auto* sub = app.add_subcommand("init", "Write a commented experiment.yaml to start with");
    sub->add_option("folder", options->folder, "Where")->capture_default_str();
    sub->add_option("--name", options->name, "Name of the experiment (the folder's)");
    sub->add_flag("--force", options->force, "Overwrite an experiment.yaml that is there");
    sub->footer("Examples:\n  punie init\n  punie init experiments/home --name home-tools");
    commands.on(sub, [options](Terminal& terminal) { return run_init(*options, terminal); });
}

}  // namespace punie::cli
