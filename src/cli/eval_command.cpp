// cli/eval_command.cpp: `punie eval`, a suite put to a model.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <memory>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/eval_summary.hpp"
#include "cli/interrupt.hpp"
#include "cli/model_options.hpp"
#include "cli/ticker.hpp"
#include "pipeline/evaluate.hpp"
#include "punie/server_command.hpp"

namespace punie::cli {

namespace {

struct EvalOptions {
    ModelOptions model;
    pipeline::EvalJob job{.server = *make_server_config({.model_path = "unset"})};
    std::string suite;
    std::string url;
    std::string name;
    std::string out;
    std::optional<double> threshold;
    std::size_t show_wrong = 5;
    bool samples = false;
    bool json = false;
};

/// What decides how tokens are drawn belongs into the requests, where it is recorded, not into the
/// server's defaults.
void sampling_into_requests(EvalOptions& options) {
    auto& sampling = options.model.server.sampling;
    auto& plan = options.job.plan;
    plan.temperature = sampling.temperature;
    plan.max_tokens = sampling.max_tokens;
    const auto put = [&plan](const char* name, const auto& value) {
        if (value) plan.request_defaults[name] = fmt::format("{}", *value);
    };
    put("top_p", sampling.top_p);
    put("top_k", sampling.top_k);
    put("min_p", sampling.min_p);
    put("repetition_penalty", sampling.repetition_penalty);
    put("repetition_context_size", sampling.repetition_context_size);
    sampling = {};
}

Result<ServerConfig> server_of(EvalOptions& options) {
    // The values are checked where they are given, whatever becomes of them.
    auto checked = options.model.server;
    if (checked.model_path.empty()) checked.model_path = "unset";
    if (auto fine = make_server_config(std::move(checked)); !fine) return fine;
    if (options.url.empty() && options.model.server.model_path.empty()) {
        return std::unexpected(
            Error(ErrorCode::invalid_argument, "neither --model nor --url was given")
                .with_hint("punie eval SUITE --model models/tiny, or punie eval SUITE --url "
                           "http://127.0.0.1:8080/v1")
        );
    }
    sampling_into_requests(options);
    if (options.url.empty()) return config_from(options.model);
    if (auto fits = check_endpoint_options(options.model); !fits)
        return std::unexpected(std::move(fits).error());
    options.model.backend = "openai";
    options.model.server.url = options.url;
    const char* key = std::getenv("PUNIE_API_KEY");  // NOLINT(concurrency-mt-unsafe): read only
    if (key == nullptr) key = std::getenv("OPENAI_API_KEY");  // NOLINT(concurrency-mt-unsafe)
    if (key != nullptr) options.job.api_key = key;
    options.job.plan.model = options.model.server.model_path;
    return config_from(options.model);
}

/// The exit code and, before it, what made it so.
ExitCode verdict(
    const EvalOptions& options, const pipeline::EvalOutcome& outcome, Terminal& terminal
) {
    if (outcome.ended_by == "cancelled") {
        terminal.note("interrupted; the same command with --resume goes on");
        return ExitCode::interrupted;
    }
    const auto code = judge_limits(terminal, outcome, options.threshold);
    if (outcome.counts.unanswered() > 0)
        terminal.note("the same command with --resume asks what has no answer yet");
    return code;
}

void show_end(
    const EvalOptions& options, const pipeline::EvalOutcome& outcome, Terminal& terminal
) {
    if (options.json) {
        terminal.print(to_text(evaluation_json(outcome, options.samples)));
        return;
    }
    show_evaluation(terminal, outcome, options.show_wrong);
    terminal.print(fmt::format(
        "\n  {}  {} samples in {}{}; {} at once\n  {}",
        terminal.paint(Colour::cyan, outcome.run.id),
        outcome.scored.samples.size(),
        human_duration(std::chrono::duration<double>(outcome.seconds)),
        outcome.resumed > 0 ? fmt::format(" ({} from before)", outcome.resumed) : "",
        outcome.concurrency.empty() ? "0" : outcome.concurrency,
        outcome.responses.string()
    ));
}

ExitCode run_eval(EvalOptions& options, Terminal& terminal) {
    auto server = server_of(options);
    if (!server) return terminal.report(server.error(), options.json);
    auto& job = options.job;
    job.suite = options.suite;
    job.server = *std::move(server);
    job.process = process_options_from(options.model);
    job.name = options.name;
    job.out = options.out;
    job.command = typed_command();
    auto journal =
        journal::Journal::open(journal::find_journal_folder(std::filesystem::current_path()));
    if (!journal) return terminal.report(journal.error(), options.json);
    const Interrupt interrupt;
    const pipeline::EvalCalls calls{
        .on_progress = [&terminal](const pipeline::EvalProgress& progress
                       ) { terminal.progress(progress_text(progress)); },
        .on_note = [&terminal](const std::string& note) { terminal.note("note: " + note); }
    };
    auto outcome = pipeline::evaluate(job, *journal, calls, interrupt.token());
    terminal.clear_progress();
    if (!outcome) return terminal.report(outcome.error(), options.json);
    show_end(options, *outcome, terminal);
    return verdict(options, *outcome, terminal);
}

void add_limits(CLI::App& sub, EvalOptions& options) {
    const std::string group = "What is asked";
    auto& plan = options.job.plan;
    auto& runner = options.job.runner;
    sub.add_option("--repeats", plan.repeats, "Samples a prompt, instead of the suite's")
        ->group(group);
    sub.add_option("--limit", plan.limit, "Only the first N prompts")->group(group);
    sub.add_option(
           "--only", plan.only, "Only prompts with this id, group or category (* for any text)"
    )
        ->group(group);
    sub.add_option("--seed", plan.seed, "Seed of the first sample; sample n gets it plus n")
        ->group(group);
    sub.add_option("--concurrency", runner.concurrency, "Requests at once; 0 finds out")
        ->check(CLI::Range(0, 4096))
        ->capture_default_str()
        ->group(group);
    sub.add_option("--max-seconds", runner.max_seconds, "Ask nothing new after so many seconds")
        ->check(CLI::NonNegativeNumber)
        ->group(group);
    sub.add_option(
           "--request-timeout", options.job.request_seconds, "Seconds that one attempt may take"
    )
        ->check(CLI::Range(0.001, 1e6))
        ->capture_default_str()
        ->group(group);
    sub.add_option("--max-attempts", runner.attempts.max_attempts, "Attempts a request")
        ->check(CLI::Range(1, 100))
        ->capture_default_str()
        ->group(group);
}

}  // namespace

void add_eval(CLI::App& app, Commands& commands) {
    auto options = std::make_shared<EvalOptions>();
    options->model.server.port = 0;  // nobody else needs to know it
    auto* sub =
        app.add_subcommand("eval", "Put a suite of prompts to a model and judge the answers");
    sub->add_option("suite", options->suite, "Suite: YAML or JSONL")->required();
    add_model_options(*sub, options->model);
    sub->add_option("--url", options->url, "Ask this endpoint instead of a server of our own");
    add_limits(*sub, *options);
    sub->add_option("--name", options->name, "Name of the run, for the journal and reports");
    sub->add_option("--out", options->out, "Write the answers to this file");
    sub->add_flag("--resume", options->job.resume, "Go on with an unfinished run of the same");
    sub->add_option("--threshold", options->threshold, "Exit code 1 if fewer passed (0 to 1)")
        ->check(CLI::Range(0.0, 1.0));
    sub->add_option("--show-wrong", options->show_wrong, "Wrong answers to show")
        ->capture_default_str();
    sub->add_flag("--samples", options->samples, "With --json: every sample with its judgements");
    sub->add_flag("--json", options->json, "One JSON object at the end");
    sub->footer(
        "Examples:\n"
        "  punie eval suites/tools.yaml --model models/tiny\n"
        "  punie eval suites/tools.yaml --model models/tiny --adapter adapters/home --name tuned\n"
        "  punie eval suite.yaml --url http://127.0.0.1:8080/v1 --concurrency 8 --repeats 4\n"
        "  punie eval suite.yaml --model models/tiny --resume\n\n"
        "Every answer is stored when it comes (.punie/runs/RUN/responses.jsonl). Temperature 0 and "
        "512 tokens\nunless the suite or an option says otherwise. Exit code 1 when a prompt has "
        "no "
        "answer or a gate is missed.\n"
        "An API key for --url is taken from PUNIE_API_KEY or OPENAI_API_KEY."
    );
    commands.on(sub, [options](Terminal& terminal) { return run_eval(*options, terminal); });
}

}  // namespace punie::cli
