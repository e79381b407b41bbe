// <tool_call>{"name": ..., "arguments": {...}}</tool_call>, one or several objects or a list
// inside. The closing tag is looked for behind the JSON, so one inside a string ends nothing.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/json_equal.hpp"
#include "base/text.hpp"
#include "openai/tool_calls/all_formats.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr std::string_view path = "hermes";
constexpr std::string_view opening = "<tool_call>";
constexpr std::string_view closing = "</tool_call>";

void append(std::vector<AnswerCall>& calls, std::vector<AnswerCall>&& more) {
    calls.insert(
        calls.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end())
    );
}

/// Where a call that went wrong at `from` ends: behind its closing tag, or at the next call.
std::size_t end_of_broken(Source& source, std::size_t from) {
    const auto close = source.find(closing, from);
    const auto next = source.find(opening, from);
    if (close != npos && close < next) return close + closing.size();
    return next == npos ? source.size() : next;
}

/// A tag with something else than JSON inside. In a sentence the tag is only talked about; at the
/// start of a line and closed it is a call that went wrong.
std::optional<Piece> not_json(Source& source, std::size_t at, std::size_t inside) {
    if (inside == source.size()) {
        Piece cut{inside};
        cut.calls.push_back(broken_call("", "", path, std::string(cut_problem)));
        return cut;
    }
    const auto close = source.find(closing, inside);
    const bool own_line = at == 0 || source.text()[at - 1] == '\n';
    if (close == npos || !own_line) return std::nullopt;
    if (source.find(opening, inside) < close) return std::nullopt;
    Piece piece{close + closing.size()};
    const auto content = trim(source.slice(inside, close));
    piece.calls.push_back(broken_call(
        "",
        content,
        path,
        fmt::format("no JSON between its tags: {}", shortened(printable(content), 60))
    ));
    return piece;
}

/// Calls as JSON from `at` on, up to the closing tag.
Piece read_json_calls(Source& source, std::size_t at) {
    Piece piece;
    while (true) {
        const auto read = read_json_at(source.text(), at);
        append(piece.calls, calls_from_json(read, source.text(), at, path));
        if (read.state == JsonAt::State::cut) {
            piece.end = source.size();
            return piece;
        }
        if (read.state == JsonAt::State::bad) {
            piece.end = end_of_broken(source, read.end);
            return piece;
        }
        at = source.skip_space(read.end);
        if (source.has(at, closing)) {
            piece.end = at + closing.size();
            return piece;
        }
        if (source.has(at, "{")) continue;
        const auto close = source.find(closing, at);
        if (close == npos || source.find(opening, at) < close) {  // the closing tag was left out
            piece.end = at;
            return piece;
        }
        const auto junk = source.slice(at, close);
        if (!piece.calls.empty()) {
            piece.calls.back().problem = fmt::format(
                "there is more text behind its JSON: {}", shortened(printable(trim(junk)), 60)
            );
        }
        piece.end = close + closing.size();
        return piece;
    }
}

std::optional<Piece> read(Source& source, std::size_t at, std::string_view marker) {
    const auto inside = at + marker.size();
    const auto first = source.skip_space(inside);
    if (source.has(first, "{") || source.has(first, "[")) return read_json_calls(source, first);
    const bool of_others = source.has(first, "<function=") || source.has(first, "<invoke") ||
                           (first == inside && name_length(source.text().substr(first)) > 0);
    return of_others ? std::nullopt : not_json(source, at, first);
}

}  // namespace

Format hermes() {
    return {.name = path, .markers = {opening}, .read = read};
}

}  // namespace punie::openai::tool_calls
