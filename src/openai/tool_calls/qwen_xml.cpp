// Qwen3-Coder:
//   <tool_call>
//   <function=get_weather>
//   <parameter=city>
//   Paris
//   </parameter>
//   </function>
//   </tool_call>
// The outer tag is often left out. Values are bare text; a closing tag inside one does not end it
// unless what follows could follow a parameter.

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json_equal.hpp"
#include "base/text.hpp"
#include "openai/tool_calls/all_formats.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr std::string_view path = "qwen_xml";
constexpr std::string_view parameter = "<parameter=";
constexpr std::string_view end_parameter = "</parameter>";
constexpr std::string_view end_function = "</function>";
constexpr std::string_view end_call = "</tool_call>";

/// One line break at each end belongs to the layout.
std::string_view without_layout(std::string_view value) {
    if (value.starts_with('\n')) value.remove_prefix(1);
    if (value.ends_with('\n')) value.remove_suffix(1);
    return value;
}

bool read_parameter(Source& source, std::size_t& at, AnswerCall& call) {
    at += parameter.size();
    const auto bracket = source.text().substr(at, 200).find('>');
    const auto close =
        bracket == npos ? npos
                        : source.find_closing(
                              end_parameter, at + bracket + 1, {parameter, end_function, end_call}
                          );
    if (close == npos) return false;
    const auto key = trim(source.slice(at, at + bracket));
    call.texts.insert_or_assign(key, without_layout(source.slice(at + bracket + 1, close)));
    at = source.skip_space(close + end_parameter.size());
    return true;
}

/// `at` is behind "<function=".
AnswerCall read_function(Source& source, std::size_t& at) {
    AnswerCall call;
    call.path = path;
    const auto length = name_length(source.text().substr(at));
    call.name = source.slice(at, at + length);
    at += length;
    if (source.has(at, ">")) ++at;
    const auto inside = at;
    at = source.skip_space(at);
    while (source.has(at, parameter)) {
        if (read_parameter(source, at, call)) continue;
        call.problem = cut_problem;
        call.raw_arguments = source.text().substr(inside);
        at = source.size();
        return call;
    }
    call.raw_arguments = trim(source.slice(inside, at));
    if (source.has(at, end_function)) {
        at += end_function.size();
        call.arguments = call.texts;
        return call;
    }
    const bool whole = source.has(at, end_call);  // models forget the inner tag
    if (whole) {
        call.arguments = call.texts;
    } else if (at == source.size()) {
        call.problem = cut_problem;
    } else {
        call.problem = fmt::format(
            "a parameter or {} was expected: {}",
            end_function,
            shortened(printable(source.text().substr(at, 200)), 40)
        );
    }
    return call;
}

/// <function=name>{...}: Llama's form of it.
bool holds_json(const Source& source, std::size_t at) {
    at += name_length(source.text().substr(at));
    return source.has(at, ">") && source.has(source.skip_space(at + 1), "{");
}

std::optional<Piece> read(Source& source, std::size_t at, std::string_view marker) {
    const bool wrapped = marker == "<tool_call>";
    auto place = wrapped ? source.skip_space(at + marker.size()) : at;
    Piece piece;
    while (source.has(place, "<function=")) {
        place += std::string_view("<function=").size();
        if (holds_json(source, place)) break;
        if (name_length(source.text().substr(place)) == 0 && place < source.size()) break;
        piece.calls.push_back(read_function(source, place));
        piece.end = place;
        place = source.skip_space(place);
    }
    if (piece.calls.empty()) return std::nullopt;
    if (source.has(place, end_call)) piece.end = place + end_call.size();
    return piece;
}

}  // namespace

Format qwen_xml() {
    return {.name = path, .markers = {"<tool_call>", "<function="}, .read = read};
}

}  // namespace punie::openai::tool_calls
