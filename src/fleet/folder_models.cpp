// A configuration without a file: what lies in a folder and in the hub's cache.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <system_error>

#include "backend/model_files.hpp"
#include "base/files.hpp"
#include "base/json.hpp"
#include "fleet/gateway_config.hpp"

namespace punie::fleet {

namespace fs = std::filesystem;

namespace {

constexpr int deepest = 6;

struct Found {
    std::string name;
    std::string longer_name;  ///< when another has the same name: with the folders before it
    fs::path path;
    BackendKind backend = BackendKind::mlx;
};

bool is_there(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

std::vector<fs::path> entries_of(const fs::path& folder) {
    std::vector<fs::path> entries;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error))
        entries.push_back(entry->path());
    std::ranges::sort(entries);
    return entries;
}

bool is_mlx_folder(const fs::path& folder) {
    return is_there(folder / "config.json") &&
           std::ranges::any_of(entries_of(folder), [](const fs::path& entry) {
               return entry.extension() == ".safetensors";
           });
}

/// "x.gguf" and "x-00001-of-00003.gguf" are models; later parts and image projectors are not.
std::optional<std::string> gguf_name(const fs::path& file) {
    if (file.extension() != ".gguf") return std::nullopt;
    auto name = file.stem().native();
    if (name.starts_with("mmproj")) return std::nullopt;
    constexpr std::size_t part_length = std::string_view("-00001-of-00003").size();
    if (name.size() <= part_length) return name;
    const std::string_view part = std::string_view(name).substr(name.size() - part_length);
    const auto digits = [](std::string_view text) {
        return text.find_first_not_of("0123456789") == std::string_view::npos;
    };
    const bool is_part = part.front() == '-' && part.substr(6, 4) == "-of-" &&
                         digits(part.substr(1, 5)) && digits(part.substr(10));
    if (!is_part) return name;
    if (part.substr(1, 5) != "00001") return std::nullopt;
    name.resize(name.size() - part_length);
    return name;
}

/// Names go into URLs and shells: what is odd in a folder's name becomes a dash.
std::string plain(std::string name) {
    std::ranges::replace_if(
        name,
        [](unsigned char c) {
            return std::isalnum(c) == 0 &&
                   std::string_view("._:/@+-").find(static_cast<char>(c)) == std::string_view::npos;
        },
        '-'
    );
    return name;
}

class Search {
public:
    void below(const fs::path& folder, const std::string& prefix, int depth) {
        std::error_code ignored;
        const auto real = fs::canonical(folder, ignored);
        if (ignored || depth > deepest || !seen_.insert(real).second) return;
        if (is_mlx_folder(folder)) {
            const auto name = real.filename().native();
            add({name, prefix.empty() ? name : prefix, folder, BackendKind::mlx});
            return;
        }
        for (const auto& entry : entries_of(folder)) {
            const auto name = entry.filename().native();
            if (name.starts_with('.')) continue;
            const auto longer = prefix.empty() ? name : fmt::format("{}/{}", prefix, name);
            if (fs::is_directory(entry, ignored)) {
                below(entry, longer, depth + 1);
            } else if (const auto model = gguf_name(entry)) {
                const auto whole = prefix.empty() ? *model : fmt::format("{}/{}", prefix, *model);
                add({*model, whole, entry, BackendKind::llama});
            }
        }
    }

    void hub() {
        constexpr std::string_view mark = "models--";
        for (const auto& entry : entries_of(backend::hub_folder())) {
            auto name = entry.filename().native();
            if (!name.starts_with(mark)) continue;
            name.erase(0, mark.size());
            const auto dashes = name.find("--");
            if (dashes == std::string::npos) continue;
            name.replace(dashes, 2, "/");
            const auto snapshot = backend::cached_snapshot(name);
            if (snapshot && is_mlx_folder(*snapshot) && generates_text(*snapshot))
                add({name, name, *snapshot, BackendKind::mlx});
            else
                gguf_snapshots(entry, name);
        }
    }

    std::vector<Found> take() { return std::move(found_); }

private:
    static bool generates_text(const fs::path& folder) {
        const auto text = read_text(folder / "config.json", 16U << 20U);
        const auto value = text ? parse_json(*text) : Result<json::value>(json::value());
        const auto* kinds = value ? member(*value, "architectures") : nullptr;
        if (kinds == nullptr || !kinds->is_array() || kinds->as_array().empty()) return true;
        return std::ranges::any_of(kinds->as_array(), [](const json::value& kind) {
            const auto* word = kind.if_string();
            return word != nullptr &&
                   (word->ends_with("ForCausalLM") || word->ends_with("ForConditionalGeneration"));
        });
    }

    void gguf_snapshots(const fs::path& repository, const std::string& name) {
        for (const auto& snapshot : entries_of(repository / "snapshots")) {
            for (const auto& file : entries_of(snapshot)) {
                if (const auto model = gguf_name(file))
                    add({*model, fmt::format("{}/{}", name, *model), file, BackendKind::llama});
            }
        }
    }

    void add(Found found) {
        found.name = plain(std::move(found.name));
        found.longer_name = plain(std::move(found.longer_name));
        found_.push_back(std::move(found));
    }

    std::vector<Found> found_;
    std::set<fs::path> seen_;
};

/// Short names where they are unique, longer ones else; what is still the same twice is left out.
std::vector<ModelSpec> specs_of(const std::vector<Found>& all) {
    std::map<std::string, int> count;
    for (const auto& one : all) ++count[one.name];
    std::set<std::string> taken;
    std::vector<ModelSpec> specs;
    for (const auto& one : all) {
        const auto& name = count[one.name] == 1 ? one.name : one.longer_name;
        if (!taken.insert(name).second) continue;
        ModelSpec spec;
        spec.name = name;
        spec.server.backend = one.backend;
        spec.server.model_path = one.path.native();
        spec.server.port = 0;
        specs.push_back(std::move(spec));
    }
    return specs;
}

}  // namespace

Result<GatewayConfig> config_for_folder(const fs::path& folder, bool hub_cache) {
    std::error_code ignored;
    if (!folder.empty() && !fs::is_directory(folder, ignored))
        return fail(
            ErrorCode::not_found,
            fmt::format("{}: no such folder", folder.native()),
            "--models-dir names the folder below which the models lie"
        );
    Search search;
    if (!folder.empty()) search.below(fs::absolute(folder, ignored), "", 0);
    if (hub_cache) search.hub();
    GatewayConfig config;
    config.models = specs_of(search.take());
    if (config.models.empty()) {
        const auto where = folder.empty() ? backend::hub_folder().native() : folder.native();
        return fail(
            ErrorCode::not_found,
            fmt::format(
                "no model below {}{}",
                where,
                hub_cache && !folder.empty()
                    ? fmt::format(" or in {}", backend::hub_folder().native())
                    : ""
            ),
            "looked for folders with config.json and .safetensors files (mlx), and .gguf files "
            "(llama)"
        );
    }
    return config;
}

}  // namespace punie::fleet
