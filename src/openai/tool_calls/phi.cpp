// Phi-4-mini: <|tool_call|>[{"name": ..., "arguments": {...}}]<|/tool_call|>, and
// functools[{"name": ..., "arguments": {...}}] as the whole answer.

#include "base/text.hpp"
#include "openai/tool_calls/all_formats.hpp"
#include "openai/tool_calls/tagged_json.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr std::string_view path = "phi";
constexpr std::string_view opening = "<|tool_call|>";
constexpr std::string_view closing = "<|/tool_call|>";
constexpr std::string_view word = "functools";

/// Without the closing token it is Granite's.
std::optional<Piece> read(Source& source, std::size_t at, std::string_view marker) {
    const auto inside = at + marker.size();
    if (source.find(closing, inside) == npos) return std::nullopt;
    return read_tagged_json(source, inside, closing, path);
}

std::vector<AnswerCall> read_whole(std::string_view visible) {
    if (!visible.starts_with(word)) return {};
    const auto begin = visible.find_first_not_of(" \n", word.size());
    if (begin == npos || visible[begin] != '[') return {};
    const auto read = read_json_at(visible, begin);
    const bool more = read.state == JsonAt::State::whole && !trim(visible.substr(read.end)).empty();
    return more ? std::vector<AnswerCall>{} : calls_from_json(read, visible, begin, path);
}

}  // namespace

Format phi() {
    return {.name = path, .markers = {opening}, .read = read, .read_whole = read_whole};
}

}  // namespace punie::openai::tool_calls
