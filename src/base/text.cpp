#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

namespace punie {

std::string human_bytes(std::uint64_t bytes) {
    static constexpr std::array units = {"B", "kB", "MB", "GB", "TB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 999.5 && unit + 1 < units.size()) {
        value /= 1000;
        ++unit;
    }
    if (unit == 0) return fmt::format("{} B", bytes);
    return value < 9.995 ? fmt::format("{:.2f} {}", value, units.at(unit))
                         : fmt::format("{:.1f} {}", value, units.at(unit));
}

std::string human_duration(std::chrono::duration<double> time) {
    const double seconds = time.count();
    // limits at which the rounded figure would be that of the next form
    if (seconds < 9.995) return fmt::format("{:.2f} s", seconds);
    if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
    const auto whole = std::llround(seconds);
    if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
    return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::vector<std::string> split_lines(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        auto line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        lines.emplace_back(line);
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return lines;
}

std::string_view trim(std::string_view text) {
    const auto space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
    while (!text.empty() && space(text.front())) text.remove_prefix(1);
    while (!text.empty() && space(text.back())) text.remove_suffix(1);
    return text;
}

std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto lead = byte(0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                               : lead >= 0xE0 && lead <= 0xEF ? 3
                               : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                              : 0;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) return 0;
    }
    const auto second = byte(1);
    const bool bad = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
                     (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
    return bad ? 0 : length;
}

namespace {

/// Length of the text up to and with the BEL or ST that ends a control string (OSC, DCS, SOS, PM,
/// APC).
std::size_t control_string_length(std::string_view text) {
    for (std::size_t i = 2; i < text.size(); ++i) {
        if (text[i] == '\a') return i + 1;
        if (text[i] == '\\' && text[i - 1] == '\x1b') return i + 1;
    }
    return text.size();
}

/// Length of the terminal control sequence at the start of `text` (which begins with ESC), by
/// ECMA-48: CSI with its parameters, a control string, or intermediate characters and a final one.
std::size_t escape_length(std::string_view text) {
    if (text.size() < 2) return 1;
    if (std::string_view("]PX^_").find(text[1]) != std::string_view::npos)
        return control_string_length(text);
    std::size_t i = text[1] == '[' ? 2 : 1;
    const char first_final = text[1] == '[' ? '\x40' : '\x30';
    while (i < text.size() && text[i] >= '\x20' && text[i] < first_final) ++i;
    const bool has_final = i < text.size() && text[i] >= first_final && text[i] <= '\x7e';
    return has_final ? i + 1 : i;
}

/// U+0080 to U+009F: a terminal may take them for control sequences, as ESC with the next
/// character.
bool is_c1(std::string_view sequence) {
    return sequence.size() == 2 && sequence[0] == '\xC2' &&
           static_cast<unsigned char>(sequence[1]) < 0xA0;
}

}  // namespace

std::string printable(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    while (!bytes.empty()) {
        const char c = bytes.front();
        if (c == '\x1b') {
            bytes.remove_prefix(escape_length(bytes));
            continue;
        }
        const auto length = utf8_length(bytes);
        const bool control =
            length == 1 && c != '\t' && std::iscntrl(static_cast<unsigned char>(c)) != 0;
        if (length == 0) {
            out += "\xEF\xBF\xBD";
        } else if (!control && !is_c1(bytes.substr(0, length))) {
            out += bytes.substr(0, length);
        }
        bytes.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
        }
    }
    return row[b.size()];
}

}  // namespace

std::optional<std::string> nearest(
    std::string_view word, const std::vector<std::string>& candidates
) {
    std::optional<std::string> best;
    std::size_t limit = std::max<std::size_t>(2, word.size() / 3) + 1;
    for (const auto& candidate : candidates) {
        const auto distance = edit_distance(word, candidate);
        if (distance < limit) {
            limit = distance;
            best = candidate;
        }
    }
    return best;
}

std::string join_or(const std::vector<std::string>& words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
        text += words[i];
    }
    return text;
}

std::string shell_quoted(const std::vector<std::string>& argv) {
    static constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,@%+";
    std::string text;
    for (const auto& argument : argv) {
        if (!text.empty()) text += ' ';
        const bool assignment =
            &argument == &argv.front() && argument.find('=') != std::string::npos;
        if (!argument.empty() && !assignment &&
            argument.find_first_not_of(plain) == std::string::npos) {
            text += argument;
            continue;
        }
        text += '\'';
        for (const char c : argument) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
        text += '\'';
    }
    return text;
}

}  // namespace punie
