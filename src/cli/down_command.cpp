// cli/down_command.cpp: `punie down`, the gateway's end.

#include <fmt/format.h>
#include <csignal>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <filesystem>
#include <memory>

#include "cli/background.hpp"
#include "cli/commands.hpp"
#include "cli/control_client.hpp"
#include "cli/interrupt.hpp"
#include "cli/ticker.hpp"

namespace punie::cli {

namespace {

struct DownOptions {
    std::string socket;
    int limit = 120;
    bool force = false;
    bool json = false;
};

/// Asks, then insists.
bool stop_gateway(const DownOptions& options, pid_t pid, const std::stop_token& stop) {
    using std::chrono::seconds;
    if (!options.force) return wait_gone(pid, seconds(options.limit), stop);
    ::kill(pid, SIGTERM);  // the second wish to stop: answers are torn
    if (wait_gone(pid, seconds(10), stop)) return true;
    if (stop.stop_requested()) return false;
    ::kill(pid, SIGKILL);  // the guards end its servers
    return wait_gone(pid, seconds(5), stop);
}

ExitCode run_down(const DownOptions& options, Terminal& terminal) {
    const ControlClient client(options.socket);
    const auto pid = client.running_pid();
    if (!pid) return terminal.report(pid.error(), options.json);
    if (const auto asked = client.ask("POST", "/control/stop"); !asked && !options.force)
        return terminal.report(asked.error(), options.json);
    Interrupt interrupt;
    bool gone = false;
    {
        const Ticker ticker(terminal, [](std::chrono::duration<double> time) {
            return fmt::format(
                "{:.0f} s  waiting until running answers have ended (--force does not wait)",
                time.count()
            );
        });
        gone = stop_gateway(options, *pid, interrupt.token());
    }
    if (interrupt.happened()) {
        terminal.note(fmt::format("the gateway, pid {}, is still ending", *pid));
        return ExitCode::interrupted;
    }
    if (!gone) {
        return terminal.report(
            Error(
                ErrorCode::timeout,
                fmt::format("the gateway, pid {}, still runs after {} s", *pid, options.limit)
            )
                .with_hint("punie down --force"),
            options.json
        );
    }
    std::error_code ignored;  // a record that stays misleads nobody: the socket is asked
    std::filesystem::remove(record_of(client.socket()), ignored);
    if (options.json) {
        terminal.print(to_text(json::object{{"event", "down"}, {"pid", *pid}}));
    } else {
        terminal.print(fmt::format("the gateway, pid {}, has ended", *pid));
    }
    return ExitCode::done;
}

}  // namespace

void add_down(CLI::App& app, Commands& commands) {
    auto options = std::make_shared<DownOptions>();
    auto* sub = app.add_subcommand("down", "Stop the gateway that runs in the background");
    add_socket_option(*sub, options->socket);
    sub->add_flag("--force", options->force, "Tear running answers instead of waiting for them");
    sub->add_option("--limit", options->limit, "Seconds to wait for its end")
        ->check(CLI::Range(1, 86'400))
        ->capture_default_str();
    sub->add_flag("--json", options->json, "The result as one JSON object");
    sub->footer(
        "Examples:\n"
        "  punie down\n"
        "  punie down --force\n\n"
        "Returns when it and all its servers have ended. Exit code 3 when no gateway runs."
    );
    commands.on(sub, [options](Terminal& terminal) { return run_down(*options, terminal); });
}

}  // namespace punie::cli
