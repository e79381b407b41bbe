// The whole visible answer is a call in JSON or a list of them, perhaps inside one code fence
// (xLAM, many small models). JSON with any other member is an answer, not a call.

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.hpp"
#include "openai/tool_calls/all_formats.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr std::string_view path = "json";

/// What stands inside the one fence that the text is; the text itself if it is none.
std::string_view without_fence(std::string_view text) {
    if (!text.starts_with("```")) return text;
    const auto line = text.find('\n');
    if (line == npos) return text;
    auto inside = text.substr(line + 1);
    const auto close = inside.find("\n```");
    if (close == npos) return trim(inside);  // cut
    if (!trim(inside.substr(close + 4)).empty()) return text;
    return trim(inside.substr(0, close));
}

/// A list of calls, or {"tool_calls": [...]} around one.
bool is_calls(const json::value& value) {
    if (const auto* array = value.if_array())
        return !array->empty() && std::ranges::all_of(*array, looks_like_call);
    return looks_like_call(value);
}

bool is_cut_call(std::string_view text) {
    const auto first = text.find_first_not_of("[{ \t\r\n");
    if (first == npos) return false;
    const auto head = text.substr(first);
    return (head.starts_with("\"name\"") || head.starts_with("\"function\"")) &&
           (head.contains("\"arguments\"") || head.contains("\"parameters\""));
}

std::vector<AnswerCall> read_whole(std::string_view visible) {
    const auto text = without_fence(visible);
    if (!text.starts_with('{') && !text.starts_with('[')) return {};
    auto read = read_json_at(text, 0);
    if (read.state == JsonAt::State::cut)
        return is_cut_call(text) ? calls_from_json(read, text, 0, path) : std::vector<AnswerCall>{};
    if (read.state == JsonAt::State::bad || !trim(text.substr(read.end)).empty()) return {};
    const auto* wrapped = member(read.value, "tool_calls");
    if (wrapped != nullptr && read.value.get_object().size() == 1 && is_calls(*wrapped)) {
        const auto inner = parts_of(text).front().value;
        return calls_from_json(read_json_at(inner, 0), inner, 0, path);
    }
    return is_calls(read.value) ? calls_from_json(read, text, 0, path) : std::vector<AnswerCall>{};
}

}  // namespace

Format plain_json() {
    return {.name = path, .markers = {}, .read = nullptr, .read_whole = read_whole};
}

}  // namespace punie::openai::tool_calls
