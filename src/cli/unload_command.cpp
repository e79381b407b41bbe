// cli/unload_command.cpp: `punie unload`, memory given back.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.hpp"
#include "cli/control_client.hpp"
#include "cli/interrupt.hpp"
#include "cli/ticker.hpp"

namespace punie::cli {

namespace {

struct UnloadOptions {
    std::string model;
    std::string socket;
    bool force = false;
    bool json = false;
};

ExitCode run_unload(const UnloadOptions& options, Terminal& terminal) {
    const ControlClient client(options.socket);
    Interrupt interrupt;
    Result<json::value> answer;
    {
        const Ticker ticker(terminal, [&options](std::chrono::duration<double> time) {
            return fmt::format(
                "{:.0f} s  waiting until {} has ended its answers (--force does not wait)",
                time.count(),
                options.model
            );
        });
        answer = client.ask(
            "POST",
            fmt::format(
                "/control/models/{}/unload{}",
                encoded(options.model),
                options.force ? "?force=1" : ""
            ),
            interrupt.token()
        );
    }
    if (!answer) return terminal.report(answer.error(), options.json);
    if (options.json) {
        terminal.print(to_text(*answer));
    } else {
        terminal.print(fmt::format("{} is unloaded", options.model));
    }
    return ExitCode::done;
}

}  // namespace

void add_unload(CLI::App& app, Commands& commands) {
    auto options = std::make_shared<UnloadOptions>();
    auto* sub = app.add_subcommand("unload", "Have the gateway stop a model's server");
    sub->add_option("model", options->model, "Name or alias of the model")->required();
    add_socket_option(*sub, options->socket);
    sub->add_flag("--force", options->force, "Tear running answers instead of waiting for them");
    sub->add_flag("--json", options->json, "The model's status as one JSON object");
    sub->footer(
        "Examples:\n"
        "  punie unload qwen\n"
        "  punie unload qwen --force\n\n"
        "The next request for it loads it again. Exit code 3 when no gateway runs."
    );
    commands.on(sub, [options](Terminal& terminal) { return run_unload(*options, terminal); });
}

}  // namespace punie::cli
