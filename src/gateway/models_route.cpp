#include "gateway/models_route.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/hash.hpp"

namespace punie::gateway {

namespace {

using Status = fleet::ModelStatus;

std::int64_t seconds(std::chrono::system_clock::time_point time) {
    return std::max<std::int64_t>(0, std::chrono::system_clock::to_time_t(time));
}

std::string rfc3339(std::chrono::system_clock::time_point time) {
    return fmt::format("{:%FT%TZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

/// Every name that a request may use for the model.
std::vector<std::string> names_of(const Status& model) {
    std::vector<std::string> names{model.name};
    names.insert(names.end(), model.aliases.begin(), model.aliases.end());
    names.insert(names.end(), model.adapters.begin(), model.adapters.end());
    return names;
}

json::object entry(const Status& model, const std::string& name) {
    json::object object{
        {"id", name},
        {"object", "model"},
        {"created", seconds(model.since)},
        {"owned_by", "punie"},
        {"state", name_of(model.state)},
        {"backend", name_of(model.backend)},
    };
    if (name != model.name) object["parent"] = model.name;
    if (!model.reason.empty()) object["reason"] = model.reason;
    if (model.memory > 0) object["memory_bytes"] = model.memory;
    if (model.memory_needed) object["memory_needed_bytes"] = *model.memory_needed;
    object["capabilities"] = json::array{"chat", "completions", "streaming", "tools"};
    return object;
}

/// Ollama names every model with a tag.
std::string tagged(const std::string& name) {
    return name.contains(':') ? name : fmt::format("{}:latest", name);
}

json::object ollama_entry(const Status& model, const std::string& name) {
    return {
        {"name", tagged(name)},
        {"model", tagged(name)},
        {"modified_at", rfc3339(model.since)},
        {"size", model.memory_needed.value_or(0)},
        {"digest", sha256_hex(fmt::format("{}\n{}", model.path, name))},
        {"details",
         json::object{
             {"parent_model", name == model.name ? "" : model.name},
             {"format", model.backend == BackendKind::llama ? "gguf" : "safetensors"},
             {"family", name_of(model.backend)},
             {"families", json::array{name_of(model.backend)}},
             {"parameter_size", ""},
             {"quantization_level", ""},
         }},
    };
}

template <typename Make>
json::array all(const std::vector<Status>& models, const Pass& pass, Make make) {
    json::array list;
    for (const auto& model : models) {
        for (const auto& name : names_of(model)) {
            if (pass.may_use(name) || pass.may_use(model.name)) {
                list.emplace_back(make(model, name));
            }
        }
    }
    return list;
}

/// The model of that name and the name itself; "x:latest" is x.
std::optional<std::pair<const Status*, std::string>> find(
    const std::vector<Status>& models, const Pass& pass, std::string_view id
) {
    constexpr std::string_view latest = ":latest";
    for (const auto& model : models) {
        for (const auto& name : names_of(model)) {
            const bool same = name == id || (id.ends_with(latest) &&
                                             name == id.substr(0, id.size() - latest.size()));
            if (same && (pass.may_use(name) || pass.may_use(model.name))) {
                return std::pair{&model, name};
            }
        }
    }
    return std::nullopt;
}

}  // namespace

json::object models_list(const std::vector<Status>& models, const Pass& pass) {
    return {{"object", "list"}, {"data", all(models, pass, entry)}};
}

std::optional<json::object> models_entry(
    const std::vector<Status>& models, const Pass& pass, std::string_view id
) {
    const auto found = find(models, pass, id);
    if (!found) return std::nullopt;
    return entry(*found->first, found->second);
}

json::object ollama_tags(const std::vector<Status>& models, const Pass& pass) {
    return {{"models", all(models, pass, ollama_entry)}};
}

json::object ollama_ps(const std::vector<Status>& models, const Pass& pass) {
    json::array list;
    for (const auto& model : models) {
        if (model.state != ServerState::ready || !pass.may_use(model.name)) continue;
        auto object = ollama_entry(model, model.name);
        object["size"] = model.memory;
        object["size_vram"] = 0;
        const auto never = std::chrono::system_clock::now() + std::chrono::hours(24 * 365);
        object["expires_at"] = rfc3339(model.unloads_at.value_or(never));
        list.emplace_back(std::move(object));
    }
    return {{"models", std::move(list)}};
}

std::optional<json::object> ollama_show(
    const std::vector<Status>& models, const Pass& pass, std::string_view name
) {
    const auto found = find(models, pass, name);
    if (!found) return std::nullopt;
    auto object = ollama_entry(*found->first, found->second);
    return json::object{
        {"modelfile", fmt::format("FROM {}\n", found->second)},
        {"parameters", ""},
        {"template", ""},
        {"details", object["details"]},
        {"model_info", json::object{{"general.architecture", name_of(found->first->backend)}}},
        {"capabilities", json::array{"completion", "tools"}},
        {"modified_at", object["modified_at"]},
    };
}

}  // namespace punie::gateway
