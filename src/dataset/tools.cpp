#include "dataset/tools.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "dataset/bytes.hpp"

namespace punie::dataset {

namespace {

constexpr std::size_t most_kept = 4096;

/// {"type": "function", "function": {...}}, or the function itself, which some templates accept.
const Node* function_of(const Node& tool) {
    const auto* function = tool.find("function");
    if (function != nullptr && function->is_object()) return function;
    return tool.find("name") != nullptr ? &tool : nullptr;
}

void read_parameters(const Node& function, ToolSpec& spec) {
    const auto* parameters = function.find("parameters");
    if (parameters == nullptr || parameters->is(Node::Kind::null)) return;
    if (!parameters->is_object()) {
        spec.schema_fault =
            fmt::format("parameters is {}; it must be an object", kind_words(*parameters));
        return;
    }
    auto schema = JsonSchema::compile(to_json(*parameters));
    if (schema) {
        spec.schema = *std::move(schema);
    } else {
        spec.schema_fault = schema.error().message();
    }
}

}  // namespace

const ToolSpec* ToolList::find(std::string_view name) const {
    const auto found =
        std::ranges::find_if(tools, [&](const auto& tool) { return tool->name == name; });
    return found == tools.end() ? nullptr : found->get();
}

std::vector<std::string> ToolList::names() const {
    std::vector<std::string> names;
    names.reserve(tools.size());
    for (const auto& tool : tools) names.push_back(tool->name);
    return names;
}

std::shared_ptr<const ToolSpec> ToolShelf::spec_of(const Node& function, std::string_view name) {
    const auto key = hash_bytes(function.text.data(), function.text.size());
    if (const auto found = specs_.find(key); found != specs_.end()) return found->second;
    if (specs_.size() >= most_kept) specs_.clear();
    auto spec = std::make_shared<ToolSpec>();
    spec->name = std::string(name);
    spec->definition = key;
    read_parameters(function, *spec);
    specs_.emplace(key, spec);
    return spec;
}

void ToolShelf::read_tool(const Node& tool, std::size_t index, ToolList& list) {
    const auto fault = [&](std::string_view code, std::string message) {
        list.faults.push_back({code, std::move(message)});
    };
    const auto* function = function_of(tool);
    if (function == nullptr)
        return fault("D401", fmt::format("tools[{}] has no function with a name", index));
    if (function == &tool) {
        fault(
            "D401",
            fmt::format(
                "tools[{}] is not wrapped in {{\"type\": \"function\", \"function\": {{...}}}}",
                index
            )
        );
    }
    const auto name = function->string("name");
    if (!name || name->empty())
        return fault("D401", fmt::format("tools[{}].function has no name", index));
    if (list.find(*name) != nullptr)
        fault("D403", fmt::format("tools[{}]: {} is declared before", index, *name));
    auto spec = spec_of(*function, *name);
    if (!spec->schema_fault.empty())
        fault("D402", fmt::format("tool {}: {}", spec->name, spec->schema_fault));
    list.tools.push_back(std::move(spec));
}

void ToolShelf::read(const Node& tools, ToolList& list) {
    if (!tools.is_array()) {
        list.faults.push_back(
            {"D401", fmt::format("tools is {}; it must be a list", kind_words(tools))}
        );
        return;
    }
    std::size_t index = 0;
    for (const auto& tool : elements(tools)) read_tool(tool, index++, list);
}

std::shared_ptr<const ToolList> ToolShelf::list_of(const Node& tools, std::string_view raw) {
    const auto key = hash_bytes(raw.data(), raw.size());
    if (const auto found = lists_.find(key); found != lists_.end()) return found->second;
    if (lists_.size() >= most_kept) lists_.clear();
    auto list = std::make_shared<ToolList>();
    read(tools, *list);
    lists_.emplace(key, list);
    return list;
}

}  // namespace punie::dataset
