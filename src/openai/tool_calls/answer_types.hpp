#pragma once
// A model's answer as what it means: visible text, thinking, tool calls, and by which path each
// call came.

#include <string>
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

}  // namespace punie::openai
