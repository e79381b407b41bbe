#pragma once
// As much of JSON as the fake needs: a member's raw text, and strings in and out of their escapes.
// Input is taken to be valid.

#include <cstdio>
#include <string>
#include <string_view>

namespace fake {

/// Where the value that begins at `at` ends.
inline std::size_t value_end(std::string_view text, std::size_t at) {
    int depth = 0;
    bool in_string = false;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (in_string) {
            if (c == '\\') ++at;
            if (c != '"') continue;
            in_string = false;
            if (depth == 0) return at + 1;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            ++depth;
        } else if (c == '}' || c == ']') {
            if (depth == 0) return at;  // of a number, at the end of its object
            if (--depth == 0) return at + 1;
        } else if (c == ',' && depth == 0) {
            return at;
        }
    }
    return text.size();
}

/// The raw value of a member of the object that `text` is; "" when there is none.
inline std::string_view raw_member(std::string_view text, std::string_view name) {
    auto at = text.find('{');
    while (at != std::string_view::npos) {
        at = text.find('"', at + 1);
        if (at == std::string_view::npos) return {};
        const auto key_end = value_end(text, at);
        const auto key = text.substr(at + 1, key_end - at - 2);
        auto value = text.find_first_not_of(" \t:", key_end);
        if (value == std::string_view::npos) return {};
        const auto end = value_end(text, value);
        if (key == name) return text.substr(value, end - value);
        at = text.find(',', end);
    }
    return {};
}

inline void append_utf8(std::string& to, unsigned code) {
    const auto put = [&to](unsigned byte) { to += static_cast<char>(byte); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | (code >> 6));
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | (code >> 12));
        put(0x80 | ((code >> 6) & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | (code >> 18));
        put(0x80 | ((code >> 12) & 0x3F));
        put(0x80 | ((code >> 6) & 0x3F));
        put(0x80 | (code & 0x3F));
    }
}

/// Text of a raw string, quotes included in `raw`.
inline std::string unquoted(std::string_view raw) {
    std::string text;
    const auto hex = [raw](std::size_t at) {
        return static_cast<unsigned>(
            std::strtoul(std::string(raw.substr(at, 4)).c_str(), nullptr, 16)
        );
    };
    for (std::size_t i = 1; i + 1 < raw.size(); ++i) {
        if (raw[i] != '\\') {
            text += raw[i];
            continue;
        }
        const char c = raw[++i];
        if (c == 'u') {
            auto code = hex(i + 1);
            i += 4;
            if (code >= 0xD800 && code < 0xDC00 && i + 6 < raw.size()) {
                code = 0x10000 + ((code - 0xD800) << 10U) + (hex(i + 3) - 0xDC00);
                i += 6;
            }
            append_utf8(text, code);
        } else {
            constexpr std::string_view names = "nrtbf";
            constexpr std::string_view marks = "\n\r\t\b\f";
            const auto found = names.find(c);
            text += found == std::string_view::npos ? c : marks[found];
        }
    }
    return text;
}

/// The escapes that Boost.JSON and Python (ensure_ascii=False) write, without the quotes.
inline std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        constexpr std::string_view marks = "\n\r\t\b\f\"\\";
        constexpr std::string_view names = "nrtbf\"\\";
        const auto found = marks.find(c);
        if (found != std::string_view::npos) {
            out += '\\';
            out += names[found];
        } else if (static_cast<unsigned char>(c) < 0x20) {
            char code[8];
            std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
            out += code;
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace fake
