// Command R7B and A: <|START_ACTION|>[{"tool_call_id": "0", "tool_name": ..., "parameters": {...}}]
// <|END_ACTION|>; older ones: "Action:" and a fenced list as the whole answer.

#include <algorithm>

#include "base/text.hpp"
#include "openai/tool_calls/all_formats.hpp"
#include "openai/tool_calls/tagged_json.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr std::string_view path = "command_r";
constexpr std::string_view opening = "<|START_ACTION|>";
constexpr std::string_view closing = "<|END_ACTION|>";
constexpr std::string_view action = "Action:";

std::optional<Piece> read(Source& source, std::size_t at, std::string_view marker) {
    return read_tagged_json(source, at + marker.size(), closing, path);
}

std::vector<AnswerCall> read_whole(std::string_view visible) {
    if (!visible.starts_with(action)) return {};
    auto rest = trim(visible.substr(action.size()));
    if (rest.starts_with("```")) {
        rest.remove_prefix(3);
        if (rest.starts_with("json")) rest.remove_prefix(4);
        rest = trim(rest.substr(0, rest.rfind("```")));
    }
    if (!rest.starts_with('[') || !rest.contains("\"tool_name\"")) return {};
    const auto read = read_json_at(rest, 0);
    if (read.state == JsonAt::State::whole && !trim(rest.substr(read.end)).empty()) return {};
    auto calls = calls_from_json(read, rest, 0, path);
    // Command R calls this "tool" when it wants to answer in words.
    std::erase_if(calls, [](const AnswerCall& call) { return call.name == "directly-answer"; });
    return calls;
}

}  // namespace

Format command_r() {
    return {.name = path, .markers = {opening}, .read = read, .read_whole = read_whole};
}

}  // namespace punie::openai::tool_calls
