// Which program a command line means, and why one does not start.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "base/files.hpp"
#include "base/text.hpp"
#include "process/launch.hpp"

extern char**
    environ;  // NOLINT(readability-redundant-declaration): glibc declares it, macOS does not

namespace punie::process {

namespace fs = std::filesystem;

namespace {

bool runnable_file(const fs::path& path) {
    struct stat info{};
    return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
           ::access(path.c_str(), X_OK) == 0;
}

fs::path made_absolute(const fs::path& path) {
    std::error_code error;
    auto result = fs::absolute(path, error);
    return error ? path : result;
}

std::optional<fs::path> find_in(std::string_view name, std::string_view folders) {
    if (name.empty()) return std::nullopt;
    if (name.find('/') != std::string_view::npos) {
        return runnable_file(name) ? std::optional(made_absolute(name)) : std::nullopt;
    }
    while (true) {
        const auto end = folders.find(':');
        const auto folder =
            folders.substr(0, end);  // an empty one is the present folder, as POSIX has it
        auto candidate = made_absolute(folder.empty() ? fs::path(name) : fs::path(folder) / name);
        if (runnable_file(candidate)) return candidate;
        if (end == std::string_view::npos) return std::nullopt;
        folders.remove_prefix(end + 1);
    }
}

std::string own_path() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): read only, nothing in Punie changes the environment
    const char* path = std::getenv("PATH");
    return path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
}

Error not_runnable(const std::string& name) {
    if (name.find('/') == std::string::npos) {
        return Error(
                   ErrorCode::program_missing,
                   fmt::format("the program {} is not in any folder of PATH", name)
        )
            .with_hint("install it, or give its full path");
    }
    std::error_code error;
    const auto status = fs::status(name, error);
    if (!fs::exists(status)) {
        return Error(ErrorCode::program_missing, fmt::format("there is no program {}", name))
            .with_hint("check the path, or install it");
    }
    const auto* const what =
        fs::is_directory(status) ? "is a folder, not a program" : "is not executable";
    auto result = Error(ErrorCode::program_missing, fmt::format("{} {}", name, what));
    if (fs::is_directory(status)) return result;
    return std::move(result).with_hint(fmt::format("chmod +x {}", shell_quoted({name})));
}

std::vector<std::string> child_environment(const SpawnOptions& options) {
    auto added = options.environment;
    if (options.events) added["PUNIE_EVENTS_FD"] = fmt::format("{}", guard::child_events_fd);
    std::vector<std::string> result;
    for (char** item = environ; item != nullptr && *item != nullptr; ++item) {
        const std::string_view entry = *item;
        const std::string name(entry.substr(0, entry.find('=')));
        const bool dropped =
            std::ranges::find(options.drop_environment, name) != options.drop_environment.end();
        if (!dropped && !added.contains(name)) result.emplace_back(entry);
    }
    for (const auto& [name, value] : added) result.push_back(fmt::format("{}={}", name, value));
    return result;
}

/// The interpreter that a script's first line names; empty if it is no script.
std::string interpreter_of(const fs::path& script) {
    std::ifstream file(script, std::ios::binary);
    std::string line;
    std::getline(file, line);
    if (!line.starts_with("#!")) return {};
    const auto words = std::string(trim(std::string_view(line).substr(2, 255)));
    return words.substr(0, words.find_first_of(" \t"));
}

Error exec_error(const Program& program, int error_number) {
    const auto& name = program.path.native();
    const auto missing = [](std::string message, std::string hint) {
        return Error(ErrorCode::program_missing, std::move(message)).with_hint(std::move(hint));
    };
    const auto interpreter = interpreter_of(program.path);
    if (!interpreter.empty() && !runnable_file(interpreter)) {
        return missing(
            fmt::format("{} cannot run: its interpreter {} is missing", name, interpreter),
            "if it belongs to a virtual environment, that was moved or its Python was removed: "
            "make it anew"
        );
    }
    if (error_number == ENOENT && fs::exists(program.path)) {
        return missing(
            fmt::format("{} cannot run: the loader that it needs is missing", name),
            "it was built for another system (architecture or C library): install the one for this "
            "system"
        );
    }
    if (error_number == ENOEXEC) {
        return missing(
            fmt::format("{} is not a program that this system can run", name),
            "a script must begin with a line like #!/bin/sh; a binary must be for this architecture"
        );
    }
    if (error_number == ENOENT || error_number == EACCES || error_number == ENOTDIR)
        return not_runnable(name);
    if (error_number == E2BIG)
        return {ErrorCode::io, fmt::format("the command line of {} is too long", name)};
    return errno_error(error_number, fmt::format("cannot run {}", name));
}

}  // namespace

std::optional<fs::path> find_program(std::string_view name) {
    return find_in(name, own_path());
}

Result<Program> resolve(const SpawnOptions& options) {
    if (options.argv.empty() || options.argv.front().empty()) {
        return fail(ErrorCode::invalid_argument, "no program was named: argv is empty");
    }
    for (const auto& argument : options.argv) {
        if (argument.find('\0') != std::string::npos) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("an argument of {} holds a NUL byte", options.argv.front())
            );
        }
    }
    const auto given = options.environment.find("PATH");
    const auto path = find_in(
        options.argv.front(), given != options.environment.end() ? given->second : own_path()
    );
    if (!path) return std::unexpected(not_runnable(options.argv.front()));
    return Program{
        .path = *path,
        .argv = options.argv,
        .environment = child_environment(options),
        .folder =
            options.working_folder.empty() ? fs::path() : made_absolute(options.working_folder)
    };
}

Error start_error(const Program& program, guard::Stage stage, int error_number) {
    switch (stage) {
        case guard::Stage::exec:
            return exec_error(program, error_number);
        case guard::Stage::folder:
            return {
                ErrorCode::not_found,
                fmt::format(
                    "cannot work in the folder {}: {}",
                    program.folder.native(),
                    std::generic_category().message(error_number)
                )
            };
        case guard::Stage::contain:
            return {
                ErrorCode::unsupported,
                fmt::format(
                    "this system does not allow the asked containment: {}",
                    std::generic_category().message(error_number)
                )
            };
        case guard::Stage::fork:
            return errno_error(error_number, fmt::format("cannot start {}", program.path.native()))
                .with_hint(
                    "the limit of processes is reached: raise it with `ulimit -u`, or end some "
                    "programs"
                );
        case guard::Stage::setup:
            break;
    }
    return errno_error(
        error_number, fmt::format("cannot prepare the start of {}", program.path.native())
    );
}

}  // namespace punie::process
