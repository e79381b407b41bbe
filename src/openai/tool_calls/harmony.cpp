// gpt-oss: messages in channels. <|channel|>analysis<|message|>thinking<|end|><|start|>assistant
// <|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{...}<|call|>, and
// <|channel|>final<|message|>answer<|return|>. A message with a recipient is a call.

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "openai/tool_calls/all_formats.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr std::string_view path = "harmony";
constexpr std::string_view channel = "<|channel|>";
constexpr std::string_view start = "<|start|>";
constexpr std::string_view message = "<|message|>";
constexpr std::size_t longest_head = 300;
constexpr std::array<std::string_view, 5> ends = {
    "<|end|>", "<|return|>", "<|call|>", start, channel
};

/// The end of a body without JSON, and how long the token there is (0 for one that begins the next
/// message, or the text's end).
std::pair<std::size_t, std::size_t> body_end(Source& source, std::size_t from) {
    std::size_t first = npos;
    std::size_t length = 0;
    for (const auto token : ends) {
        const auto at = source.find(token, from);
        if (at >= first) continue;
        first = at;
        length = token == start || token == channel ? 0 : token.size();
    }
    return {std::min(first, source.size()), length};
}

std::string recipient_of(std::string_view head) {
    const auto to = head.find("to=");
    if (to == npos) return {};
    auto name = head.substr(to + 3);
    name = name.substr(0, name.find_first_of(" \t\r\n<"));
    if (name == "assistant" || name == "user") return {};
    if (name.starts_with("functions.")) name.remove_prefix(std::string_view("functions.").size());
    return std::string(name);
}

Piece read_call(Source& source, std::size_t body, std::string name) {
    Piece piece;
    const auto begin = source.skip_space(body);
    if (begin < source.size() && !source.has(begin, "{")) {
        const auto [end, token] = body_end(source, body);
        const auto raw = trim(source.slice(body, end));
        auto call = broken_call(std::move(name), raw, path, "its arguments are no JSON");
        if (raw.empty()) set_arguments(call, nullptr, raw);
        if (raw.empty()) call.problem.clear();
        piece.calls.push_back(std::move(call));
        piece.end = end + token;
        return piece;
    }
    auto end = begin;
    piece.calls.push_back(call_with_json(source, std::move(name), begin, path, end));
    const auto [close, token] = body_end(source, end);
    if (!trim(source.slice(end, close)).empty() && piece.calls.back().problem.empty())
        piece.calls.back().problem = "there is more text behind its arguments";
    piece.end = close + token;
    return piece;
}

std::optional<Piece> read(Source& source, std::size_t at, std::string_view) {
    const auto begin = source.find(message, at);
    const auto head = source.slice(at, std::min(begin, source.size()));
    if (begin == npos || head.size() > longest_head) {
        // A head that the text ends in says nothing; anything longer is no head.
        if (begin != npos || head.size() > longest_head) return std::nullopt;
        Piece piece{source.size()};
        if (auto name = recipient_of(head); !name.empty())
            piece.calls.push_back(broken_call(std::move(name), "", path, std::string(cut_problem)));
        return piece;
    }
    const auto body = begin + message.size();
    if (auto name = recipient_of(head); !name.empty())
        return read_call(source, body, std::move(name));
    const auto [end, token] = body_end(source, body);
    Piece piece{end + token};
    const auto text = trim(source.slice(body, end));
    if (head.contains("analysis")) {
        piece.thinking = text;
        piece.thinking_cut = end == source.size();
    } else {
        piece.text = text;
    }
    return piece;
}

}  // namespace

Format harmony() {
    return {.name = path, .markers = {channel, start}, .read = read};
}

}  // namespace punie::openai::tool_calls
