// cli/doctor_command.cpp: `punie doctor`, what works on this machine, what does not, and what to do
// about it.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "backend/doctor.hpp"
#include "base/json.hpp"
#include "cli/commands.hpp"
#include "cli/ticker.hpp"

namespace punie::cli {

namespace {

using backend::CheckStatus;

struct DoctorOptions {
    std::string mlx_lm;
    bool json = false;
};

std::string mark(const Terminal& terminal, CheckStatus status) {
    switch (status) {
        case CheckStatus::ok:
            return terminal.paint(Colour::green, "ok     ");
        case CheckStatus::warning:
            return terminal.paint(Colour::yellow, "warning");
        case CheckStatus::failed:
            break;
    }
    return terminal.paint(Colour::red, "failed ");
}

void show(Terminal& terminal, const backend::DoctorReport& report) {
    terminal.print(fmt::format("punie {} on {}", PUNIE_VERSION, report.platform));
    for (const auto& check : report.checks) {
        terminal.print(
            fmt::format("  {}  {:<14}  {}", mark(terminal, check.status), check.name, check.found)
        );
        if (!check.to_do.empty()) terminal.print(fmt::format("{:27}-> {}", "", check.to_do));
    }
}

/// 3 when something that the main job needs is missing: that is what the exit code means
/// everywhere.
ExitCode run_doctor(const DoctorOptions& options, Terminal& terminal) {
    backend::DoctorReport report;
    {
        const Ticker ticker(terminal, [](std::chrono::duration<double> time) {
            return fmt::format("asking the installed programs, {:.0f} s", time.count());
        });
        report = backend::examine_blocking({.explicit_path = options.mlx_lm});
    }
    if (options.json)
        terminal.print(to_text(backend::to_json(report)));
    else
        show(terminal, report);
    return report.worst() == CheckStatus::failed ? ExitCode::missing : ExitCode::done;
}

}  // namespace

void add_doctor(CLI::App& app, Commands& commands) {
    auto options = std::make_shared<DoctorOptions>();
    auto* sub = app.add_subcommand(
        "doctor", "Tell what works on this machine, and what to do about the rest"
    );
    sub->add_option(
        "--mlx-lm",
        options->mlx_lm,
        "Where mlx_lm is: a virtual environment, its bin folder or its python"
    );
    sub->add_flag("--json", options->json, "The checks as one JSON object");
    sub->footer(
        "Examples:\n  punie doctor\n  punie doctor --json\n  punie doctor --mlx-lm ~/venvs/mlx"
    );
    commands.on(sub, [options](Terminal& terminal) { return run_doctor(*options, terminal); });
}

}  // namespace punie::cli
