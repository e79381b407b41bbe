#include "backend/mlx_installation.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <optional>

#include "backend/answer_cache.hpp"
#include "backend/blocking.hpp"
#include "backend/flags.hpp"
#include "backend/mlx_places.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "process/child.hpp"

namespace punie::backend {

namespace fs = std::filesystem;

namespace {

constexpr Milliseconds probe_limit{120'000
};  // the first import after an installation compiles every module
constexpr std::string_view mark = "PUNIE-PROBE";
constexpr std::string_view install_hint =
    "install it: python3 -m venv .venv && .venv/bin/pip install mlx-lm \"mlx[cpu]\" (on a Mac "
    "mlx-lm alone), or say "
    "where it is: --mlx-lm PATH, PUNIE_MLX_LM, or mlx_lm: PATH in the configuration file";

std::set<std::string> text_set(const json::value& answer, std::string_view name) {
    std::set<std::string> texts;
    const auto* list = member(answer, name);
    if (list == nullptr || !list->is_array()) return texts;
    for (const auto& item : list->get_array()) {
        if (item.is_string()) texts.emplace(item.get_string());
    }
    return texts;
}

std::vector<std::string> text_list(const json::value& answer, std::string_view name) {
    std::vector<std::string> texts;
    const auto* list = member(answer, name);
    if (list == nullptr || !list->is_array()) return texts;
    for (const auto& item : list->get_array()) {
        if (item.is_string()) texts.emplace_back(item.get_string());
    }
    return texts;
}

MlxInstallation installation_from(const json::value& answer, const MlxPlace& place) {
    MlxInstallation mlx;
    mlx.python = place.python;
    mlx.found_by = place.found_by;
    mlx.mlx_lm_version = string_member(answer, "mlx_lm_version").value_or("");
    mlx.mlx_version = string_member(answer, "mlx_version").value_or("");
    mlx.python_version = string_member(answer, "python_version").value_or("");
    mlx.server_flags = flags_of_help(string_member(answer, "server_help").value_or(""));
    mlx.lora_flags = flags_of_help(string_member(answer, "lora_help").value_or(""));
    mlx.model_types = text_set(answer, "model_types");
    mlx.own_cache_types = text_set(answer, "own_cache_types");
    mlx.server_words = text_list(answer, "server_words");
    if (mlx.server_words.empty()) mlx.server_words = {"-m", "mlx_lm", "server"};
    mlx.training_callbacks = bool_member(answer, "training_callbacks").value_or(false);
    mlx.metal = bool_member(answer, "metal").value_or(false);
    mlx.recommended_working_set =
        static_cast<std::uint64_t>(integer_member(answer, "recommended_working_set").value_or(0));
    return mlx;
}

/// The probe's line among what else the imports print.
std::optional<json::value> probe_answer(const std::string& output) {
    const auto start = output.rfind(mark);
    if (start == std::string::npos) return std::nullopt;
    auto line = std::string_view(output).substr(start + mark.size());
    line = line.substr(0, line.find('\n'));
    auto answer = parse_json(line);
    if (!answer || !answer->is_object()) return std::nullopt;
    return std::move(*answer);
}

Error unusable(
    const MlxPlace& place, const std::string& why, std::string hint = std::string(install_hint)
) {
    return Error(
               ErrorCode::program_missing,
               fmt::format("{}: {}: {}", place.found_by, place.python.native(), why)
    )
        .with_hint(std::move(hint));
}

std::vector<std::string> last_lines(const std::string& output) {
    auto lines = split_lines(output);
    constexpr std::size_t shown = 12;
    if (lines.size() > shown) lines.erase(lines.begin(), lines.end() - shown);
    for (auto& line : lines) line = printable(line);
    return lines;
}

Result<json::value> judged(const MlxPlace& place, const process::Captured& captured) {
    auto answer = probe_answer(captured.output);
    if (!answer) {
        auto why = fmt::format("did not say what it is ({})", captured.status.describe());
        return std::unexpected(unusable(place, why).with_log(last_lines(captured.output)));
    }
    const auto problem = string_member(*answer, "error");
    if (!problem) return std::move(*answer);
    const auto missing = string_member(*answer, "missing").value_or("");
    if (missing == "mlx_lm") return std::unexpected(unusable(place, "has no mlx_lm"));
    if (!missing.empty()) {
        return std::unexpected(unusable(
            place,
            fmt::format("its mlx_lm does not start: the Python module {} is missing", missing),
            fmt::format(
                "{} -m pip install {}",
                place.python.native(),
                missing == "mlx" ? "\"mlx[cpu]\"" : missing
            )
        ));
    }
    return std::unexpected(unusable(place, "its mlx_lm does not start: " + printable(*problem)));
}

Task<Result<json::value>> ask(MlxPlace place) {
    const auto probe = python_asset("probe_mlx.py");
    if (!probe) co_return std::unexpected(probe.error());
    process::SpawnOptions options;
    options.argv = {place.python.native(), probe->native()};
    options.environment["COLUMNS"] = "100";  // the width of its help texts
    options.drop_environment = {"PYTHONSTARTUP", "PYTHONINSPECT"};
    auto captured = co_await process::run_to_end(std::move(options), probe_limit);
    if (!captured) {
        if (captured.error().code() == ErrorCode::cancelled)
            co_return std::unexpected(captured.error());
        co_return std::unexpected(unusable(place, captured.error().message()));
    }
    co_return judged(place, *captured);
}

/// What `place` says of itself, now or earlier.
Task<Result<MlxInstallation>> examine(MlxPlace place) {
    const auto probe = python_asset("probe_mlx.py");
    if (!probe) co_return std::unexpected(probe.error());
    const auto key = fmt::format("{} {}", probe->native(), place.python.native());
    if (const auto known = cached_answer(key)) co_return installation_from(*known, place);
    auto answer = co_await ask(place);
    if (!answer) co_return std::unexpected(std::move(answer).error());
    std::vector<fs::path> watched = {place.python};
    for (const auto& file : text_list(*answer, "watched")) watched.emplace_back(file);
    keep_answer(key, *answer, watched);
    co_return installation_from(*answer, place);
}

Error nowhere(const std::vector<std::string>& looked_at) {
    std::string message = "mlx_lm was not found:";
    for (const auto& place : looked_at) message += "\n  " + place;
    return Error(ErrorCode::program_missing, std::move(message))
        .with_hint(std::string(install_hint));
}

}  // namespace

Task<Result<MlxInstallation>> find_mlx(std::string explicit_path) {
    auto named = named_mlx_place(explicit_path);
    if (!named) co_return std::unexpected(std::move(named).error());
    if (named->has_value()) co_return co_await examine(**named);
    std::vector<std::string> looked_at;
    const auto places = customary_mlx_places(looked_at);
    for (const auto& place : places) {
        auto found = co_await examine(place);
        if (found || found.error().code() != ErrorCode::program_missing) co_return found;
        looked_at.push_back(found.error().message());
    }
    co_return std::unexpected(nowhere(looked_at));
}

Result<MlxInstallation> find_mlx_blocking(const std::string& explicit_path) {
    return run_blocking(find_mlx(explicit_path));
}

}  // namespace punie::backend
