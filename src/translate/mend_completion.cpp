#include <boost/json.hpp>

#include "openai/response.hpp"
#include "translate/mending.hpp"
#include "translate/tool_set.hpp"

namespace punie::translate {

namespace {

bool mend_choice(
    json::object& choice, const ToolSet& tools, std::string_view id, std::size_t first
) {
    auto* message = choice.if_contains("message");
    if (message == nullptr || !message->is_object()) return false;
    auto& object = message->get_object();
    const auto* calls = object.if_contains("tool_calls");
    if (calls != nullptr && calls->is_array() && !calls->get_array().empty()) return false;
    const auto text = openai::content_of(*message);
    if (text.empty()) return false;
    const auto answer = tools.calls_in(text);
    if (!answer) return false;
    object["tool_calls"] = tools.entries(answer->calls, id, first);
    object["content"] = answer->text.empty() ? json::value(nullptr) : json::value(answer->text);
    if (!answer->thinking.empty() && openai::reasoning_of(*message).empty())
        object["reasoning_content"] = answer->thinking;
    // "length" stays: behind the calls more was to come.
    const auto* reason = choice.if_contains("finish_reason");
    if (reason == nullptr || *reason != "length") choice["finish_reason"] = "tool_calls";
    return true;
}

}  // namespace

bool mend_completion(json::object& completion, const json::value& tools, std::string_view id) {
    const ToolSet set(tools);
    auto* choices = completion.if_contains("choices");
    if (set.empty() || choices == nullptr || !choices->is_array()) return false;
    bool changed = false;
    std::size_t made = 0;
    for (auto& choice : choices->get_array()) {
        if (!choice.is_object() || !mend_choice(choice.get_object(), set, id, made)) continue;
        made += choice.at("message").at("tool_calls").as_array().size();
        changed = true;
    }
    return changed;
}

}  // namespace punie::translate
