// cli/ps_command.cpp: `punie ps`, what the gateway serves and how it is.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.hpp"
#include "cli/control_client.hpp"
#include "cli/control_view.hpp"

namespace punie::cli {

namespace {

struct PsOptions {
    std::string socket;
    bool json = false;
};

ExitCode run_ps(const PsOptions& options, Terminal& terminal) {
    const ControlClient client(options.socket);
    const auto answer = client.ask("GET", "/control/ps");
    if (!answer) return terminal.report(answer.error(), options.json);
    if (options.json) {
        terminal.print(to_text(*answer));
        return ExitCode::done;
    }
    terminal.print(memory_line(*answer));
    for (const auto& line : model_table(*answer, terminal)) terminal.print(line);
    return ExitCode::done;
}

}  // namespace

void add_ps(CLI::App& app, Commands& commands) {
    auto options = std::make_shared<PsOptions>();
    auto* sub = app.add_subcommand("ps", "List the gateway's models with state and memory");
    add_socket_option(*sub, options->socket);
    sub->add_flag("--json", options->json, "The gateway's answer as one JSON object");
    sub->footer(
        "Examples:\n"
        "  punie ps\n"
        "  punie ps --json | jq '.models[] | select(.state == \"ready\") | .name'\n\n"
        "Exit code 3 when no gateway runs."
    );
    commands.on(sub, [options](Terminal& terminal) { return run_ps(*options, terminal); });
}

}  // namespace punie::cli
