// cli/suite_command.cpp: `punie suite`, a suite looked at before it is asked.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <memory>
#include <set>

#include "base/files.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/suite_from_capture.hpp"
#include "eval/plan.hpp"
#include "eval/suite_lint.hpp"
#include "eval/suite_parts.hpp"

namespace punie::cli {

namespace {

struct SuiteOptions {
    std::string file;
    std::vector<std::string> only;
    std::vector<std::string> against;
    bool json = false;
};

/// The prompts that `--only` names; the requests are what `punie eval` would send.
Result<eval::Plan> planned(const eval::Suite& suite, const SuiteOptions& options) {
    eval::PlanOptions plan;
    plan.only = options.only;
    plan.repeats = 1;
    return eval::make_plan(suite, plan);
}

json::array expectations_json(const eval::Prompt& prompt) {
    json::array expectations;
    expectations.reserve(prompt.expect.size());
    for (const auto& expectation : prompt.expect)
        expectations.push_back(json::object{
            {expectation.scorer, expectation.parameters}, {"weight", expectation.weight}
        });
    return expectations;
}

json::object prompt_json(const eval::Prompt& prompt, const json::object& request) {
    return {
        {"id", prompt.id},
        {"group", prompt.group},
        {"category", prompt.category},
        {"repeats", prompt.repeats},
        {"line", prompt.line},
        {"request", request},
        {"expect", expectations_json(prompt)}
    };
}

json::object head_json(const eval::Suite& suite) {
    json::array gates;
    gates.reserve(suite.gates.size());
    for (const auto& gate : suite.gates)
        gates.push_back(json::object{
            {"metric", gate.metric}, {"at_least", gate.at_least}, {"lower_bound", gate.lower_bound}
        });
    return {
        {"suite", suite.name},
        {"version", suite.version},
        {"file", suite.file.native()},
        {"hash", suite.hash},
        {"asked_hash", suite.asked_hash},
        {"gates", std::move(gates)},
        {"no_regression", json::value_from(suite.no_regression)}
    };
}

/// "120 prompts in 20 groups, categories known-city (60), new-city (60)"
std::string counted(const eval::Suite& suite) {
    std::set<std::string> groups;
    std::map<std::string, std::size_t> categories;
    for (const auto& prompt : suite.prompts) {
        if (!prompt.group.empty()) groups.insert(prompt.group);
        if (!prompt.category.empty()) ++categories[prompt.category];
    }
    auto text = fmt::format("{} prompts", suite.prompts.size());
    if (!groups.empty()) text += fmt::format(" in {} groups", groups.size());
    std::vector<std::string> parts;
    parts.reserve(categories.size());
    for (const auto& [name, count] : categories)
        parts.push_back(fmt::format("{} ({})", name, count));
    if (!parts.empty()) text += fmt::format(", categories {}", fmt::join(parts, ", "));
    return text;
}

std::string content_text(const json::value& message) {
    const auto* content = member(message, "content");
    if (content == nullptr || content->is_null()) return {};
    return content->is_string() ? std::string(content->get_string()) : to_text(*content);
}

void print_message(Terminal& terminal, const json::value& message) {
    const auto role = string_member(message, "role").value_or("");
    const auto lines = split_lines(content_text(message));
    for (std::size_t i = 0; i < lines.size(); ++i)
        terminal.print(fmt::format("  {:<10}{}", i == 0 ? role : "", printable(lines[i])));
    if (const auto* calls = member(message, "tool_calls"))
        terminal.print(fmt::format("  {:<10}{}", lines.empty() ? role : "", to_text(*calls)));
}

std::string tool_names(const eval::Prompt& prompt) {
    std::vector<std::string> names;
    names.reserve(prompt.tools.size());
    for (const auto& tool : prompt.tools) {
        const auto* function = member(tool, "function");
        if (function != nullptr) names.push_back(string_member(*function, "name").value_or("?"));
    }
    return fmt::format("{}", fmt::join(names, ", "));
}

void print_prompt(Terminal& terminal, const eval::Prompt& prompt, const json::object& request) {
    std::vector<std::string> notes;
    if (!prompt.group.empty()) notes.push_back("group " + prompt.group);
    if (!prompt.category.empty()) notes.push_back("category " + prompt.category);
    if (prompt.repeats > 1) notes.push_back(fmt::format("{} samples", prompt.repeats));
    terminal.print(fmt::format(
        "{}  {}",
        terminal.paint(Colour::bold, printable(prompt.id)),
        terminal.paint(Colour::dim, printable(fmt::format("{}", fmt::join(notes, ", "))))
    ));
    for (const auto& message : prompt.messages) print_message(terminal, message);
    if (!prompt.tools.empty())
        terminal.print(fmt::format("  {:<10}{}", "tools", tool_names(prompt)));
    auto sampling = request;
    for (const auto* name : {"model", "messages", "tools"}) sampling.erase(name);
    terminal.print(fmt::format("  {:<10}{}", "sampling", eval::canonical_json(sampling)));
    for (const auto& expectation : prompt.expect) {
        const auto weight = expectation.weight == 1
                                ? std::string{}
                                : fmt::format("  (weight {})", expectation.weight);
        terminal.print(fmt::format(
            "  {:<10}{} {}{}",
            "expect",
            expectation.scorer,
            printable(to_text(expectation.parameters)),
            weight
        ));
    }
}

ExitCode run_show(const SuiteOptions& options, Terminal& terminal) {
    const auto suite = eval::read_suite(options.file);
    if (!suite) return terminal.report(suite.error(), options.json);
    const auto plan = planned(*suite, options);
    if (!plan) return terminal.report(plan.error(), options.json);
    if (options.json) {
        auto result = head_json(*suite);
        json::array prompts;
        prompts.reserve(plan->requests.size());
        for (const auto& request : plan->requests)
            prompts.push_back(prompt_json(suite->prompts[request.prompt], request.body));
        result["prompts"] = std::move(prompts);
        terminal.print(to_text(result));
        return ExitCode::done;
    }
    terminal.print(fmt::format(
        "{}  {}",
        terminal.paint(Colour::bold, printable(suite->name)),
        terminal.paint(
            Colour::dim, fmt::format("{}, {}", suite->file.native(), suite->hash.substr(0, 12))
        )
    ));
    terminal.print(counted(*suite));
    for (const auto& request : plan->requests) {
        terminal.print("");
        print_prompt(terminal, suite->prompts[request.prompt], request.body);
    }
    return ExitCode::done;
}

Colour colour_of(eval::LintSeverity severity) {
    switch (severity) {
        case eval::LintSeverity::error:
            return Colour::red;
        case eval::LintSeverity::warning:
            return Colour::yellow;
        case eval::LintSeverity::note:
            break;
    }
    return Colour::dim;
}

void print_finding(Terminal& terminal, const std::string& file, const eval::LintFinding& finding) {
    auto where = file;
    if (finding.line > 0) where += fmt::format(":{}", finding.line);
    const auto prompt = finding.prompt.empty() ? std::string{} : printable(finding.prompt) + ": ";
    terminal.print(fmt::format(
        "{}: {}: {}{} [{}]",
        where,
        terminal.paint(colour_of(finding.severity), eval::name_of(finding.severity)),
        prompt,
        printable(finding.message),
        finding.code
    ));
}

json::object lint_json(
    const eval::Suite& suite, const std::vector<eval::LintFinding>& findings, bool fine
) {
    json::array list;
    list.reserve(findings.size());
    for (const auto& finding : findings)
        list.push_back(json::object{
            {"code", finding.code},
            {"severity", eval::name_of(finding.severity)},
            {"line", finding.line},
            {"prompt", finding.prompt},
            {"message", finding.message}
        });
    auto result = head_json(suite);
    result["prompts"] = suite.prompts.size();
    result["ok"] = fine;
    result["findings"] = std::move(list);
    return result;
}

ExitCode run_lint(const SuiteOptions& options, Terminal& terminal) {
    const auto read = eval::read_suite_with_notes(options.file);
    if (!read) return terminal.report(read.error(), options.json);
    const auto findings = eval::lint_suite(*read, {options.against.begin(), options.against.end()});
    if (!findings) return terminal.report(findings.error(), options.json);
    const auto serious = std::ranges::count_if(*findings, [](const eval::LintFinding& finding) {
        return finding.severity != eval::LintSeverity::note;
    });
    if (options.json) {
        terminal.print(to_text(lint_json(read->suite, *findings, serious == 0)));
    } else {
        for (const auto& finding : *findings) print_finding(terminal, options.file, finding);
        terminal.print(fmt::format(
            "{}: {}: {}",
            options.file,
            counted(read->suite),
            serious == 0 ? std::string("nothing to put right")
                         : fmt::format("{} to put right", serious)
        ));
    }
    return serious == 0 ? ExitCode::done : ExitCode::failed;
}

/// Indented: people read it and keep it beside their suites.
void print_pretty(std::string& text, const json::value& value, std::size_t depth) {
    const std::string margin(2 * (depth + 1), ' ');
    const auto close = [&](char bracket) {
        text += fmt::format("\n{}{}", std::string(2 * depth, ' '), bracket);
    };
    if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
        text += '{';
        for (const auto& entry : *object) {
            text += fmt::format(
                "{}\n{}{}: ",
                &entry == object->begin() ? "" : ",",
                margin,
                to_text(json::string(entry.key()))
            );
            print_pretty(text, entry.value(), depth + 1);
        }
        close('}');
        return;
    }
    const auto* list = value.if_array();
    const bool nested = list != nullptr && std::ranges::any_of(*list, [](const json::value& item) {
                            return item.is_object() || item.is_array();
                        });
    if (!nested) {
        text += to_text(value);
        return;
    }
    text += '[';
    for (const auto& item : *list) {
        text += fmt::format("{}\n{}", &item == list->begin() ? "" : ",", margin);
        print_pretty(text, item, depth + 1);
    }
    close(']');
}

ExitCode run_schema(Terminal& terminal) {
    std::string text;
    print_pretty(text, eval::suite_schema(), 0);
    terminal.print(text);
    return ExitCode::done;
}

void add_show(CLI::App& suite, Commands& commands) {
    auto options = std::make_shared<SuiteOptions>();
    auto* sub = suite.add_subcommand("show", "Print the prompts as they would be sent");
    sub->add_option("suite", options->file, "Suite (.yaml, .json or .jsonl)")->required();
    sub->add_option(
        "--only", options->only, "Ids, groups or categories; * stands for anything (repeatable)"
    );
    sub->add_flag("--json", options->json, "One JSON object");
    sub->footer(
        "Examples:\n"
        "  punie suite show suites/tools.yaml\n"
        "  punie suite show examples/quickstart/suite.yaml --only 'cold-*' --json"
    );
    commands.on(sub, [options](Terminal& terminal) { return run_show(*options, terminal); });
}

void add_lint(CLI::App& suite, Commands& commands) {
    auto options = std::make_shared<SuiteOptions>();
    auto* sub = suite.add_subcommand("lint", "Find what makes a suite's results worth less");
    sub->add_option("suite", options->file, "Suite (.yaml, .json or .jsonl)")->required();
    sub->add_option(
        "--against",
        options->against,
        "Training rows (.jsonl, or a folder of them) that must not hold the suite's questions"
    );
    sub->add_flag("--json", options->json, "One JSON object");
    sub->footer(
        "Examples:\n"
        "  punie suite lint suites/tools.yaml\n"
        "  punie suite lint examples/quickstart/suite.yaml --against examples/quickstart/data\n\n"
        "Exit code 1 when there are warnings or errors; notes do not count. docs/suites.md lists "
        "the findings."
    );
    commands.on(sub, [options](Terminal& terminal) { return run_lint(*options, terminal); });
}

struct FromCapture {
    std::string capture;
    std::string output;
    FromCaptureOptions options;
    bool json = false;
};

ExitCode run_from_capture(const FromCapture& command, Terminal& terminal) {
    const auto lines = read_text(command.capture);
    if (!lines) return terminal.report(lines.error(), command.json);
    auto options = command.options;
    options.yaml = !command.output.ends_with(".jsonl");
    const auto suite = suite_from_capture(*lines, options);
    if (!suite) return terminal.report(suite.error(), command.json);
    // Read back before it is written: a suite that cannot be read helps nobody.
    if (const auto read = eval::parse_suite(suite->text, command.output); !read)
        return terminal.report(read.error(), command.json);
    if (const auto written = write_atomic(command.output, suite->text); !written)
        return terminal.report(written.error(), command.json);
    if (command.json) {
        terminal.print(to_text(json::object{
            {"file", command.output},
            {"prompts", suite->prompts},
            {"repeated", suite->repeated},
            {"no_chat", suite->no_chat},
            {"broken", suite->broken},
            {"unjudged", suite->unjudged}
        }));
        return ExitCode::done;
    }
    terminal.print(fmt::format(
        "{}: {} prompts; left out: {} asked again, {} that are no chat, {} broken lines",
        command.output,
        suite->prompts,
        suite->repeated,
        suite->no_chat,
        suite->broken
    ));
    if (suite->unjudged > 0)
        terminal.print(fmt::format(
            "{} of them only have to be answered: say in `expect` what the answer must be",
            suite->unjudged
        ));
    return ExitCode::done;
}

void add_from_capture(CLI::App& suite, Commands& commands) {
    auto command = std::make_shared<FromCapture>();
    auto* sub =
        suite.add_subcommand("from-capture", "Make a suite of the gateway's captured chats");
    sub->add_option("capture", command->capture, "Captured requests (.jsonl)")->required();
    sub->add_option("-o,--output", command->output, "Suite to write (.yaml or .jsonl)")->required();
    sub->add_option("--name", command->options.name, "The suite's name")->capture_default_str();
    sub->add_option("--model", command->options.model, "Only requests for this model");
    sub->add_option("--limit", command->options.limit, "Prompts at most (0: all)")
        ->capture_default_str();
    sub->add_flag("--json", command->json, "The counts as one JSON object");
    sub->footer(
        "Examples:\n"
        "  punie suite from-capture capture.jsonl -o suite.yaml\n"
        "  punie suite from-capture capture.jsonl -o suite.jsonl --model qwen --limit 200\n\n"
        "What is expected is what was answered then: look at it before you trust a score."
    );
    commands.on(sub, [command](Terminal& terminal) {
        return run_from_capture(*command, terminal);
    });
}

}  // namespace

void add_suite(CLI::App& app, Commands& commands) {
    auto* suite = app.add_subcommand("suite", "Look at a suite of prompts before asking it");
    suite->require_subcommand(0, 1);
    add_show(*suite, commands);
    add_lint(*suite, commands);
    add_from_capture(*suite, commands);
    auto* schema = suite->add_subcommand("schema", "Print the JSON Schema of suites, for editors");
    schema->footer(
        "Example:\n"
        "  punie suite schema > suite.schema.json\n"
        "  # yaml-language-server: $schema=suite.schema.json     as first line of the suite"
    );
    commands.on(schema, [](Terminal& terminal) { return run_schema(terminal); });
}

}  // namespace punie::cli
