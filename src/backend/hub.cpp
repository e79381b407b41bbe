// Names of repositories on the model hub and their local cache
// (https://huggingface.co/docs/huggingface_hub/guides/manage-cache).

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <system_error>

#include "backend/model_files.hpp"
#include "base/files.hpp"
#include "base/text.hpp"

namespace punie::backend {

namespace fs = std::filesystem;

namespace {

std::string variable(const char* name) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): read only, nothing in Punie changes the environment
    const char* value = std::getenv(name);
    return value == nullptr ? std::string{} : std::string(value);
}

bool is_repository_name(std::string_view name) {
    const auto allowed = [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '/';
    };
    const auto slash = name.find('/');
    return std::ranges::count(name, '/') == 1 && slash > 0 && slash + 1 < name.size() &&
           name.size() <= 200 && std::ranges::all_of(name, allowed) && name.front() != '.' &&
           name[slash + 1] != '.' && name.find("..") == std::string_view::npos;
}

}  // namespace

// In huggingface_hub's order.
fs::path hub_folder() {
    for (const auto* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
        if (auto folder = variable(name); !folder.empty()) return folder;
    }
    if (auto home = variable("HF_HOME"); !home.empty()) return fs::path(home) / "hub";
    if (auto cache = variable("XDG_CACHE_HOME"); !cache.empty())
        return fs::path(cache) / "huggingface" / "hub";
    return fs::path(variable("HOME")) / ".cache" / "huggingface" / "hub";
}

bool is_hub_name(const std::string& path) {
    if (!is_repository_name(path)) return false;
    std::error_code ignored;
    // "models/tyni" beside a folder "models" is a mistyped path, not a repository
    return !fs::exists(path, ignored) && !fs::exists(path.substr(0, path.find('/')), ignored);
}

std::optional<fs::path> cached_snapshot(const std::string& hub_name) {
    if (!is_repository_name(hub_name)) return std::nullopt;
    const auto slash = hub_name.find('/');
    const auto repository =
        hub_folder() / ("models--" + hub_name.substr(0, slash) + "--" + hub_name.substr(slash + 1));
    const auto reference = read_text(repository / "refs" / "main", 4096);
    if (!reference) return std::nullopt;
    const auto revision = std::string(trim(*reference));
    if (revision.empty() || revision.find('/') != std::string::npos || revision.starts_with('.')) {
        return std::nullopt;
    }
    auto snapshot = repository / "snapshots" / revision;
    std::error_code ignored;
    if (!fs::exists(snapshot / "config.json", ignored)) return std::nullopt;
    return snapshot;
}

}  // namespace punie::backend
