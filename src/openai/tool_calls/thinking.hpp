#pragma once
// Blocks in which a model thinks aloud.

#include <span>

#include "openai/tool_calls/reading.hpp"

namespace punie::openai::tool_calls {

/// What a block begins and ends with.
struct ThinkingTags {
    std::string_view opening;
    std::string_view closing;
    bool opened_in_prompt = false;  ///< chat templates write the opening tag: only the end is seen
};

std::span<const ThinkingTags> thinking_tags();

/// The block that opens at `at`; nothing if the tag is only talked about: in the middle of a line
/// without an end, or behind a backtick.
std::optional<Piece> read_thinking(Source& source, std::size_t at, const ThinkingTags& tags);

}  // namespace punie::openai::tool_calls
