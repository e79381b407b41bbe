// GLM 4.5 and later: <tool_call>get_weather
//   <arg_key>city</arg_key>
//   <arg_value>Paris</arg_value>
//   </tool_call>
// Values are bare text: JSON where it is JSON, a string otherwise, unless the schema says string.

#include <boost/json.hpp>

#include "base/text.hpp"
#include "openai/tool_calls/all_formats.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr std::string_view path = "glm";
constexpr std::string_view opening = "<tool_call>";
constexpr std::string_view closing = "</tool_call>";
constexpr std::string_view key_tag = "<arg_key>";
constexpr std::string_view end_key = "</arg_key>";
constexpr std::string_view value_tag = "<arg_value>";
constexpr std::string_view end_value = "</arg_value>";

bool read_argument(Source& source, std::size_t& at, AnswerCall& call) {
    at += key_tag.size();
    const auto key_close = source.find(end_key, at);
    if (key_close == npos) return false;
    const auto value_at = source.skip_space(key_close + end_key.size());
    if (!source.has(value_at, value_tag)) return false;
    const auto value_begin = value_at + value_tag.size();
    const auto close = source.find_closing(end_value, value_begin, {key_tag, closing});
    if (close == npos) return false;
    const auto text = trim(source.slice(value_begin, close));
    call.texts.insert_or_assign(trim(source.slice(at, key_close)), text);
    at = source.skip_space(close + end_value.size());
    return true;
}

json::object guessed(const json::object& texts) {
    json::object arguments;
    for (const auto& [key, text] : texts) {
        auto value = literal_from(std::string_view(text.get_string()));
        arguments.insert_or_assign(key, value ? *std::move(value) : text);
    }
    return arguments;
}

std::optional<Piece> read(Source& source, std::size_t at, std::string_view marker) {
    auto place = at + marker.size();
    const auto length = name_length(source.text().substr(place));
    if (length == 0) return std::nullopt;
    AnswerCall call;
    call.path = path;
    call.name = source.slice(place, place + length);
    place = source.skip_space(place + length);
    const auto inside = place;
    const bool known = source.has(place, key_tag) || source.has(place, closing) ||
                       place == source.size() || key_tag.starts_with(source.text().substr(place));
    if (!known) return std::nullopt;
    while (source.has(place, key_tag)) {
        if (!read_argument(source, place, call)) {
            place = source.size();
            break;
        }
    }
    Piece piece{place};
    call.raw_arguments = trim(source.slice(inside, place));
    if (source.has(place, closing)) {
        piece.end += closing.size();
        call.arguments = guessed(call.texts);
    } else {
        call.problem = place >= source.size() || key_tag.starts_with(source.text().substr(place))
                           ? std::string(cut_problem)
                           : std::string("</tool_call> was expected behind its arguments");
    }
    piece.calls.push_back(std::move(call));
    return piece;
}

}  // namespace

Format glm() {
    return {.name = path, .markers = {opening}, .read = read};
}

}  // namespace punie::openai::tool_calls
