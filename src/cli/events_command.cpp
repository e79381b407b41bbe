// cli/events_command.cpp: `punie events`, what happened in the gateway.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.hpp"
#include "cli/control_client.hpp"
#include "cli/control_view.hpp"
#include "cli/interrupt.hpp"

namespace punie::cli {

namespace {

struct EventsOptions {
    std::string socket;
    std::uint64_t after = 0;
    bool follow = false;
    bool json = false;
};

ExitCode run_events(const EventsOptions& options, Terminal& terminal) {
    const ControlClient client(options.socket);
    Interrupt interrupt;
    const auto followed = client.follow(
        fmt::format("/control/events?after={}{}", options.after, options.follow ? "&follow=1" : ""),
        [&](std::string_view line) {
            if (options.json) {
                terminal.print(line);
            } else if (const auto event = parse_json(line)) {
                terminal.print(event_line(*event, terminal));
            }
            return true;
        },
        interrupt.token()
    );
    if (!followed) return terminal.report(followed.error(), options.json);
    return interrupt.happened() ? ExitCode::interrupted : ExitCode::done;
}

}  // namespace

void add_events(CLI::App& app, Commands& commands) {
    auto options = std::make_shared<EventsOptions>();
    auto* sub = app.add_subcommand("events", "Print what happened in the gateway");
    sub->add_flag("-f,--follow", options->follow, "Go on with new ones until Ctrl-C");
    sub->add_option("--after", options->after, "Only events with a higher number");
    sub->add_flag("--json", options->json, "An event a line, as JSON");
    add_socket_option(*sub, options->socket);
    sub->footer(
        "Examples:\n"
        "  punie events\n"
        "  punie events -f --json\n\n"
        "Loads, unloads, evictions, crashes and refusals, with their reasons. Exit code 3 when no "
        "gateway runs."
    );
    commands.on(sub, [options](Terminal& terminal) { return run_events(*options, terminal); });
}

}  // namespace punie::cli
