#include "report/words.hpp"

#include <fmt/format.h>

#include <cmath>

namespace punie::report {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// "-0.0" reads as if something had been lost.
double one_decimal(double value) {
    const auto rounded = std::round(value * 10) / 10;
    return rounded == 0 ? 0 : rounded;
}

bool is_continuation(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

/// Length of the UTF-8 character at `text`'s start when it is one that XML allows, else 0.
std::size_t valid_length(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    if (first < 0x80) return first >= 0x20 || first == '\t' || first == '\n' || first == '\r';
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
    for (std::size_t at = 1; at < length; ++at) {
        if (!is_continuation(text[at])) return 0;
    }
    const auto second = static_cast<unsigned char>(text[1]);
    const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
    const bool surrogate = first == 0xED && second >= 0xA0;
    const bool beyond = first == 0xF4 && second >= 0x90;
    const bool no_character = text.starts_with("\xEF\xBF\xBE") || text.starts_with("\xEF\xBF\xBF");
    return overlong || surrogate || beyond || no_character ? 0 : length;
}

}  // namespace

std::string percent(double share) {
    return fmt::format("{:.1f} %", one_decimal(share * 100));
}

std::string percent_with_interval(const Estimate& estimate) {
    if (!estimate.low || !estimate.high) return percent(estimate.value);
    return fmt::format(
        "{} ({:.1f} to {:.1f})",
        percent(estimate.value),
        one_decimal(*estimate.low * 100),
        one_decimal(*estimate.high * 100)
    );
}

std::string points_with_interval(const Estimate& difference) {
    const auto value = one_decimal(difference.value * 100);
    auto text = value == 0 ? std::string("0.0 points") : fmt::format("{:+.1f} points", value);
    if (difference.low && difference.high)
        text += fmt::format(
            " ({:.1f} to {:.1f})",
            one_decimal(*difference.low * 100),
            one_decimal(*difference.high * 100)
        );
    return text;
}

std::string p_words(const std::optional<double>& p) {
    if (!p) return "no test";
    if (*p < 0.001) return "p < 0.001";
    return *p < 0.1 ? fmt::format("p = {:.3f}", *p) : fmt::format("p = {:.2f}", *p);
}

std::string xml_escaped(std::string_view text) {
    std::string escaped;
    escaped.reserve(text.size() + text.size() / 8);
    while (!text.empty()) {
        const auto length = valid_length(text);
        if (length == 0) {
            escaped += replacement;
            text.remove_prefix(1);
            continue;
        }
        switch (text.front()) {
            case '&':
                escaped += "&amp;";
                break;
            case '<':
                escaped += "&lt;";
                break;
            case '>':
                escaped += "&gt;";
                break;
            case '"':
                escaped += "&quot;";
                break;
            case '\'':
                escaped += "&#39;";
                break;
            default:
                escaped += text.substr(0, length);
        }
        text.remove_prefix(length);
    }
    return escaped;
}

std::string shortened(std::string_view text, std::size_t bytes) {
    if (text.size() <= bytes) return std::string(text);
    auto end = bytes;
    while (end > 0 && is_continuation(text[end])) --end;
    return fmt::format("{}...", text.substr(0, end));
}

const std::string& why(const Sample& sample) {
    return sample.reason.empty() ? sample.error : sample.reason;
}

}  // namespace punie::report
