#pragma once
// A model's answer as what it means: visible text, thinking, tool calls, and by which path each
// call came. Pure. One file a text format in this folder; `registry.cpp` lists them.

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace punie::openai {

/// A call as the model meant it.
struct AnswerCall {
    std::string name;
    json::value arguments;      ///< an object; null when `problem` says that they could not be read
    std::string raw_arguments;  ///< as they stood in the answer
    std::string path;           ///< "structured", or the text format: "hermes", "qwen_xml", ...
    std::string problem;  ///< "" or why it is no whole call: cut in mid-argument, bad JSON ...
    json::object texts;   ///< formats that write every value as bare text (qwen_xml, glm, minimax):
                          ///< each argument as it was written, for `typed_arguments`; else empty
};

/// The arguments with the types that the tool's schema (`parameters`, may be null) declares: in the
/// formats of bare text `5` may be a number or a string, and only the schema knows. Other formats'
/// arguments come back as they are. What does not fit the declared type stays text.
json::value typed_arguments(const AnswerCall& call, const json::value* parameters);

/// One assistant message, taken apart.
struct Answer {
    std::string text;           ///< what a reader would see: without thinking and without calls
    std::string thinking;       ///< set aside, whatever the format
    bool thinking_cut = false;  ///< a thinking block was opened and never closed: no answer yet
    std::vector<AnswerCall> calls;
    std::string finish_reason;
    bool cut = false;         ///< finish_reason length
    bool lost_calls = false;  ///< finish_reason tool_calls without any call: the server dropped
                              ///< what it could not parse
    std::string calls_path;   ///< path of the calls: "structured", a text format, or "" when none
};

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
