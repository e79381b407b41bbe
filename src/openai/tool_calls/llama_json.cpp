// Llama 3.1 to 3.3: {"name": ..., "parameters": {...}} as the whole answer, several with
// semicolons, with or without <|python_tag|> before; <function=name>{json}</function>; built-in
// tools as
// <|python_tag|>brave_search.call(query="...").

#include "base/text.hpp"
#include "openai/tool_calls/all_formats.hpp"
#include "openai/tool_calls/python.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr std::string_view path = "llama_json";
constexpr std::string_view tag = "<|python_tag|>";
constexpr std::string_view function = "<function=";
constexpr std::string_view end_function = "</function>";

/// Objects from `at` on, separated by semicolons; `at` goes behind the last.
std::vector<AnswerCall> read_objects(std::string_view text, std::size_t& at) {
    std::vector<AnswerCall> calls;
    while (at < text.size() && (text[at] == '{' || text[at] == '[')) {
        const auto read = read_json_at(text, at);
        auto more = calls_from_json(read, text, at, path);
        for (auto& call : more) calls.push_back(std::move(call));
        at = read.end;
        if (read.state != JsonAt::State::whole) return calls;
        const auto next = text.find_first_not_of(" \t\r\n;", at);
        if (next == npos || text[next] != '{') return calls;
        at = next;
    }
    return calls;
}

std::optional<Piece> read_tag(Source& source, std::size_t at) {
    const auto begin = source.skip_space(at);
    Piece piece{begin};
    if (begin == source.size()) {
        piece.calls.push_back(broken_call("", "", path, std::string(cut_problem)));
        return piece;
    }
    piece.calls = read_objects(source.text(), piece.end);
    if (!piece.calls.empty()) return piece;
    PythonReader reader(source.text(), begin);
    auto call = reader.call(path);
    if (!call || reader.state() == PythonReader::State::bad) {
        // Code for the interpreter: the call of a tool that is always there.
        AnswerCall code = broken_call("python", source.text().substr(begin), path, "");
        code.arguments = json::object{{"code", json::value(trim(source.text().substr(begin)))}};
        piece.calls.push_back(std::move(code));
        piece.end = source.size();
        return piece;
    }
    if (call->name.ends_with(".call"))
        call->name.resize(call->name.size() - std::string_view(".call").size());
    piece.end = call->problem.empty() ? reader.at() : source.size();
    piece.calls.push_back(*std::move(call));
    return piece;
}

std::optional<Piece> read_function(Source& source, std::size_t at) {
    const auto length = name_length(source.text().substr(at));
    auto begin = at + length;
    if (length == 0 || !source.has(begin, ">")) return std::nullopt;
    begin = source.skip_space(begin + 1);
    if (!source.has(begin, "{")) return std::nullopt;
    Piece piece;
    piece.calls.push_back(
        call_with_json(source, std::string(source.slice(at, at + length)), begin, path, piece.end)
    );
    const auto behind = source.skip_space(piece.end);
    if (source.has(behind, end_function)) piece.end = behind + end_function.size();
    return piece;
}

std::optional<Piece> read(Source& source, std::size_t at, std::string_view marker) {
    return marker == tag ? read_tag(source, at + marker.size())
                         : read_function(source, at + marker.size());
}

/// {"name": "f", "parameters": {"a": ... that the text ends in.
bool is_cut_call(std::string_view text) {
    return text.contains("\"name\"") && text.contains("\"parameters\"");
}

std::vector<AnswerCall> read_whole(std::string_view visible) {
    std::size_t at = 0;
    while (at < visible.size() && visible[at] == '{') {
        const auto read = read_json_at(visible, at);
        if (read.state == JsonAt::State::bad) return {};
        const bool own =
            read.state == JsonAt::State::whole
                ? looks_like_call(read.value) && read.value.as_object().contains("parameters")
                : is_cut_call(visible.substr(at));
        if (!own) return {};
        at = visible.find_first_not_of(" \t\r\n;", read.end);
    }
    if (at == 0 || at != npos) return {};
    at = 0;
    return read_objects(visible, at);
}

}  // namespace

Format llama_json() {
    return {.name = path, .markers = {tag, function}, .read = read, .read_whole = read_whole};
}

}  // namespace punie::openai::tool_calls
