#include "dataset/marks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "dataset/bytes.hpp"
#include "dataset/json_row.hpp"
#include "dataset/utf8.hpp"

namespace punie::dataset {

namespace {

// Of the templates of ChatML, Llama 2 and 3, Mistral, Gemma, Phi, Qwen, DeepSeek. What looks like
// <|name|> is taken for one whoever invented it.
constexpr std::array angle_tokens = std::to_array<std::string_view>({
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "</tool_response>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<<SYS>>",
    "<</SYS>>",
    "<bos>",
    "<eos>",
    "<pad>",
    "<unk>",
});
constexpr std::array square_tokens = std::to_array<std::string_view>({
    "[INST]",
    "[/INST]",
    "[TOOL_CALLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[SYSTEM_PROMPT]",
});
constexpr std::string_view wide_bar = "\uFF5C";  // DeepSeek's <｜User｜>
constexpr std::size_t longest_token = 48;

bool is_name_byte(char byte) {
    const auto value = static_cast<unsigned char>(byte);
    const auto lower = value | 0x20U;
    return (lower >= 'a' && lower <= 'z') || (value >= '0' && value <= '9') || value == '_' ||
           value == '-' || value >= 0x80;
}

/// <|name|> with either bar at the start of `rest`, else "".
std::string_view barred_token(std::string_view rest) {
    const std::string_view bar = rest.substr(1).starts_with('|') ? "|" : wide_bar;
    if (!rest.substr(1).starts_with(bar)) return {};
    const auto close = rest.find(fmt::format("{}>", bar), 1 + bar.size());
    if (close == std::string_view::npos || close > longest_token) return {};
    const auto name = rest.substr(1 + bar.size(), close - 1 - bar.size());
    if (name.empty() || !std::ranges::all_of(name, is_name_byte)) return {};
    return rest.substr(0, close + bar.size() + 1);
}

std::string_view token_at(std::string_view text, std::size_t at) {
    const auto rest = text.substr(at);
    if (rest.size() < 3) return {};
    if (rest.front() == '[') {
        for (const auto token : square_tokens) {
            if (rest.starts_with(token)) return token;
        }
        return {};
    }
    if (rest[1] == '|' || rest[1] == wide_bar.front()) return barred_token(rest);
    for (const auto token : angle_tokens) {
        if (rest.starts_with(token)) return token;
    }
    // <s> is HTML too: only where a template would have put it.
    if (at == 0 && rest.starts_with("<s>") && rest.find("</s>") == std::string_view::npos)
        return "<s>";
    if (rest == "</s>" && text.find("<s>") == std::string_view::npos) return "</s>";
    return {};
}

bool ascii_neighbours(std::string_view text, std::size_t at, std::size_t bytes) {
    const bool before = at == 0 || static_cast<unsigned char>(text[at - 1]) < 0x80;
    const bool after =
        at + bytes >= text.size() || static_cast<unsigned char>(text[at + bytes]) < 0x80;
    return before && after;
}

/// Bytes that the characters begin with that are looked for.
auto may_lead(Bytes16 bytes) {
    return (bytes == 0xC2) | (bytes == 0xC3) | (bytes == 0xE2) | (bytes == 0xEF) | (bytes == 0xF0) |
           (bytes == 0xF3);
}

/// Takes the text's characters above ASCII one after the other.
class Unusual {
public:
    Unusual(std::string_view text, std::vector<TextMark>& marks) : text_(text), marks_(marks) {}

    void look() {
        for (std::size_t base = 0; base < text_.size(); base += 64) {
            auto bits = match_bits(text_.data() + base, text_.size() - base, may_lead);
            for (; bits != 0; bits &= bits - 1) {
                const auto at = base + static_cast<std::size_t>(std::countr_zero(bits));
                const auto point = code_point_at(text_, at);
                if (suspicious(point.value)) judge(point, at);
            }
        }
    }

private:
    /// Cheap: nearly all characters are none of these.
    static bool suspicious(char32_t value) {
        return (value < 0x100) || (value >= 0x200B && value <= 0x206F) || value >= 0xE0000 ||
               value == 0xFEFF || value == 0xFFFD;
    }

    void mark(std::string_view code, std::size_t at, std::string message) {
        const bool known =
            std::ranges::any_of(marks_, [&](const auto& other) { return other.code == code; });
        if (!known) marks_.push_back({code, at, std::move(message)});
    }

    void judge(CodePoint point, std::size_t at);
    bool mojibake(CodePoint point, std::size_t at) const;

