// Kimi K2: <|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0
// <|tool_call_argument_begin|>{"city": "Paris"}<|tool_call_end|>...<|tool_calls_section_end|>

#include <algorithm>

#include "base/text.hpp"
#include "openai/tool_calls/all_formats.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr std::string_view path = "kimi";
constexpr std::string_view section = "<|tool_calls_section_begin|>";
constexpr std::string_view end_section = "<|tool_calls_section_end|>";
constexpr std::string_view opening = "<|tool_call_begin|>";
constexpr std::string_view arguments = "<|tool_call_argument_begin|>";
constexpr std::string_view closing = "<|tool_call_end|>";
constexpr SectionTags tags = {section, end_section, opening, path};

/// "functions.get_weather:0" is the call's id; the name stands in its middle.
std::string name_of(std::string_view id) {
    id = trim(id);
    if (id.starts_with("functions.")) id.remove_prefix(std::string_view("functions.").size());
    const auto colon = id.rfind(':');
    const bool numbered =
        colon != npos && colon + 1 < id.size() &&
        std::ranges::all_of(id.substr(colon + 1), [](char c) { return c >= '0' && c <= '9'; });
    return std::string(numbered ? id.substr(0, colon) : id);
}

/// `at` is behind the opening token and goes behind the closing one.
AnswerCall read_call(Source& source, std::size_t& at) {
    const auto head = source.find(arguments, at);
    const auto close = source.find(closing, at);
    if (head == npos || close < head) {
        const auto id = source.slice(at, std::min(close, source.size()));
        at = close == npos ? source.size() : close + closing.size();
        return broken_call(
            close == npos ? std::string{} : name_of(id),
            "",
            path,
            close == npos ? std::string(cut_problem) : std::string("it has no arguments")
        );
    }
    auto name = name_of(source.slice(at, head));
    const auto begin = source.skip_space(head + arguments.size());
    auto call = call_with_json(source, std::move(name), begin, path, at);
    const auto behind = source.skip_space(at);
    if (source.has(behind, closing)) {
        at = behind + closing.size();
        return call;
    }
    if (behind == source.size()) return call;  // whole arguments, or cut
    const auto end = source.find(closing, behind);
    if (call.problem.empty()) call.problem = "there is more text behind its arguments";
    at = end == npos ? source.size() : end + closing.size();
    return call;
}

std::optional<Piece> read(Source& source, std::size_t at, std::string_view /*marker*/) {
    return read_section(source, at, tags, read_call);
}

}  // namespace

Format kimi() {
    return {.name = path, .markers = {section, opening}, .read = read};
}

}  // namespace punie::openai::tool_calls
