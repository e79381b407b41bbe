// cli/load_command.cpp: `punie load`, a model made ready before anybody asks it.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <mutex>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/control_client.hpp"
#include "cli/control_view.hpp"
#include "cli/interrupt.hpp"
#include "cli/ticker.hpp"

namespace punie::cli {

namespace {

struct LoadOptions {
    std::string model;
    std::string socket;
    bool json = false;
};

/// What arrived last, for the progress line.
class Progress {
public:
    void take(const json::value& progress) {
        const std::lock_guard lock(mutex_);
        state_ = string_member(progress, "state").value_or(state_);
        memory_ = number_member(progress, "memory").value_or(memory_);
        log_ = printable(string_member(progress, "log").value_or(log_));
        if (const auto last = number_member(progress, "last_load_seconds"))
            usual_ =
                fmt::format(" of about {}", human_duration(std::chrono::duration<double>(*last)));
    }

    std::string line(std::chrono::duration<double> time) {
        const std::lock_guard lock(mutex_);
        const auto memory =
            memory_ > 0 ? "  " + human_bytes(static_cast<std::uint64_t>(memory_)) : std::string{};
        return fmt::format("{}{}  {}{}  {}", human_duration(time), usual_, state_, memory, log_);
    }

private:
    std::mutex mutex_;
    std::string state_;
    std::string log_;
    std::string usual_;
    double memory_ = 0;
};

ExitCode run_load(const LoadOptions& options, Terminal& terminal) {
    const ControlClient client(options.socket);
    Interrupt interrupt;
    Progress progress;
    std::optional<json::value> last;
    const auto on_line = [&](std::string_view line) {
        if (options.json) terminal.print(line);
        auto value = parse_json(line);
        if (!value) return true;
        if (const auto* told = member(*value, "progress")) {
            progress.take(*told);
        } else if (member(*value, "number") == nullptr) {  // no event: the result
            last = *value;
        } else if (!options.json) {
            terminal.print(event_line(*value, terminal));
        }
        return true;
    };
    Result<void> followed;
    {
        const Ticker ticker(terminal, [&progress](auto time) { return progress.line(time); });
        followed = client.follow(
            fmt::format("/control/models/{}/load?follow=1", encoded(options.model)),
            on_line,
            interrupt.token(),
            "POST"
        );
    }
    if (!followed) return terminal.report(followed.error(), options.json);
    if (interrupt.happened()) {
        terminal.note("the gateway goes on loading it; punie unload stops that");
        return ExitCode::interrupted;
    }
    if (!last)
        return terminal.report(
            Error(ErrorCode::connection, "the gateway went away before the model was loaded"),
            options.json
        );
    if (member(*last, "error") != nullptr) {
        const auto error = control_error(*last, 0);
        return options.json ? exit_code_of(error) : terminal.report(error);
    }
    if (!options.json) terminal.print(fmt::format("{} is ready", options.model));
    return ExitCode::done;
}

}  // namespace

void add_load(CLI::App& app, Commands& commands) {
    auto options = std::make_shared<LoadOptions>();
    auto* sub = app.add_subcommand("load", "Have the gateway load a model now");
    sub->add_option("model", options->model, "Name or alias of the model")->required();
    add_socket_option(*sub, options->socket);
    sub->add_flag("--json", options->json, "Progress and result as JSON lines");
    sub->footer(
        "Examples:\n"
        "  punie load qwen\n"
        "  punie load base:adapter\n\n"
        "Returns when the model answers. Models that are not pinned make room; a model that cannot "
        "fit is refused with\nthe numbers. Exit code 3 when no gateway runs."
    );
    commands.on(sub, [options](Terminal& terminal) { return run_load(*options, terminal); });
}

}  // namespace punie::cli
