// cli/logs_command.cpp: `punie logs`, what a model's server printed.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/control_client.hpp"
#include "cli/interrupt.hpp"

namespace punie::cli {

namespace {

struct LogsOptions {
    std::string model;
    std::string socket;
    unsigned lines = 100;
    bool follow = false;
};

ExitCode run_logs(const LogsOptions& options, Terminal& terminal) {
    const ControlClient client(options.socket);
    Interrupt interrupt;
    const auto followed = client.follow(
        fmt::format(
            "/control/models/{}/logs?lines={}{}",
            encoded(options.model),
            options.lines,
            options.follow ? "&follow=1" : ""
        ),
        [&terminal](std::string_view line) {
            terminal.print(printable(line));
            return true;
        },
        interrupt.token()
    );
    if (!followed) return terminal.report(followed.error());
    return interrupt.happened() ? ExitCode::interrupted : ExitCode::done;
}

}  // namespace

void add_logs(CLI::App& app, Commands& commands) {
    auto options = std::make_shared<LogsOptions>();
    auto* sub = app.add_subcommand("logs", "Print what a model's server printed");
    sub->add_option("model", options->model, "Name or alias of the model")->required();
    sub->add_option("-n,--lines", options->lines, "Last lines to print")
        ->check(CLI::Range(0U, 10'000U))
        ->capture_default_str();
    sub->add_flag("-f,--follow", options->follow, "Go on with new lines until Ctrl-C");
    add_socket_option(*sub, options->socket);
    sub->footer(
        "Examples:\n"
        "  punie logs qwen -n 20\n"
        "  punie logs qwen -f\n\n"
        "Exit code 3 when no gateway runs, 130 after Ctrl-C."
    );
    commands.on(sub, [options](Terminal& terminal) { return run_logs(*options, terminal); });
}

}  // namespace punie::cli
