#pragma once
// JSON between tokens, as Granite, Phi and Command R write it.

#include "openai/tool_calls/reading.hpp"

namespace punie::openai::tool_calls {

/// JSON behind a marker, up to `closing` (which may be missing, or be "").
std::optional<Piece> read_tagged_json(
    Source& source, std::size_t begin, std::string_view closing, std::string_view path
);

}  // namespace punie::openai::tool_calls
