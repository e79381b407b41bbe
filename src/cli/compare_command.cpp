// cli/compare_command.cpp: `punie compare`, is B better than A, and how sure is that?

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <iterator>
#include <memory>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/compare_sources.hpp"
#include "compare/compare.hpp"
#include "compare/gates.hpp"
#include "compare/render.hpp"

namespace punie::cli {

namespace {

struct CompareCommand {
    std::vector<std::string> variants;
    std::vector<std::string> names;
    std::string baseline;
    SourceOptions sources;
    compare::CompareOptions compare;
    compare::GateOptions gates;
    std::vector<std::string> categories;
    std::vector<std::string> allow_different;
    std::string at = "mean";
    std::string markdown;
    std::string junit;
    std::size_t show_changed = 10;
    bool json = false;
};

Result<std::size_t> baseline_index(
    const std::vector<compare::ScoreTable>& tables, const std::string& name
) {
    if (name.empty()) return 0;
    std::vector<std::string> names;
    names.reserve(tables.size());
    for (std::size_t at = 0; at < tables.size(); ++at) {
        if (tables[at].name == name || tables[at].source == name) return at;
        names.push_back(tables[at].name);
    }
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("--baseline: no variant is named \"{}\"", name),
        fmt::format("the variants are {}", join_or(names))
    );
}

Result<std::vector<compare::ScoreTable>> read_tables(const CompareCommand& command) {
    std::vector<compare::ScoreTable> tables;
    for (const auto& argument : command.variants) {
        auto read = tables_of(argument, command.sources);
        if (!read) return std::unexpected(std::move(read).error());
        std::ranges::move(*read, std::back_inserter(tables));
    }
    if (auto named = name_tables(tables, command.names); !named)
        return std::unexpected(std::move(named).error());
    return tables;
}

Result<compare::Comparison> compare_all(const CompareCommand& command) {
    auto tables = read_tables(command);
    if (!tables) return std::unexpected(std::move(tables).error());
    auto options = command.compare;
    const auto baseline = baseline_index(*tables, command.baseline);
    if (!baseline) return std::unexpected(baseline.error());
    options.baseline = *baseline;
    options.named_categories = {command.categories.begin(), command.categories.end()};
    options.named_categories.insert(
        command.gates.no_regression.begin(), command.gates.no_regression.end()
    );
    options.allow_different = {command.allow_different.begin(), command.allow_different.end()};
    return compare::compare_variants(*tables, options);
}

Result<void> write_files(
    const CompareCommand& command,
    const compare::Comparison& comparison,
    const std::vector<compare::GateResult>& gates
) {
    if (!command.markdown.empty()) {
        auto written = write_atomic(command.markdown, compare::to_markdown(comparison, gates));
        if (!written) return written;
    }
    if (!command.junit.empty())
        return write_atomic(command.junit, compare::to_junit(comparison, gates));
    return {};
}

void show(
    const CompareCommand& command,
    const compare::Comparison& comparison,
    const std::vector<compare::GateResult>& gates,
    Terminal& terminal
) {
    if (command.json) {
        auto object = compare::to_json(comparison);
        object["gates"] = compare::to_json(gates);
        terminal.print(to_text(object));
        return;
    }
    const auto paint = [&terminal](compare::Emphasis emphasis, std::string_view text) {
        constexpr std::array colours = {Colour::bold, Colour::green, Colour::red, Colour::dim};
        return terminal.paint(colours.at(static_cast<std::size_t>(emphasis)), text);
    };
    terminal.print_raw(compare::to_terminal(comparison, gates, paint, command.show_changed));
}

ExitCode run_compare(CompareCommand& command, Terminal& terminal) {
    command.gates.at_lower = command.at == "lower";
    const auto comparison = compare_all(command);
    if (!comparison) return terminal.report_input(comparison.error(), command.json);
    const auto gates = compare::judge_gates(*comparison, command.gates);
    show(command, *comparison, gates, terminal);
    if (const auto written = write_files(command, *comparison, gates); !written)
        return terminal.report(written.error(), command.json);
    return compare::any_failed(gates) || comparison->unanswered() ? ExitCode::failed
                                                                  : ExitCode::done;
}

void add_reading(CLI::App& sub, CompareCommand& command) {
    const std::string group = "What is compared";
    sub.add_option("variants", command.variants, "Score files or runs of the journal")->required();
    sub.add_option("--name", command.names, "Name of a variant; repeat in their order")
        ->take_all()
        ->allow_extra_args(false)
        ->group(group);
    sub.add_option("--baseline", command.baseline, "The variant to hold the others against")
        ->group(group);
    sub.add_option("--suite", command.sources.suite, "Judges the answers of a responses.jsonl")
        ->group(group);
    sub.add_option("--metric", command.sources.read.metric, "lm-eval's metric, Inspect's scorer")
        ->group(group);
    sub.add_option("--filter", command.sources.read.filter, "lm-eval's filter")->group(group);
    sub.add_flag("--all-pairs", command.compare.all_pairs, "Also the others among themselves")
        ->group(group);
    sub.add_flag(
           "--only-common", command.compare.only_common, "Leave out prompts that one side lacks"
    )
        ->group(group);
    sub.add_option("--category", command.categories, "Test this category too, as named beforehand")
        ->allow_extra_args(false)
        ->group(group);
    sub.add_option(
           "--allow-different",
           command.allow_different,
           "Name the difference instead of refusing: sampling or template"
    )
        ->check(CLI::IsMember({"sampling", "template"}))
        ->allow_extra_args(false)
        ->group(group);
}

void add_gates(CLI::App& sub, CompareCommand& command) {
    const std::string group = "What makes the exit code 1";
    sub.add_option("--threshold", command.gates.threshold, "Mean of the last variant (0 to 1)")
        ->check(CLI::Range(0.0, 1.0))
        ->group(group);
    sub.add_option("--min-gain", command.gates.min_gain, "Its gain over the baseline (-1 to 1)")
        ->check(CLI::Range(-1.0, 1.0))
        ->group(group);
    sub.add_option("--at", command.at, "mean, or lower: the interval's lower bound must reach it")
        ->check(CLI::IsMember({"mean", "lower"}))
        ->capture_default_str()
        ->group(group);
    sub.add_option(
           "--no-regression", command.gates.no_regression, "Category that no variant may lose in"
    )
        ->allow_extra_args(false)
        ->group(group);
}

}  // namespace

