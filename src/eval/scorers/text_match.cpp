#include "eval/scorers/text_match.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json_equal.hpp"
#include "base/text.hpp"

namespace punie::eval::scorers {

namespace {

/// Lower case within two bytes of UTF-8: Latin-1, Latin Extended-A, Greek, Cyrillic.
std::uint32_t lower_of(std::uint32_t c) {
    if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 0x20;
    if ((c >= 0x100 && c <= 0x12F) || (c >= 0x132 && c <= 0x137) || (c >= 0x14A && c <= 0x177))
        return c | 1U;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return c + (c & 1U);
    if (c == 0x178) return 0xFF;
    if (c >= 0x391 && c <= 0x3A9 && c != 0x3A2) return c + 0x20;
    if (c >= 0x410 && c <= 0x42F) return c + 0x20;
    if (c >= 0x400 && c <= 0x40F) return c + 0x50;
    return c;
}

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

std::string folded(std::string_view text) {
    std::string out(text);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto byte = static_cast<unsigned char>(out[i]);
        if (byte >= 'A' && byte <= 'Z') out[i] = static_cast<char>(byte + 0x20U);
        if (byte < 0xC3 || byte > 0xD1 || i + 1 == out.size()) continue;
        const auto second = static_cast<unsigned char>(out[i + 1]);
        const auto lower = lower_of(((byte & 0x1FU) << 6U) | (second & 0x3FU));
        out[i] = static_cast<char>(0xC0U | (lower >> 6U));
        out[++i] = static_cast<char>(0x80U | (lower & 0x3FU));
    }
    return out;
}

std::optional<std::size_t> Needle::find(std::string_view haystack, std::string_view lower) const {
    const auto where = ignore_case ? lower : haystack;
    const auto what = ignore_case ? folded(text) : text;
    auto at = where.find(what);
    while (whole_words && at != std::string_view::npos) {
        const auto end = at + what.size();
        const bool before = at > 0 && is_word(where[at - 1]) && is_word(what.front());
        const bool behind = end < where.size() && is_word(where[end]) && is_word(what.back());
        if (!before && !behind) break;
        at = where.find(what, at + 1);
    }
    if (at == std::string_view::npos) return std::nullopt;
    return at;
}

std::string saying(const openai::Answer& answer) {
    if (answer.text.empty()) return "the answer is empty";
    const auto line = printable(answer.text.substr(0, 200));
    return fmt::format("the answer says {}", short_json(json::value(line), 80));
}

std::optional<Judgement> unreadable(const openai::Answer& answer) {
    if (answer.thinking_cut && answer.text.empty())
        return unparsed("the answer was cut while it was still thinking");
    if (!answer.text.empty()) return std::nullopt;
    if (answer.lost_calls) return unparsed("the server dropped a call that it could not parse");
    if (!answer.calls.empty())
        return unparsed(
            fmt::format("no text, only a call of {}", printable(answer.calls.front().name))
        );
    return unparsed("the answer is empty");
}

Judgement passed(std::string reason, std::string extracted) {
    return {1, true, std::move(reason), std::move(extracted), false};
}

Judgement failed(std::string reason, std::string extracted) {
    return {0, false, std::move(reason), std::move(extracted), false};
}

Judgement unparsed(std::string reason) {
    return {0, false, std::move(reason), {}, true};
}

}  // namespace punie::eval::scorers
