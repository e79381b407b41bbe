#include "translate/tool_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.hpp"
#include "openai/tool_calls/answer.hpp"

namespace punie::translate {

ToolSet::ToolSet(const json::value& tools) {
    const auto* list = tools.if_array();
    if (list == nullptr) return;
    for (const auto& tool : *list) {
        const auto* function = member(tool, "function");
        if (function == nullptr) continue;
        const auto name = string_member(*function, "name").value_or("");
        if (name.empty()) continue;
        const auto* parameters = member(*function, "parameters");
        parameters_[name] = parameters == nullptr ? json::value(nullptr) : *parameters;
    }
}

std::optional<openai::Answer> ToolSet::calls_in(std::string_view text) const {
    auto answer = openai::read_text_answer(text);
    const bool good = std::ranges::all_of(answer.calls, [this](const openai::AnswerCall& call) {
        return call.problem.empty() && call.arguments.is_object() && has(call.name);
    });
    if (answer.calls.empty() || !good) return std::nullopt;
    return answer;
}

/// As the model wrote them where that is JSON: numbers too long for a double stay what they are.
std::string ToolSet::arguments_of(const openai::AnswerCall& call) const {
    if (call.texts.empty()) {
        const auto raw = trim(call.raw_arguments);
        const auto parsed = parse_json(raw);
        if (raw.starts_with('{') && parsed && *parsed == call.arguments) return std::string(raw);
    }
    const auto found = parameters_.find(call.name);
    const auto* schema =
        found == parameters_.end() || found->second.is_null() ? nullptr : &found->second;
    return to_text(openai::typed_arguments(call, schema));
}

json::array ToolSet::entries(
    const std::vector<openai::AnswerCall>& calls, std::string_view id, std::size_t first
) const {
    json::array list;
    list.reserve(calls.size());
    for (const auto& call : calls) {
        list.push_back(json::object{
            {"id", fmt::format("call_{}_{}", id, first + list.size())},
            {"type", "function"},
            {"function", {{"name", call.name}, {"arguments", arguments_of(call)}}},
        });
    }
    return list;
}

}  // namespace punie::translate
