// cli/score_command.cpp: `punie score`, recorded answers judged again, without a server.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/eval_summary.hpp"
#include "cli/ticker.hpp"

namespace punie::cli {

namespace {

struct ScoreOptions {
    std::string suite;
    std::string responses;
    std::optional<double> threshold;
    std::size_t show_wrong = 5;
    bool samples = false;
    bool json = false;
};

Result<pipeline::EvalOutcome> judge(const ScoreOptions& options, Terminal& terminal) {
    const Ticker ticker(terminal, [](std::chrono::duration<double> time) {
        return fmt::format("judging, {}", human_duration(time));
    });
    std::error_code ignored;
    if (std::filesystem::is_directory(options.responses, ignored))
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} is a folder", options.responses),
            "name the responses.jsonl in it"
        );
    pipeline::EvalOutcome outcome;
    auto suite = eval::read_suite(options.suite);
    if (!suite) return std::unexpected(std::move(suite).error());
    outcome.suite = *std::move(suite);
    auto scored = eval::score_responses(outcome.suite, options.responses);
    if (!scored) return std::unexpected(std::move(scored).error());
    outcome.scored = *std::move(scored);
    pipeline::summarise(outcome, options.responses);
    outcome.responses = options.responses;
    return outcome;
}

ExitCode run_score(const ScoreOptions& options, Terminal& terminal) {
    auto outcome = judge(options, terminal);
    terminal.clear_progress();
    if (!outcome) return terminal.report_input(outcome.error(), options.json);
    if (options.json) {
        terminal.print(to_text(evaluation_json(*outcome, options.samples)));
    } else {
        show_evaluation(terminal, *outcome, options.show_wrong);
    }
    return judge_limits(terminal, *outcome, options.threshold);
}

}  // namespace

void add_score(CLI::App& app, Commands& commands) {
    auto options = std::make_shared<ScoreOptions>();
    auto* sub = app.add_subcommand("score", "Judge recorded answers again, without a server");
    sub->add_option("suite", options->suite, "Suite: YAML or JSONL")->required();
    sub->add_option("responses", options->responses, "responses.jsonl, of Punie or from elsewhere")
        ->required();
    sub->add_option("--threshold", options->threshold, "Exit code 1 if fewer passed (0 to 1)")
        ->check(CLI::Range(0.0, 1.0));
    sub->add_option("--show-wrong", options->show_wrong, "Wrong answers to show")
        ->capture_default_str();
    sub->add_flag("--samples", options->samples, "With --json: every sample with its judgements");
    sub->add_flag("--json", options->json, "One JSON object");
    sub->footer(
        "Examples:\n"
        "  punie score suite.yaml .punie/runs/eval-1a2b3c4d/responses.jsonl\n"
        "  punie score suite.yaml responses.jsonl --json --samples\n\n"
        "docs/responses.md describes a record; OpenAI's batch output is read as it is."
    );
    commands.on(sub, [options](Terminal& terminal) { return run_score(*options, terminal); });
}

}  // namespace punie::cli
