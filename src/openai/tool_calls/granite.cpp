// Granite 3: <|tool_call|>[{"name": ..., "arguments": {...}}]; Granite 20B and others:
// <function_call>{...} with or without its end.

#include "openai/tool_calls/all_formats.hpp"
#include "openai/tool_calls/tagged_json.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr std::string_view path = "granite";

std::optional<Piece> read(Source& source, std::size_t at, std::string_view marker) {
    const auto closing = marker == "<function_call>"  ? "</function_call>"
                         : marker == "<functioncall>" ? "</functioncall>"
                                                      : "";
    return read_tagged_json(source, at + marker.size(), closing, path);
}

}  // namespace

Format granite() {
    return {
        .name = path,
        .markers = {"<|tool_call|>", "<function_call>", "<functioncall>"},
        .read = read
    };
}

}  // namespace punie::openai::tool_calls
