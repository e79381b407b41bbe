// Values of formats that write bare text, with the types that the schema declares.

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <string>

#include "base/text.hpp"
#include "openai/tool_calls/reading.hpp"

namespace punie::openai {

namespace {

bool allows(const json::value& schema, std::string_view type) {
    const auto* declared = member(schema, "type");
    if (declared == nullptr) return false;
    if (const auto* name = declared->if_string()) return *name == type;
    const auto* list = declared->if_array();
    return list != nullptr && std::ranges::any_of(*list, [&](const json::value& name) {
               return name.is_string() && name.get_string() == type;
           });
}

/// Whether one of its forms (anyOf, oneOf) or itself allows the type.
bool allows_deep(const json::value& schema, std::string_view type) {
    if (allows(schema, type)) return true;
    for (const std::string_view keyword : {"anyOf", "oneOf"}) {
        const auto* forms = member(schema, keyword);
        if (forms == nullptr || !forms->is_array()) continue;
        const auto fits = [&](const json::value& form) { return allows(form, type); };
        if (std::ranges::any_of(forms->get_array(), fits)) return true;
    }
    return false;
}

bool lists_text(const json::value& schema, std::string_view text) {
    const auto* choices = member(schema, "enum");
    return choices != nullptr && choices->is_array() &&
           std::ranges::any_of(choices->get_array(), [&](const json::value& choice) {
               return choice.is_string() && choice.get_string() == text;
           });
}

/// The type's name of a value, as far as "integer" goes.
bool is_of(const json::value& value, const json::value& schema) {
    if (value.is_object()) return allows_deep(schema, "object");
    if (value.is_array()) return allows_deep(schema, "array");
    if (value.is_bool()) return allows_deep(schema, "boolean");
    if (value.is_null()) return allows_deep(schema, "null");
    if (value.is_number()) return allows_deep(schema, "number") || allows_deep(schema, "integer");
    return false;
}

bool declares_types(const json::value& schema) {
    return member(schema, "type") != nullptr || member(schema, "anyOf") != nullptr ||
           member(schema, "oneOf") != nullptr;
}

json::value typed(const json::value& text, const json::value& guess, const json::value& schema) {
    const auto words = trim(std::string_view(text.get_string()));
    if (lists_text(schema, words)) return json::value(words);
    auto literal = tool_calls::literal_from(words);
    if (!declares_types(schema)) {
        if (member(schema, "enum") != nullptr && literal) return *std::move(literal);
        return guess;
    }
    // A declared string stays text, whatever it looks like; "null" is null where that is allowed.
    if (allows_deep(schema, "string"))
        return words == "null" && allows_deep(schema, "null") ? json::value(nullptr) : text;
    return literal && is_of(*literal, schema) ? *std::move(literal) : guess;
}

}  // namespace

json::value typed_arguments(const AnswerCall& call, const json::value* parameters) {
    const auto* properties = parameters == nullptr ? nullptr : member(*parameters, "properties");
    if (call.texts.empty() || !call.arguments.is_object() || properties == nullptr)
        return call.arguments;
    auto arguments = call.arguments.get_object();
    for (auto& [name, value] : arguments) {
        const auto* text = call.texts.if_contains(name);
        const auto* schema = member(*properties, name);
        if (text != nullptr && schema != nullptr) value = typed(*text, value, *schema);
    }
    return arguments;
}

}  // namespace punie::openai
