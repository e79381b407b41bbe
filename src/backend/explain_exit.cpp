#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <span>
#include <utility>

#include "backend/backend.hpp"
#include "backend/causes.hpp"
#include "base/text.hpp"

namespace punie::backend {

namespace {

constexpr std::size_t lines_searched =
    200;  // a usage text and a chain of tracebacks are about 100 lines
constexpr std::size_t lines_shown = 12;

using Lines = std::span<const std::string>;

std::vector<std::string> shown(Lines lines) {
    const auto last = lines.last(std::min(lines.size(), lines_shown));
    return {last.begin(), last.end()};
}

/// The signal that ended it; a shell or a container reports signal N as exit code 128 + N.
std::optional<int> signal_of(const process::ExitStatus& status) {
    if (status.signal) return status.signal;
    for (const int number : {SIGKILL, SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGTERM}) {
        if (status.code == 128 + number) return number;
    }
    return std::nullopt;
}

Error with_hint(ErrorCode code, std::string message, std::string hint) {
    return Error(code, std::move(message)).with_hint(std::move(hint));
}

Error by_signal(int number, const process::ExitStatus& status) {
    const auto ended = fmt::format("the server was ended by {}", status.describe());
    switch (number) {
        case SIGKILL:
            return with_hint(
                ErrorCode::out_of_memory,
                ended +
                    ", which Punie did not send: most often the system does that when memory runs "
                    "out",
                "close other programs, or take a smaller or more strongly quantised model; the "
                "system's log (dmesg) "
                "names what it killed"
            );
        case SIGSEGV:
        case SIGBUS:
            return with_hint(
                ErrorCode::exited,
                fmt::format("the server crashed ({})", status.describe()),
                "MLX crashes like this when it cannot get memory, too; else reinstall mlx and "
                "mlx-lm in versions that "
                "belong together"
            );
        case SIGILL:
            return with_hint(
                ErrorCode::exited,
                fmt::format("the server crashed ({})", status.describe()),
                "it was built for a newer processor than this one: install a build for this machine"
            );
        case SIGABRT:
            return with_hint(
                ErrorCode::exited,
                fmt::format("the server gave up ({})", status.describe()),
                "see its last lines"
            );
        default:
            return {ErrorCode::exited, ended};
    }
}

/// Somebody asked it to stop: what stands in its log is not why.
bool was_asked_to_end(std::optional<int> signal) {
    return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

/// The last words of a traceback ("RuntimeError: ...") or of the log.
std::string last_words(Lines lines) {
    for (std::size_t i = lines.size(); i-- > 0;) {
        const auto text = trim(lines[i]);
        if (!text.empty()) return printable(text);
    }
    return {};
}

Error by_code(const process::ExitStatus& status, Lines lines) {
    if (status.success()) {
        return with_hint(
            ErrorCode::exited,
            "the server ended by itself (exit code 0)",
            "see its last lines; nobody asked it to stop"
        );
    }
    if (status.code == 126 || status.code == 127) {
        return with_hint(
            ErrorCode::program_missing,
            fmt::format("a program could not be run ({})", status.describe()),
            "see its last lines; `punie doctor` tells what is installed"
        );
    }
    const auto words = last_words(lines);
    auto message = fmt::format("the server ended with {}", status.describe());
    if (!words.empty()) message += ": " + words;
    return {ErrorCode::exited, std::move(message)};
}

// ---- a server that failed and lives on

bool is_indented(std::string_view line) {
    return line.empty() || line.front() == ' ' || line.front() == '\t';
}

/// "huggingface_hub.errors.HFValidationError: Repo id ..." or "MemoryError": the end of a
/// traceback.
bool ends_traceback(std::string_view line) {
    const auto name = line.substr(0, line.find(':'));
    const auto in_name = [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '_' || c == '.';
    };
    return !name.empty() && std::ranges::all_of(name, in_name) &&
           (name.ends_with("Error") || name.ends_with("Exception") || name.ends_with("Exit") ||
            name.ends_with("Found") || name.ends_with("Enabled"));
}

bool is_complete(Lines block) {
    return std::ranges::any_of(block, ends_traceback);
}

/// From "generation thread died" to the end; empty if it did not. The block's own message is in its
/// first line.
Lines generation_death(Lines lines) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].find("generation thread died: ") != std::string::npos) return lines.subspan(i);
    }
    return {};
}

/// A traceback through `_run_module_as_main` is the main thread's; what follows its last line is
/// left out.
Lines main_death(Lines lines) {
    for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
        if (!lines[i].starts_with("Traceback (most recent call last)")) continue;
        if (lines[i + 1].find("_run_module_as_main") == std::string::npos) continue;
        for (std::size_t end = i + 1; end < lines.size(); ++end) {
            if (is_indented(lines[end])) continue;
            const bool on_request = lines[end].starts_with("KeyboardInterrupt");
            return on_request ? Lines{} : lines.subspan(i, end - i + 1);
        }
    }
    return {};
}

Error unknown_failure(const std::string& what, const std::string& why) {
    return with_hint(
        ErrorCode::exited,
        why.empty() ? what : fmt::format("{}: {}", what, printable(why)),
        "see its last lines"
    );
}

}  // namespace

Error explain_exit(
    const ServerConfig& config,
    const process::ExitStatus& status,
    std::vector<std::string> log_lines
) {
    const auto lines = Lines(log_lines).last(std::min(log_lines.size(), lines_searched));
    const auto signal = signal_of(status);
    auto error = [&]() -> Error {
        if (was_asked_to_end(signal)) return by_signal(*signal, status);
        if (auto cause = known_cause(config, lines)) return std::move(*cause);
        return signal ? by_signal(*signal, status) : by_code(status, lines);
    }();
    return std::move(error).with_exit_status(status.describe()).with_log(shown(lines));
}

std::optional<Error> explain_log(
    const ServerConfig& config, const std::vector<std::string>& log_lines
) {
    if (config.backend() != BackendKind::mlx) return std::nullopt;
    const Lines lines = log_lines;
    if (const auto block = main_death(lines); !block.empty()) {
        auto cause = known_cause(config, block);
        if (!cause) cause = unknown_failure("mlx_lm.server could not start", block.back());
        return std::move(*cause).with_log(shown(block));
    }
    const auto block = generation_death(lines);
    if (block.empty()) return std::nullopt;
    auto cause = known_cause(config, block);
    if (!cause && !is_complete(block))
        return std::nullopt;  // the rest of the traceback is on its way
    if (!cause) {
        constexpr std::string_view died = "generation thread died: ";
        const auto& first = block.front();
        cause = unknown_failure(
            "mlx_lm.server cannot load the model", first.substr(first.find(died) + died.size())
        );
    }
    return std::move(*cause).with_log(shown(block));
}

}  // namespace punie::backend
