#include <fmt/format.h>
#include <csignal>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/usage_words.hpp"

namespace punie::cli {

namespace {

void build(CLI::App& app, Commands& commands) {
    app.name("punie");
    app.set_version_flag("--version", "punie " PUNIE_VERSION, "Print the version and exit");
    app.require_subcommand(0, 1);
    app.failure_message(CLI::FailureMessage::simple);
    app.footer(
        "Examples:\n"
        "  punie doctor                                   what works on this machine, and what "
        "does not\n"
        "  punie serve --model models/tiny                one model at http://127.0.0.1:8080/v1\n"
        "  punie chat --model models/tiny --once \"Hello\"  one answer from a server started for "
        "it\n"
        "  punie bench train --model models/tiny          is LoRA training feasible here?\n\n"
        "Exit codes: 0 done, 1 ran and failed, 2 bad usage or configuration, 3 a needed program or "
        "server is\n"
        "missing or broken, 130 interrupted."
    );
    add_serve(app, commands);
    add_up(app, commands);
    add_down(app, commands);
    add_ps(app, commands);
    add_load(app, commands);
    add_unload(app, commands);
    add_logs(app, commands);
    add_events(app, commands);
    add_top(app, commands);
    add_service(app, commands);
    add_chat(app, commands);
    add_bench(app, commands);
    add_train(app, commands);
    add_fuse(app, commands);
    add_quantise(app, commands);
    add_dataset(app, commands);
    add_suite(app, commands);
    add_eval(app, commands);
    add_score(app, commands);
    add_compare(app, commands);
    add_run(app, commands);
    add_init(app, commands);
    add_journal(app, commands);
    add_report(app, commands);
    add_view(app, commands);
    add_doctor(app, commands);
    add_completions(app, commands);
    check_numbers(app);
}

/// The innermost sub-command that was named.
CLI::App* chosen(CLI::App& app) {
    CLI::App* at = &app;
    while (true) {
        const auto below = at->get_subcommands();
        if (below.empty()) return at;
        at = below.front();
    }
}

std::vector<std::string> words_of(const CLI::App& app) {
    std::vector<std::string> words;
    for (const auto* option : app.get_options()) {
        for (const auto& name : option->get_lnames()) words.push_back("--" + name);
    }
    for (const auto* sub : app.get_subcommands({})) words.push_back(sub->get_name());
    return words;
}

/// CLI11 says what it did not expect; a person wants to know what was meant.
std::string suggestion(CLI::App& app, const CLI::ParseError& error) {
    if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr) return {};
    const auto* at = chosen(app);
    for (const auto& word : app.remaining(true)) {
        const auto name = word.substr(0, word.find('='));
        if (const auto close = nearest(name, words_of(*at)))
            return fmt::format("did you mean {}?", *close);
    }
    return {};
}

ExitCode usage_error(CLI::App& app, const CLI::ParseError& error, Terminal& terminal) {
    auto at = chosen(app);
    std::string command = "punie";
    if (at != &app)
        command = at->get_parent() == &app
                      ? "punie " + at->get_name()
                      : fmt::format("punie {} {}", at->get_parent()->get_name(), at->get_name());
    auto hint = suggestion(app, error);
    if (hint.empty()) hint = fmt::format("see {} --help", command);
    return terminal.report(
        Error(ErrorCode::invalid_argument, usage_words(error.what())).with_hint(hint)
    );
}

}  // namespace

namespace {

std::string& command_line() {
    static std::string line;
    return line;
}

}  // namespace

const std::string& typed_command() {
    return command_line();
}

int run_punie(std::vector<std::string> arguments) {
    command_line() = "punie";
    if (!arguments.empty()) command_line() += " " + shell_quoted(arguments);
    ::signal(
        SIGPIPE, SIG_IGN
    );  // NOLINT(cert-err33-c): a reader that goes away is an error value of the write
    Terminal terminal;
    Commands commands;
    CLI::App app(
        "Run and fine-tune language models on your own machine: serve, measure, train, evaluate"
    );
    build(app, commands);
    try {
        std::ranges::reverse(arguments);  // CLI11 takes them from the back
        app.parse(std::move(arguments));
    } catch (const CLI::Success& success) {
        return app.exit(success);  // --help and --version
    } catch (const CLI::ParseError& error) {
        return static_cast<int>(usage_error(app, error, terminal));
    }
    const auto* run = commands.find(chosen(app));
    if (run == nullptr) {
        terminal.note(chosen(app)->help());
        return static_cast<int>(ExitCode::usage);
    }
    try {
        return static_cast<int>((*run)(terminal));
    } catch (const std::exception& thrown
    ) {  // the library reports by values: this is a fault of ours
        terminal.note(fmt::format("punie: internal error: {}", thrown.what()));
        return static_cast<int>(ExitCode::failed);
    }
}

}  // namespace punie::cli
