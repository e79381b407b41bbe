#include <algorithm>

#include "openai/tool_calls/reading.hpp"

namespace punie::openai::tool_calls {

std::size_t Source::find(std::string_view token, std::size_t from) {
    if (from > text_.size()) return npos;
    auto known = std::ranges::find(found_, token, &Found::token);
    if (known == found_.end()) {
        found_.push_back({token, from, text_.find(token, from)});
        return found_.back().at;
    }
    const bool covered = known->from <= from && (known->at == npos || from <= known->at);
    if (!covered) *known = {token, from, text_.find(token, from)};
    return known->at;
}

std::size_t Source::find_closing(
    std::string_view closing, std::size_t from, std::initializer_list<std::string_view> followers
) {
    while (true) {
        const auto close = find(closing, from);
        if (close == npos) return npos;
        const auto next = skip_space(close + closing.size());
        const auto follows = [&](std::string_view token) { return has(next, token); };
        if (next == size() || std::ranges::any_of(followers, follows)) return close;
        from = close + closing.size();
    }
}

std::size_t Source::skip_space(std::size_t at) const {
    return std::min(text_.find_first_not_of(" \t\r\n", at), text_.size());
}

std::size_t name_length(std::string_view text) {
    const auto ends = [](char c) {
        const bool part = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' ||
                          static_cast<unsigned char>(c) >= 0x80;
        return !part;
    };
    return static_cast<std::size_t>(std::ranges::find_if(text, ends) - text.begin());
}

Piece read_section(
    Source& source,
    std::size_t at,
    const SectionTags& tags,
    AnswerCall (*read_call)(Source& source, std::size_t& at)
) {
    auto place = source.has(at, tags.section) ? source.skip_space(at + tags.section.size()) : at;
    Piece piece{place};
    while (source.has(place, tags.opening)) {
        place += tags.opening.size();
        piece.calls.push_back(read_call(source, place));
        piece.end = place;
        place = source.skip_space(place);
    }
    if (source.has(place, tags.end_section)) piece.end = place + tags.end_section.size();
    if (piece.calls.empty() && place == source.size())
        piece.calls.push_back(broken_call("", "", tags.path, std::string(cut_problem)));
    return piece;
}

}  // namespace punie::openai::tool_calls
