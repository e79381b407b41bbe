// cli/service_command.cpp: `punie service`, the gateway started with the user's session.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/service_unit.hpp"
#include "fleet/gateway_config.hpp"
#include "process/child.hpp"
#include "process/system.hpp"

namespace punie::cli {

namespace fs = std::filesystem;

namespace {

#ifdef __APPLE__
constexpr bool is_macos = true;
#else
constexpr bool is_macos = false;
#endif

constexpr std::string_view job_label = "dev.punie.gateway";

struct ServiceOptions {
    std::string file;
    std::string models_dir;
    bool print = false;
    bool json = false;
};

std::string variable(const char* name) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): read only, nothing in Punie changes the environment
    const char* value = std::getenv(name);
    return value == nullptr ? std::string{} : std::string(value);
}

fs::path unit_file() {
    if (is_macos)
        return fs::path(variable("HOME")) / "Library/LaunchAgents" /
               fmt::format("{}.plist", job_label);
    return config_folder().parent_path() / "systemd/user/punie.service";
}

Result<ServiceSpec> spec_of(const ServiceOptions& options) {
    if (options.file.empty() == options.models_dir.empty()) {
        return fail(
            ErrorCode::invalid_argument,
            "name either a file or --models-dir",
            "punie service install punie.yaml"
        );
    }
    ServiceSpec spec;
    spec.program = process::executable_path();
    spec.path = variable("PATH");
    spec.log = (state_folder() / "gateway.log").native();
    if (options.file.empty()) {
        spec.words = {"serve", "--models-dir", fs::absolute(options.models_dir).native()};
        return spec;
    }
    const auto config = fleet::load_gateway_config(options.file);
    if (!config) return std::unexpected(config.error());  // better now than at every log-in
    spec.words = {"serve", fs::absolute(options.file).native()};
    return spec;
}

/// Runs a command of the service manager; false if it failed or is not there.
bool manager(std::vector<std::string> words, std::string& output) {
    process::SpawnOptions spawn;
    spawn.argv = std::move(words);
    const auto ran = process::run_to_end_blocking(std::move(spawn), std::chrono::seconds(30));
    if (!ran) {
        output = ran.error().message();
        return false;
    }
    output = std::string(trim(ran->output));
    return ran->status.success();
}

std::vector<std::vector<std::string>> start_commands(const fs::path& file) {
    if (is_macos)
        return {{"launchctl", "bootstrap", fmt::format("gui/{}", ::getuid()), file.native()}};
    return {
        {"systemctl", "--user", "daemon-reload"},
        {"systemctl", "--user", "enable", "--now", "punie.service"}
    };
}

std::vector<std::vector<std::string>> stop_commands() {
    if (is_macos)
        return {{"launchctl", "bootout", fmt::format("gui/{}/{}", ::getuid(), job_label)}};
    return {{"systemctl", "--user", "disable", "--now", "punie.service"}};
}

ExitCode run_install(const ServiceOptions& options, Terminal& terminal) {
    const auto spec = spec_of(options);
    if (!spec) return terminal.report(spec.error(), options.json);
    const auto text = is_macos ? launchd_job(*spec) : systemd_unit(*spec);
    if (options.print) {
        terminal.print(trim(text));
        return ExitCode::done;
    }
    const auto file = unit_file();
    if (const auto written = write_atomic(file, text); !written)
        return terminal.report(written.error(), options.json);
    terminal.print(fmt::format("wrote {}", file.native()));
    for (const auto& command : start_commands(file)) {
        std::string output;
        if (manager(command, output)) continue;
        return terminal.report(
            Error(
                ErrorCode::program_missing,
                fmt::format("{} failed: {}", shell_quoted(command), printable(output))
            )
                .with_hint("the file is there: start the service by hand, or punie up"),
            options.json
        );
    }
    terminal.print("the service is started, now and at every log-in");
    if (!is_macos) terminal.print("  its output: journalctl --user -u punie");
    if (!is_macos) terminal.print("  without a log-in: loginctl enable-linger");
    return ExitCode::done;
}

ExitCode run_uninstall(const ServiceOptions& options, Terminal& terminal) {
    const auto file = unit_file();
    std::error_code error;
    if (!fs::exists(file, error)) {
        return terminal.report(
            Error(ErrorCode::not_found, fmt::format("no service is installed ({})", file.native())),
            options.json
        );
    }
    for (const auto& command : stop_commands()) {
        std::string output;
        if (!manager(command, output))
            terminal.note(fmt::format("{}: {}", shell_quoted(command), printable(output)));
    }
    fs::remove(file, error);
    if (error)
        return terminal.report(
            Error(
                ErrorCode::io, fmt::format("cannot remove {}: {}", file.native(), error.message())
            ),
            options.json
        );
    std::string ignored;  // a systemd that is away has nothing to forget
    if (!is_macos) (void)manager({"systemctl", "--user", "daemon-reload"}, ignored);
    terminal.print(fmt::format("removed {}", file.native()));
    return ExitCode::done;
}

ExitCode run_status(const ServiceOptions& options, Terminal& terminal) {
    const auto file = unit_file();
    std::error_code error;
    const bool installed = fs::exists(file, error);
    std::string output;
    const bool active =
        installed &&
        manager(
            is_macos
                ? std::vector<
                      std::
                          string>{"launchctl", "print", fmt::format("gui/{}/{}", ::getuid(), job_label)}
                : std::vector<std::string>{"systemctl", "--user", "is-active", "punie.service"},
            output
        );
    if (options.json) {
        terminal.print(to_text(
            json::object{{"installed", installed}, {"active", active}, {"file", file.native()}}
        ));
    } else if (!installed) {
        terminal.print("no service is installed; punie service install FILE does it");
    } else {
        terminal.print(fmt::format("{}: {}", file.native(), active ? "active" : "not active"));
        if (!active && !output.empty()) terminal.note(printable(output));
    }
    return active ? ExitCode::done : ExitCode::failed;
}

}  // namespace

void add_service(CLI::App& app, Commands& commands) {
    auto* service = app.add_subcommand("service", "Start the gateway with your session");
    service->require_subcommand(0, 1);
    auto options = std::make_shared<ServiceOptions>();
    auto* install = service->add_subcommand(
        "install", "Write a systemd user unit (Linux) or a launchd job (macOS) and start it"
    );
    install->add_option("file", options->file, "Configuration (punie.yaml)");
    install->add_option(
        "--models-dir", options->models_dir, "Or: serve every model of this folder"
    );
    install->add_flag("--print", options->print, "Only print the file");
    auto* uninstall = service->add_subcommand("uninstall", "Stop it and remove the file");
    auto* status = service->add_subcommand("status", "Whether it is installed and runs");
    status->add_flag("--json", options->json, "One JSON object");
    service->footer(
        "Examples:\n"
        "  punie service install punie.yaml --print\n"
        "  punie service install punie.yaml\n"
        "  punie service status\n\n"
        "PATH is written into the file as it is now. Keys go into ~/.config/punie/environment, "
        "lines of NAME=value\n(systemd), never into the file itself. status: exit code 1 when it "
        "does not run."
    );
    commands.on(install, [options](Terminal& terminal) { return run_install(*options, terminal); });
    commands.on(uninstall, [options](Terminal& terminal) {
        return run_uninstall(*options, terminal);
    });
    commands.on(status, [options](Terminal& terminal) { return run_status(*options, terminal); });
}

}  // namespace punie::cli
