// [get_weather(city="Paris"), get_time()]: Llama 3.2 and 4 as the whole answer, between
// <|python_start|> and <|python_end|>, or (LFM2) between <|tool_call_start|> and <|tool_call_end|>.
// Arguments have names; anything else is no call.

#include <algorithm>

#include "base/text.hpp"
#include "openai/tool_calls/all_formats.hpp"
#include "openai/tool_calls/python.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr std::string_view path = "pythonic";

std::optional<Piece> read(Source& source, std::size_t at, std::string_view marker) {
    const std::string_view closing =
        marker == "<|python_start|>" ? "<|python_end|>" : "<|tool_call_end|>";
    const auto begin = source.skip_space(at + marker.size());
    PythonReader reader(source.text(), begin);
    Piece piece;
    piece.calls = reader.call_list(path);
    auto place = reader.at();
    if (piece.calls.empty() && !source.has(begin, "[")) {
        PythonReader single(source.text(), begin);
        if (auto call = single.call(path)) piece.calls.push_back(*std::move(call));
        place = single.at();
    }
    const auto close = source.find(closing, place);
    const auto next = source.find(marker, place);
    const bool closed = close != npos && close < next;
    const auto raw = trim(source.slice(begin, std::min({close, next, source.size()})));
    if (piece.calls.empty()) {
        piece.calls.push_back(broken_call(
            "",
            raw,
            path,
            closed ? std::string("no list of calls with named arguments") : std::string(cut_problem)
        ));
    }
    piece.end = closed ? close + closing.size() : std::min(next, source.size());
    return piece;
}

/// "[f(" or "[a.b(" with an argument's name or a parenthesis behind: so no list of values begins.
bool begins_calls(std::string_view text) {
    if (!text.starts_with('[')) return false;
    text = trim(text.substr(1));
    const auto length = name_length(text);
    if (length == 0 || length >= text.size() || text[length] != '(') return false;
    const char first = text.front();
    return !(first >= '0' && first <= '9');
}

std::vector<AnswerCall> read_whole(std::string_view visible) {
    if (!begins_calls(visible)) return {};
    PythonReader reader(visible, 0);
    auto calls = reader.call_list(path);
    const bool whole =
        std::ranges::all_of(calls, [](const AnswerCall& call) { return call.problem.empty(); });
    if (!whole) {
        // Cut: a call, if an argument's name came; otherwise it may be anything.
        const bool cut = reader.state() == PythonReader::State::cut && visible.contains('=');
        return cut ? calls : std::vector<AnswerCall>{};
    }
    if (reader.state() == PythonReader::State::cut) {
        if (!calls.empty()) calls.push_back(broken_call("", "", path, std::string(cut_problem)));
        return calls;
    }
    reader.skip_space();
    return reader.at_end() ? calls : std::vector<AnswerCall>{};
}

}  // namespace

Format pythonic() {
    return {
        .name = path,
        .markers = {"<|tool_call_start|>", "<|python_start|>"},
        .read = read,
        .read_whole = read_whole
    };
}

}  // namespace punie::openai::tool_calls
