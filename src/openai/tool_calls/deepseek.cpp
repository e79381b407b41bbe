// DeepSeek. R1 and V3: <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather
// ```json
// {"city": "Paris"}
// ```<｜tool▁call▁end｜><｜tool▁calls▁end｜>
// V3.1: <｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{"city": "Paris"}<｜tool▁call▁end｜>
// V3.2: <｜DSML｜function_calls><｜DSML｜invoke name="get_weather"><｜DSML｜parameter name="city"
// string="true">Paris</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜function_calls>

#include "base/text.hpp"
#include "openai/tool_calls/all_formats.hpp"
#include "openai/tool_calls/invokes.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr std::string_view path = "deepseek";
constexpr std::string_view section = "<｜tool▁calls▁begin｜>";
constexpr std::string_view end_section = "<｜tool▁calls▁end｜>";
constexpr std::string_view opening = "<｜tool▁call▁begin｜>";
constexpr std::string_view separator = "<｜tool▁sep｜>";
constexpr std::string_view closing = "<｜tool▁call▁end｜>";
constexpr SectionTags tags = {section, end_section, opening, path};
constexpr std::string_view dsml = "<｜DSML｜function_calls>";
constexpr std::string_view end_dsml = "</｜DSML｜function_calls>";

constexpr InvokeTags dsml_tags = {
    path, "<｜DSML｜invoke", "</｜DSML｜invoke>", "<｜DSML｜parameter", "</｜DSML｜parameter>"
};

/// `at` is behind the arguments and goes behind the closing token.
void close_call(Source& source, std::size_t& at, AnswerCall& call) {
    auto behind = source.skip_space(at);
    if (source.has(behind, "```")) behind = source.skip_space(behind + 3);
    if (source.has(behind, closing)) {
        at = behind + closing.size();
        return;
    }
    if (behind == source.size() || source.has(behind, end_section)) {
        at = behind;
        return;
    }
    if (call.problem.empty()) call.problem = "there is more text behind its arguments";
    const auto end = source.find(closing, behind);
    at = end == npos ? source.size() : end + closing.size();
}

/// `at` is behind the opening token and goes behind the closing one.
AnswerCall read_call(Source& source, std::size_t& at) {
    const auto middle = source.find(separator, at);
    const auto close = source.find(closing, at);
    if (middle == npos || close < middle) {
        const bool cut = close == npos;
        const auto raw = trim(source.slice(at, cut ? source.size() : close));
        at = cut ? source.size() : close + closing.size();
        return broken_call(
            "", raw, path, cut ? std::string(cut_problem) : std::string("it has no separator")
        );
    }
    std::string name(trim(source.slice(at, middle)));
    auto begin = source.skip_space(middle + separator.size());
    if (!source.has(begin, "{")) {  // V3: "function", then the name and fenced JSON
        const auto rest = source.text().substr(begin);
        const auto line = rest.substr(0, rest.find('\n'));
        name = trim(line.substr(0, line.find('`')));
        begin = source.skip_space(begin + line.size());
        if (source.has(begin, "```")) begin = source.skip_space(begin + 3);
        if (source.has(begin, "json")) begin = source.skip_space(begin + 4);
    }
    auto call = call_with_json(source, std::move(name), begin, path, at);
    close_call(source, at, call);
    return call;
}

std::optional<Piece> read(Source& source, std::size_t at, std::string_view marker) {
    if (marker == dsml) {
        Piece piece{at + marker.size()};
        piece.calls = read_invokes(source, piece.end, dsml_tags);
        const auto behind = source.skip_space(piece.end);
        if (source.has(behind, end_dsml)) piece.end = behind + end_dsml.size();
        return piece;
    }
    return read_section(source, at, tags, read_call);
}

}  // namespace

Format deepseek() {
    return {.name = path, .markers = {section, opening, dsml}, .read = read};
}

}  // namespace punie::openai::tool_calls
