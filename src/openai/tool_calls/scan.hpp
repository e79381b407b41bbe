#pragma once
// One pass over an answer's text: thinking, calls, and what is left to read.

#include <string_view>

#include "openai/tool_calls/answer_types.hpp"

namespace punie::openai::tool_calls {

/// Adds to `answer`. `format` names the only format to look for; `calls` false looks for none.
void scan_text(std::string_view text, std::string_view format, bool calls, Answer& answer);

}  // namespace punie::openai::tool_calls
