#pragma once
// <invoke name="..."><parameter name="...">value</parameter></invoke>, which several families use
// with a prefix of their own before the words.

#include <string>
#include <vector>

#include "openai/tool_calls/reading.hpp"

namespace punie::openai::tool_calls {

/// The tags of one family.
struct InvokeTags {
    std::string_view path;
    std::string_view invoke;         ///< "<invoke"
    std::string_view end_invoke;     ///< "</invoke>"
    std::string_view parameter;      ///< "<parameter"
    std::string_view end_parameter;  ///< "</parameter>"
};

/// The calls from `at` on, which goes behind the last of them.
std::vector<AnswerCall> read_invokes(Source& source, std::size_t& at, const InvokeTags& tags);

}  // namespace punie::openai::tool_calls
