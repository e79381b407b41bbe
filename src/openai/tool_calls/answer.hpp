#pragma once
// From an answer's JSON or text to what it means. Pure. One file a text format in this folder;
// `registry.cpp` lists them.

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "openai/tool_calls/answer_types.hpp"

namespace punie::openai {

/// The arguments with the types that the tool's schema (`parameters`, may be null) declares: in the
/// formats of bare text `5` may be a number or a string, and only the schema knows. Other formats'
/// arguments come back as they are. What does not fit the declared type stays text.
json::value typed_arguments(const AnswerCall& call, const json::value* parameters);

/// From one `message` of an OpenAI response: structured `tool_calls` when there are any, else the
/// text is searched for every known format (`format` names one, "" tries all). Never fails:
/// nonsense is text.
Answer read_answer(
    const json::value& message, std::string_view finish_reason, std::string_view format = {}
);

/// From a whole response body ({"choices": [...]}): its first choice.
Answer read_response(const json::value& response, std::string_view format = {});

/// From plain text (a completion, a file of answers).
Answer read_text_answer(std::string_view text, std::string_view format = {});

/// Names of the text formats, in the order in which they are tried.
std::vector<std::string> tool_call_formats();

}  // namespace punie::openai
