#include "openai/tool_calls/answer.hpp"

#include <boost/json.hpp>

#include "base/text.hpp"
#include "openai/tool_calls/reading.hpp"
#include "openai/tool_calls/scan.hpp"

namespace punie::openai {

namespace {

/// A message's text: a string, or a list of parts.
std::string text_of(const json::value* content, Answer& answer) {
    if (content == nullptr) return {};
    if (const auto* text = content->if_string()) return std::string(*text);
    std::string all;
    const auto* parts = content->if_array();
    if (parts == nullptr) return all;
    for (const auto& part : *parts) {
        const auto type = string_member(part, "type").value_or("text");
        if (type == "text" || type == "output_text")
            all += string_member(part, "text").value_or("");
        else if (type == "thinking" || type == "reasoning")
            answer.thinking += text_of(member(part, type), answer);
    }
    return all;
}

AnswerCall structured_call(const json::value& function) {
    AnswerCall call;
    call.path = "structured";
    call.name = string_member(function, "name").value_or("");
    const auto* arguments = member(function, "arguments");
    const auto raw = arguments == nullptr     ? std::string{}
                     : arguments->is_string() ? std::string(arguments->get_string())
                                              : to_text(*arguments);
    tool_calls::set_arguments(call, arguments, raw);
    if (call.name.empty() && call.problem.empty()) call.problem = "it has no name";
    return call;
}

/// `tool_calls`, or the `function_call` of older servers.
std::vector<AnswerCall> structured_calls(const json::value& message) {
    std::vector<AnswerCall> calls;
    const auto* list = member(message, "tool_calls");
    if (list != nullptr && list->is_array()) {
        calls.reserve(list->get_array().size());
        for (const auto& entry : list->get_array()) {
            const auto* function = member(entry, "function");
            calls.push_back(structured_call(function == nullptr ? entry : *function));
        }
    }
    const auto* old = member(message, "function_call");
    if (calls.empty() && old != nullptr && old->is_object()) calls.push_back(structured_call(*old));
    return calls;
}

/// Where servers put what they set aside themselves.
std::string thinking_of(const json::value& message) {
    for (const std::string_view name : {"reasoning_content", "reasoning", "thinking"}) {
        if (auto text = string_member(message, name); text && !text->empty())
            return std::string(trim(*text));
    }
    return {};
}

void finish(Answer& answer, std::string_view finish_reason) {
    answer.finish_reason = finish_reason;
    answer.cut = finish_reason == "length";
    if (!answer.calls.empty()) answer.calls_path = answer.calls.front().path;
    answer.lost_calls = finish_reason == "tool_calls" && answer.calls.empty();
}

}  // namespace

Answer read_answer(
    const json::value& message, std::string_view finish_reason, std::string_view format
) {
    Answer answer;
    auto set_aside = thinking_of(message);
    const auto text = text_of(member(message, "content"), answer);
    auto calls = structured_calls(message);
    tool_calls::scan_text(text, format, calls.empty(), answer);
    if (!calls.empty()) answer.calls = std::move(calls);
    if (!set_aside.empty()) {
        if (!answer.thinking.empty()) set_aside += '\n';
        answer.thinking.insert(0, set_aside);
        const bool nothing_else = answer.text.empty() && answer.calls.empty();
        if (nothing_else && finish_reason == "length") answer.thinking_cut = true;
    }
    finish(answer, finish_reason);
    return answer;
}

Answer read_response(const json::value& response, std::string_view format) {
    const auto* choices = member(response, "choices");
    if (choices == nullptr || !choices->is_array() || choices->get_array().empty()) return {};
    const auto& choice = choices->get_array().front();
    const auto reason = string_member(choice, "finish_reason").value_or("");
    if (const auto* message = member(choice, "message"))
        return read_answer(*message, reason, format);
    // A completion: text without a message.
    auto answer = read_text_answer(string_member(choice, "text").value_or(""), format);
    finish(answer, reason);
    return answer;
}

Answer read_text_answer(std::string_view text, std::string_view format) {
    Answer answer;
    tool_calls::scan_text(text, format, true, answer);
    finish(answer, "");
    return answer;
}

}  // namespace punie::openai
