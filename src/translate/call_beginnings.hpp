#pragma once
// What a call looks like while it is still coming. All answer: may it become one? Cheap, and only
// "no" is certain.

#include <string_view>

#include "translate/tool_set.hpp"

namespace punie::translate {

/// `text` stands behind `marker`.
bool may_follow(std::string_view marker, std::string_view text, const ToolSet& tools);

/// The answer begins with `text` (without blanks in front): calls without a marker.
bool may_begin_answer(std::string_view text, const ToolSet& tools);

/// As may_begin_answer, with a look at all of the text.
bool may_stay_whole_call(std::string_view text, const ToolSet& tools);

}  // namespace punie::translate
