#pragma once
// Which models there are, in OpenAI's and in Ollama's words. Pure: from a status to JSON.

#include <vector>

#include "base/json.hpp"
#include "fleet/fleet.hpp"
#include "gateway/gate.hpp"

namespace punie::gateway {

/// {"object": "list", "data": [...]}: names, aliases and "base:adapter" names that the pass may
/// use, each with its state, memory and owner.
json::object models_list(const std::vector<fleet::ModelStatus>& models, const Pass& pass);

/// One entry; nothing if there is no such model for this pass.
std::optional<json::object> models_entry(
    const std::vector<fleet::ModelStatus>& models, const Pass& pass, std::string_view id
);

/// Ollama's /api/tags and /api/ps.
json::object ollama_tags(const std::vector<fleet::ModelStatus>& models, const Pass& pass);
json::object ollama_ps(const std::vector<fleet::ModelStatus>& models, const Pass& pass);
/// Ollama's /api/show; nothing if there is no such model.
std::optional<json::object> ollama_show(
    const std::vector<fleet::ModelStatus>& models, const Pass& pass, std::string_view name
);

}  // namespace punie::gateway