void add_compare(CLI::App& app, Commands& commands) {
    auto command = std::make_shared<CompareCommand>();
    auto* sub = app.add_subcommand("compare", "Tell which variant is better, and how sure that is");
    add_reading(*sub, *command);
    add_gates(*sub, *command);
    sub->add_option("--show-changed", command->show_changed, "Changed prompts to show of a pair")
        ->capture_default_str();
    sub->add_flag("--json", command->json, "One JSON object; each figure names its method");
    sub->add_option("--markdown", command->markdown, "Write Markdown to this file");
    sub->add_option("--junit", command->junit, "Write JUnit XML to this file");
    sub->footer(
        "Examples:\n"
        "  punie compare base.jsonl tuned.jsonl\n"
        "  punie compare @baseline @last --no-regression single-call --junit compare.xml\n"
        "  punie compare large/samples_gsm8k.jsonl small/samples_gsm8k.jsonl --filter "
        "strict-match\n"
        "  punie compare promptfoo.json --baseline large --threshold 0.8 --at lower\n\n"
        "Files are known by their content: {\"prompt\",\"group\",\"sample\",\"score\"} a line, "
        "lm-evaluation-harness\nsamples, Inspect logs (JSON), promptfoo outputs, responses.jsonl "
        "with --suite. The first variant is the\nbaseline. Exit codes: 0, 1 a limit missed or "
        "prompts without an answer, 2 bad input or not comparable."
    );
    commands.on(sub, [command](Terminal& terminal) { return run_compare(*command, terminal); });
}

}  // namespace punie::cli