    std::string_view text_;
    std::vector<TextMark>& marks_;
};

/// The byte of Windows-1252 that a character was read from, as far as it can continue a character
/// of UTF-8 (0x80..0xBF).
std::optional<unsigned> misread_byte(char32_t value) {
    if (value >= 0x80 && value <= 0xBF) return static_cast<unsigned>(value);
    static constexpr std::array<char32_t, 32> upper = {
        0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178
    };
    const auto found = std::ranges::find(upper, value);
    if (value == 0 || found == upper.end()) return std::nullopt;
    return 0x80 + static_cast<unsigned>(found - upper.begin());
}

/// A character of UTF-8 whose bytes were each taken for a character. Real text has such pairs too
/// (an É before a French quote), so only those that it hardly has count, others when two follow
/// each other.
bool Unusual::mojibake(CodePoint point, std::size_t at) const {
    std::array<unsigned, 4> next{};
    std::size_t count = 0;
    for (auto place = at + point.bytes; place < text_.size() && count < next.size(); ++count) {
        const auto following = code_point_at(text_, place);
        const auto byte = misread_byte(following.value);
        next[count] =
            byte.value_or(following.value < 0x100 ? static_cast<unsigned>(following.value) : 0);
        place += following.bytes;
    }
    const auto continues = [&](std::size_t place) {
        return next[place] >= 0x80 && next[place] <= 0xBF;
    };
    const auto lead = point.value;
    if (lead == 0xC3) return continues(0);
    if (lead == 0xC2) return continues(0) && next[0] >= 0xA0;
    if (lead == 0xE2) return next[0] == 0x80 || (next[0] == 0x82 && next[1] == 0xAC);
    if (lead == 0xEF) return next[0] == 0xBB && next[1] == 0xBF;
    if (lead == 0xF0) return next[0] == 0x9F && continues(1) && continues(2);
    if (lead >= 0xC4 && lead <= 0xDF)
        return continues(0) && next[1] >= 0xC4 && next[1] <= 0xDF && continues(2);
    if (lead >= 0xE3 && lead <= 0xE9)
        return continues(0) && continues(1) && next[2] >= 0xE3 && next[2] <= 0xE9 && continues(3);
    return false;
}

void Unusual::judge(CodePoint point, std::size_t at) {
    const auto value = point.value;
    const auto name = [&] { return fmt::format("U+{:04X}", static_cast<unsigned>(value)); };
    if (value == 0xFFFD) return mark("D505", at, "U+FFFD stands for a character that was lost");
    if (value >= 0x80 && value <= 0x9F)
        return mark("D506", at, fmt::format("control character {}", name()));
    if (value == 0x200B || value == 0x2060 || value == 0xFEFF || value == 0xAD)
        return mark("D502", at, fmt::format("{}, which nobody sees", name()));
    // Joiners belong to Persian, Indic scripts and emoji, marks of direction to Hebrew and Arabic.
    if (value >= 0x200C && value <= 0x200F) {
        if (ascii_neighbours(text_, at, point.bytes))
            mark("D502", at, fmt::format("{}, which nobody sees", name()));
        return;
    }
    if (value == 0x2028 || value == 0x2029)
        return mark("D502", at, fmt::format("{}, a line end that only some programs know", name()));
    if ((value >= 0x202A && value <= 0x202E) || (value >= 0x2066 && value <= 0x2069))
        return mark("D502", at, fmt::format("{} turns the direction of the text after it", name()));
    if (value >= 0xE0000 && value <= 0xE007F) {
        const bool flag =
            at >= 4 && text_.substr(0, at).rfind("\U0001F3F4") != std::string_view::npos;
        if (!flag) mark("D502", at, fmt::format("{}, text that nobody sees", name()));
        return;
    }
    if (value >= 0xC2 && value <= 0xF4 && mojibake(point, at)) {
        auto end = at;
        for (int count = 0; count < 3 && end < text_.size(); ++count)
            end += code_point_at(text_, end).bytes;
        mark(
            "D503",
            at,
            fmt::format("\"{}\" is UTF-8 that was read as Latin-1", text_.substr(at, end - at))
        );
    }
}

std::size_t count_of(std::string_view text, std::string_view wanted) {
    std::size_t count = 0;
    for (auto at = text.find(wanted); at != std::string_view::npos;
         at = text.find(wanted, at + wanted.size()))
        ++count;
    return count;
}

bool is_control(char byte) {
    const auto value = static_cast<unsigned char>(byte);
    return (value < 0x20 && byte != '\n' && byte != '\t' && byte != '\r') || value == 0x7F;
}

void look_at_flags(std::string_view text, std::uint8_t flags, std::vector<TextMark>& marks) {
    if ((flags & Node::has_control) != 0) {
        const auto place =
            std::ranges::find_if(text, [](char byte) { return byte != '\0' && is_control(byte); });
        if (place != text.end()) {
            const auto what =
                *place == '\x1B'
                    ? std::string("a terminal code (ESC)")
                    : fmt::format("control character U+{:04X}", static_cast<unsigned>(*place));
            marks.push_back({"D506", static_cast<std::size_t>(place - text.begin()), what});
        }
    }
    if ((flags & Node::has_nul) != 0) marks.push_back({"D508", text.find('\0'), "a NUL character"});
    if ((flags & Node::has_return) != 0) {
        const auto place = text.find('\r');
        marks.push_back(
            {"D507", place, fmt::format("{} carriage returns", std::ranges::count(text, '\r'))}
        );
    }
}

}  // namespace

std::string_view special_token(std::string_view text, std::size_t& at) {
    for (const char opening : {'<', '['}) {
        for (at = text.find(opening); at != std::string_view::npos;
             at = text.find(opening, at + 1)) {
            if (const auto token = token_at(text, at); !token.empty()) return token;
        }
    }
    return {};
}

Signs signs_of(std::string_view text) {
    Signs signs;
    const auto look = [&signs](const char* at) {
        const auto bytes = load16(at);
        const auto angle = bytes == '<';
        const auto square = bytes == '[';
        const auto sign = bytes == '@';
        const auto backtick = bytes == '`';
        const auto backslash = bytes == '\\';
        if (!any_of(angle | square | sign | backtick | backslash)) return;
        signs.angle = signs.angle || any_of(angle);
        signs.square = signs.square || any_of(square);
        signs.at = signs.at || any_of(sign);
        signs.backtick = signs.backtick || any_of(backtick);
        signs.backslash = signs.backslash || any_of(backslash);
    };
    std::size_t at = 0;
    for (; at + 16 <= text.size(); at += 16) look(text.data() + at);
    std::array<char, 16> rest{};
    std::ranges::copy(text.substr(at), rest.begin());
    look(rest.data());
    return signs;
}

void look_at_text(std::string_view text, const TextWish& wish, std::vector<TextMark>& marks) {
    const auto& signs = wish.signs;
    if (wish.special_tokens && (signs.angle || signs.square)) {
        std::size_t at = 0;
        if (const auto token = special_token(text, at); !token.empty())
            marks.push_back({"D501", at, fmt::format("{} in the text", token)});
    }
    if (wish.flags != 0) look_at_flags(text, wish.flags, marks);
    if (!wish.ascii && !is_ascii(text)) Unusual(text, marks).look();
    if (signs.backslash && text.find('\n') == std::string_view::npos) {
        constexpr std::size_t many = 3;
        const auto count = count_of(text, "\\n");
        if (count >= many) {
            marks.push_back(
                {"D510",
                 text.find("\\n"),
                 fmt::format("{} times \\n as two characters, and no line end", count)}
            );
        }
    }
    if (wish.answer && signs.backtick && count_of(text, "```") % 2 == 1)
        marks.push_back({"D511", text.rfind("```"), "``` opens a code block that is never closed"});
    if (wish.long_words || signs.at) look_for_secrets(text, wish, marks);
}

namespace {

/// What may be taken out without loss (D502, D506).
bool is_invisible(std::string_view text, char32_t value, std::size_t at, std::size_t bytes) {
    if (value == 0x200B || value == 0x2060 || value == 0xFEFF || value == 0xAD) return true;
    if (value >= 0x80 && value <= 0x9F) return true;
    if ((value >= 0x202A && value <= 0x202E) || (value >= 0x2066 && value <= 0x2069)) return true;
    if (value >= 0x200C && value <= 0x200F) return ascii_neighbours(text, at, bytes);
    if (value >= 0xE0000 && value <= 0xE007F)
        return text.substr(0, at).rfind("\U0001F3F4") == std::string_view::npos;
    return false;
}

}  // namespace

std::string without_invisible(std::string_view text) {
    std::string clean;
    clean.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const auto point = code_point_at(text, at);
        const auto piece = text.substr(at, point.bytes);
        at += point.bytes;
        const auto value = point.value;
        if (value == U'\r') {
            if (!text.substr(at).starts_with('\n')) clean += '\n';
            continue;
        }
        const bool invisible = is_invisible(text, value, at - point.bytes, point.bytes);
        if (invisible || (point.bytes == 1 && is_control(piece.front()))) continue;
        if (value == 0x2028 || value == 0x2029) {
            clean += '\n';
            continue;
        }
        clean += piece;
    }
    return clean;
}

}  // namespace punie::dataset
