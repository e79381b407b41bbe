// cli/up_command.cpp: `punie up`, the gateway in the background.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "base/files.hpp"
#include "cli/background.hpp"
#include "cli/commands.hpp"
#include "cli/control_client.hpp"
#include "cli/interrupt.hpp"
#include "cli/ticker.hpp"
#include "fleet/gateway_config.hpp"

namespace punie::cli {

namespace fs = std::filesystem;

namespace {

struct UpOptions {
    std::string file;
    std::string models_dir;
    bool hub_cache = false;
    std::string host;
    int port = -1;
    std::string log;
    std::string socket;
    int limit = 60;
    bool json = false;
};

std::string absolute(const std::string& path) {
    std::error_code kept;
    const auto whole = fs::absolute(path, kept);
    return kept ? path : whole.lexically_normal().native();
}

std::vector<std::string> serve_arguments(const UpOptions& options) {
    std::vector<std::string> arguments{"serve"};
    if (!options.file.empty()) arguments.push_back(absolute(options.file));
    if (!options.models_dir.empty()) {
        arguments.emplace_back("--models-dir");
        arguments.push_back(absolute(options.models_dir));
    }
    if (options.hub_cache) arguments.emplace_back("--hub-cache");
    if (!options.host.empty()) {
        arguments.emplace_back("--host");
        arguments.push_back(options.host);
    }
    if (options.port >= 0) {
        arguments.emplace_back("--port");
        arguments.push_back(std::to_string(options.port));
    }
    return arguments;
}

/// Where the gateway of this file will answer: what the file says goes before the default place.
Result<fs::path> socket_of(const UpOptions& options) {
    if (options.file.empty()) return ControlClient(options.socket).socket();
    const auto config = fleet::load_gateway_config(options.file);  // its faults, at once
    if (!config) return std::unexpected(config.error());
    if (config->control_socket.empty()) return ControlClient(options.socket).socket();
    if (!options.socket.empty() && fs::path(options.socket) != config->control_socket) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "--socket: {} was given, but {} has its gateway listen at {}",
                options.socket,
                options.file,
                config->control_socket.native()
            )
        );
    }
    return config->control_socket;
}

ExitCode run_up(const UpOptions& options, Terminal& terminal) {
    if (options.file.empty() == options.models_dir.empty()) {
        return terminal.report(
            Error(ErrorCode::invalid_argument, "name either a file or --models-dir")
                .with_hint("punie up punie.yaml"),
            options.json
        );
    }
    const auto socket = socket_of(options);
    if (!socket) return terminal.report(socket.error(), options.json);
    BackgroundOptions background;
    background.arguments = serve_arguments(options);
    background.socket = absolute(*socket);
    background.log =
        options.log.empty() ? state_folder() / "gateway.log" : fs::path(absolute(options.log));
    background.limit = std::chrono::seconds(options.limit);
    Interrupt interrupt;
    Result<Background> started;
    {
        const Ticker ticker(terminal, [](std::chrono::duration<double> time) {
            return fmt::format("{:.0f} s  waiting until the gateway listens", time.count());
        });
        started = start_background(background, interrupt.token());
    }
    if (!started) return terminal.report(started.error(), options.json);
    if (options.json) {
        terminal.print(to_text(json::object{
            {"event", "up"},
            {"pid", started->pid},
            {"socket", background.socket.native()},
            {"log", background.log.native()},
            {"dashboard", started->dashboard}
        }));
        return ExitCode::done;
    }
    terminal.print(fmt::format("the gateway runs, pid {}", started->pid));
    if (!started->dashboard.empty())
        terminal.print(fmt::format("  dashboard  {}", started->dashboard));
    terminal.print(fmt::format("  log        {}", background.log.native()));
    terminal.print("  punie ps shows its models, punie down stops it");
    return ExitCode::done;
}

}  // namespace

void add_up(CLI::App& app, Commands& commands) {
    auto options = std::make_shared<UpOptions>();
    auto* sub = app.add_subcommand("up", "Start the gateway in the background");
    sub->add_option("file", options->file, "Configuration (punie.yaml)");
    sub->add_option("--models-dir", options->models_dir, "Or: serve every model of this folder");
    sub->add_flag("--hub-cache", options->hub_cache, "With --models-dir: those downloaded, too");
    sub->add_option("--host", options->host, "Address to listen on, over the file's");
    sub->add_option("--port", options->port, "Port to listen on, over the file's")
        ->check(CLI::Range(0, 65'535));
    sub->add_option("--log", options->log, "File for its output")->type_name("FILE");
    sub->add_option("--limit", options->limit, "Seconds to wait until it listens")
        ->check(CLI::Range(1, 86'400))
        ->capture_default_str();
    add_socket_option(*sub, options->socket);
    sub->add_flag("--json", options->json, "Pid, socket, log and dashboard as one JSON object");
    sub->footer(
        "Examples:\n"
        "  punie up punie.yaml\n"
        "  punie up --models-dir ~/models\n\n"
        "Returns when it listens, or says why it does not. A second one at the same control socket "
        "is refused. For a\nstart at log-in see punie service."
    );
    commands.on(sub, [options](Terminal& terminal) { return run_up(*options, terminal); });
}

}  // namespace punie::cli
