#include "backend/mlx_places.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "backend/configuration.hpp"
#include "base/text.hpp"
#include "process/child.hpp"

namespace punie::backend {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view mend_hint =
    "make the virtual environment anew: python3 -m venv .venv && .venv/bin/pip install mlx-lm "
    "\"mlx[cpu]\" "
    "(on a Mac mlx-lm alone)";

std::string variable(const char* name) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): read only, nothing in Punie changes the environment
    const char* value = std::getenv(name);
    return value == nullptr ? std::string{} : std::string(value);
}

bool runs(const fs::path& file) {
    std::error_code ignored;
    return fs::is_regular_file(file, ignored) && ::access(file.c_str(), X_OK) == 0;
}

/// A virtual environment's python is a link to the system's: it dangles once that is gone.
std::optional<fs::path> dangling_target(const fs::path& file) {
    std::error_code error;
    if (!fs::is_symlink(file, error) || fs::exists(file, error)) return std::nullopt;
    const auto target = fs::read_symlink(file, error);
    return error ? fs::path("?") : target;
}

Result<fs::path> python_in(const fs::path& folder) {
    constexpr std::array names = {"bin/python", "bin/python3", "python", "python3"};
    for (const auto* name : names) {
        auto python = folder / name;
        if (runs(python)) return python;
    }
    for (const auto* name : names) {
        const auto python = folder / name;
        if (const auto target = dangling_target(python)) {
            return fail(
                ErrorCode::program_missing,
                fmt::format(
                    "broken virtual environment: {} is a link to {}, which does not exist",
                    python.native(),
                    target->native()
                ),
                std::string(mend_hint)
            );
        }
    }
    return fail(
        ErrorCode::program_missing,
        fmt::format("{} holds no bin/python and no python", folder.native()),
        "name a virtual environment, its bin folder, its python or its mlx_lm.server"
    );
}

/// The interpreter in a script's first line; empty for a program that is no script. "env python3"
/// is looked up in PATH.
Result<fs::path> script_interpreter(const fs::path& script) {
    std::ifstream file(script, std::ios::binary);
    std::string line(512, '\0');
    file.read(line.data(), static_cast<std::streamsize>(line.size()));
    line.resize(static_cast<std::size_t>(file.gcount()));
    line.resize(std::min(line.find('\n'), line.size()));
    if (!line.starts_with("#!")) return fs::path{};
    std::string words(trim(std::string_view(line).substr(2)));
    constexpr std::string_view env = "/usr/bin/env ";
    if (words.starts_with(env)) words = trim(words.substr(env.size()));
    const auto found = process::find_program(words.substr(0, words.find(' ')));
    if (found) return *found;
    return fail(
        ErrorCode::program_missing,
        fmt::format(
            "{} was made for the interpreter {}, which does not exist",
            script.native(),
            printable(words)
        ),
        std::string(mend_hint)
    );
}

bool is_python_name(const fs::path& file) {
    return file.filename().native().starts_with("python");
}

void add_if_works(
    const fs::path& place,
    std::string found_by,
    std::vector<MlxPlace>& places,
    std::vector<std::string>& passed_over
) {
    auto python = interpreter_of(place);
    if (!python) {
        passed_over.push_back(fmt::format("{}: {}", found_by, python.error().message()));
        return;
    }
    const auto known = [&](const MlxPlace& other) { return other.python == *python; };
    if (std::ranges::none_of(places, known))
        places.push_back({std::move(*python), std::move(found_by)});
}

}  // namespace

Result<fs::path> interpreter_of(const fs::path& place) {
    std::error_code ignored;
    auto absolute = fs::absolute(place, ignored).lexically_normal();
    if (fs::is_directory(absolute, ignored)) return python_in(absolute);
    if (const auto target = dangling_target(absolute)) {
        return fail(
            ErrorCode::program_missing,
            fmt::format(
                "{} is a link to {}, which does not exist", absolute.native(), target->native()
            ),
            std::string(mend_hint)
        );
    }
    if (!fs::exists(absolute, ignored)) {
        return fail(
            ErrorCode::program_missing, fmt::format("{} does not exist", absolute.native())
        );
    }
    if (!runs(absolute)) {
        return fail(
            ErrorCode::program_missing, fmt::format("{} is not executable", absolute.native())
        );
    }
    if (is_python_name(absolute)) return absolute;
    auto interpreter = script_interpreter(absolute);
    if (interpreter && interpreter->empty()) return absolute;
    return interpreter;
}

Result<std::optional<MlxPlace>> named_mlx_place(const std::string& explicit_path) {
    std::string named = explicit_path;
    std::string found_by = "--mlx-lm";
    if (named.empty()) {
        auto setting = configured("mlx_lm");
        if (!setting) return std::unexpected(std::move(setting).error());
        named = setting->value_or("");
        found_by = "configuration";
    }
    if (named.empty()) {
        named = variable("PUNIE_MLX_LM");
        found_by = "PUNIE_MLX_LM";
    }
    if (named.empty()) return std::nullopt;
    auto python = interpreter_of(named);
    if (!python) return std::unexpected(std::move(python).error().in(found_by));
    return MlxPlace{std::move(*python), std::move(found_by)};
}

std::vector<MlxPlace> customary_mlx_places(std::vector<std::string>& passed_over) {
    std::vector<MlxPlace> places;
    std::error_code error;
    for (auto folder = fs::current_path(error); !error && !folder.empty();
         folder = folder.parent_path()) {
        const auto venv = folder / ".venv";
        if (fs::exists(venv, error)) {
            add_if_works(
                venv, fmt::format("virtual environment {}", venv.native()), places, passed_over
            );
        }
        if (fs::exists(folder / ".git", error) || folder == folder.parent_path()) break;
    }
    if (const auto active = variable("VIRTUAL_ENV"); !active.empty()) {
        add_if_works(active, fmt::format("virtual environment {}", active), places, passed_over);
    }
    for (const auto* name : {"mlx_lm.server", "mlx_lm", "python3"}) {
        const auto program = process::find_program(name);
        if (program) {
            add_if_works(
                *program, fmt::format("PATH ({})", program->native()), places, passed_over
            );
        } else {
            passed_over.push_back(fmt::format("PATH: no {}", name));
        }
    }
    return places;
}

}  // namespace punie::backend
