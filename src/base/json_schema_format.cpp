// The formats that are cheap to check and that models get wrong; all others fit.

#include <algorithm>
#include <array>
#include <charconv>

#include "base/json_schema_node.hpp"

namespace punie::schema {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Two digits at `at`, or -1.
int two(std::string_view text, std::size_t at) {
    if (at + 2 > text.size() || !is_digit(text[at]) || !is_digit(text[at + 1])) return -1;
    return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

bool is_date(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
    const int century = two(text, 0);
    const int rest = two(text, 2);
    const int month = two(text, 5);
    const int day = two(text, 8);
    if (century < 0 || rest < 0 || month < 1 || month > 12 || day < 1) return false;
    static constexpr std::array days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const int year = century * 100 + rest;
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    const int last = days.at(static_cast<std::size_t>(month - 1)) + (month == 2 && leap ? 1 : 0);
    return day <= last;
}

bool is_offset(std::string_view text) {
    if (text == "Z" || text == "z") return true;
    if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return false;
    const int hours = two(text, 1);
    const int minutes = two(text, 4);
    return hours >= 0 && hours <= 23 && minutes >= 0 && minutes <= 59;
}

/// RFC 3339 full-time; second 60 is a leap second.
bool is_time(std::string_view text) {
    if (text.size() < 9 || text[2] != ':' || text[5] != ':') return false;
    const int hour = two(text, 0);
    const int minute = two(text, 3);
    const int second = two(text, 6);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    std::size_t at = 8;
    if (text[at] == '.') {
        const auto digits = ++at;
        while (at < text.size() && is_digit(text[at])) ++at;
        if (at == digits) return false;
    }
    return is_offset(text.substr(at));
}

bool is_date_time(std::string_view text) {
    return text.size() > 11 && (text[10] == 'T' || text[10] == 't') &&
           is_date(text.substr(0, 10)) && is_time(text.substr(11));
}

bool is_ipv4(std::string_view text) {
    for (int part = 0; part < 4; ++part) {
        int number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        const auto length = static_cast<std::size_t>(end - text.data());
        if (error != std::errc{} || number < 0 || number > 255 || length > 3) return false;
        if (!is_digit(text.front())) return false;
        text.remove_prefix(length);
        if (part == 3) return text.empty();
        if (!text.starts_with('.')) return false;
        text.remove_prefix(1);
        if (text.empty()) return false;
    }
    return false;
}

bool is_email(std::string_view text) {
    const auto at = text.rfind('@');
    if (at == std::string_view::npos || at == 0 || at + 1 == text.size()) return false;
    return text.find_first_of(" \t\r\n") == std::string_view::npos || text.front() == '"';
}

bool is_uuid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const char c = text[i];
        const bool hex = is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex) return false;
    }
    return true;
}

struct Format {
    std::string_view name;
    bool (*fits)(std::string_view);
};

constexpr std::array formats = {
    Format{"date", is_date},
    Format{"time", is_time},
    Format{"date-time", is_date_time},
    Format{"ipv4", is_ipv4},
    Format{"email", is_email},
    Format{"uuid", is_uuid},
};

}  // namespace

bool fits_format(std::string_view format, std::string_view text) {
    const auto* known = std::ranges::find(formats, format, &Format::name);
    return known == formats.end() || known->fits(text);
}

}  // namespace punie::schema
