#include "backend/configuration.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>

#include "base/files.hpp"

namespace punie::backend {

namespace {

std::string expanded(const std::string& path) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): read only, nothing in Punie changes the environment
    const char* home = std::getenv("HOME");
    if (home == nullptr || !path.starts_with("~/")) return path;
    return home + path.substr(1);
}

std::unexpected<Error> refuse(
    const std::string& file, const YAML::Mark& mark, const std::string& what
) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("{}: line {}: {}", file, mark.line + 1, what),
        "correct the file or move it away"
    );
}

}  // namespace

Result<std::optional<std::string>> configured(const std::string& key) {
    const auto file = config_folder() / "config.yaml";
    const auto text = read_text(file, 1U << 20U);
    if (!text && text.error().code() == ErrorCode::not_found) return std::nullopt;
    if (!text) return std::unexpected(text.error());
    try {
        const auto root = YAML::Load(*text);
        if (root.IsNull()) return std::nullopt;
        if (!root.IsMap())
            return refuse(file.native(), root.Mark(), "a map of names to values is expected");
        const auto value = root[key];
        if (!value || value.IsNull()) return std::nullopt;
        if (!value.IsScalar() || value.Scalar().empty()) {
            return refuse(file.native(), value.Mark(), fmt::format("{}: a path is expected", key));
        }
        return expanded(value.Scalar());
    } catch (const YAML::Exception& error
    ) {  // yaml-cpp reports by exceptions; here they become values
        return refuse(file.native(), error.mark, error.msg);
    }
}

}  // namespace punie::backend
