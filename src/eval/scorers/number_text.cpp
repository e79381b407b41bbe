#include "eval/scorers/number_text.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace punie::eval::scorers {

namespace {

constexpr auto npos = std::string_view::npos;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// How many digits stand at `at`.
std::size_t digits_at(std::string_view text, std::size_t at) {
    auto end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    return end - at;
}

double value_of(std::string_view text) {
    double value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    return read.ec == std::errc::result_out_of_range ? HUGE_VAL : value;
}

/// Reads numbers from one place on.
class NumberReader {
public:
    explicit NumberReader(std::string_view text) : text_(text) {}

    /// The number whose first digit (or decimal point) stands at `at`; its end goes to `end`.
    /// `in_list`: the number before ended at a comma, so the next comma is no decimal sign.
    double read(std::size_t at, bool in_list, std::size_t& end) {
        end = at;
        auto plain = mantissa(in_list, end);
        exponent(plain, end);
        auto value = value_of(plain);
        power(value, end);
        fraction(at, value, end);
        return value;
    }

private:
    char at(std::size_t index) const { return index < text_.size() ? text_[index] : '\0'; }

    /// Digits with their separators, as from_chars wants them.
    std::string mantissa(bool in_list, std::size_t& end) const {
        const auto begin = end;
        end += digits_at(text_, end);
        // A number has no more groups than this: a chain of a thousand parts is not looked through
        // again from each of them.
        const auto most = end + 64;
        while (end < most && (is_digit(at(end)) || (is_separator(at(end)) && is_digit(at(end + 1))))
        )
            ++end;
        const auto run = text_.substr(begin, end - begin);
        if (in_list && run.find(',') != npos) {
            end = begin + run.find(',');
            return without_groups(run.substr(0, run.find(',')), '.');
        }
        const auto comma = run.rfind(',');
        const auto dot = run.rfind('.');
        std::string out;
        if (comma != npos && dot != npos) {
            // The later of the two is the decimal sign, where it stands once.
            const char sign = comma > dot ? ',' : '.';
            return without_groups(run, std::ranges::count(run, sign) == 1 ? sign : '\0');
        }
        if (comma == npos && dot == npos) return without_groups(run, '\0');
        const char sign = comma != npos ? ',' : '.';
        const bool thousands = sign == ','
                                   ? is_grouped(run, sign)
                                   : std::ranges::count(run, '.') > 1 && is_grouped(run, sign);
        if (thousands) return without_groups(run, '\0');
        const auto first = run.find(sign);
        const auto second = run.find(sign, first + 1);
        if (second == npos) return without_groups(run, sign);
        // "1,2,3" is a list: its first number; "1.2.3" a version: as much of it as is a number.
        if (sign == ',') end = begin + first;
        return without_groups(run.substr(0, sign == ',' ? first : second), sign);
    }

    static bool is_separator(char c) { return c == ',' || c == '.' || c == '\'' || c == '_'; }

    /// 1,234,567: one to three digits, then groups of three; 0,123 is none.
    static bool is_grouped(std::string_view run, char sign) {
        const auto first = run.find(sign);
        if (first == 0 || first > 3 || run.front() == '0') return false;
        for (auto at = first; at < run.size(); at += 4) {
            if (run[at] != sign || digits_at(run, at + 1) != 3) return false;
        }
        return true;
    }

    static std::string without_groups(std::string_view run, char decimal) {
        std::string out;
        out.reserve(run.size());
        for (const char c : run) {
            if (is_digit(c))
                out += c;
            else if (c == decimal)
                out += '.';
        }
        return out;
    }

    void exponent(std::string& plain, std::size_t& end) const {
        if (at(end) != 'e' && at(end) != 'E') return;
        auto digits = end + 1;
        if (at(digits) == '-' || at(digits) == '+') ++digits;
        const auto length = digits_at(text_, digits);
        if (length == 0 || length > 6 || is_letter(at(digits + length))) return;
        plain += 'e';
        plain += at(end + 1) == '+' ? text_.substr(digits, length)
                                    : text_.substr(end + 1, digits + length - end - 1);
        end = digits + length;
    }

    /// 10^5
    void power(double& value, std::size_t& end) const {
        if (at(end) != '^') return;
        auto digits = end + 1;
        const bool brace = at(digits) == '{';
        if (brace) ++digits;
        const bool negative = at(digits) == '-';
        if (negative) ++digits;
        const auto length = digits_at(text_, digits);
        if (length == 0 || length > 4 || (brace && at(digits + length) != '}')) return;
        const auto power = value_of(text_.substr(digits, length));
        value = std::pow(value, negative ? -power : power);
        end = digits + length + (brace ? 1 : 0);
    }

    /// 1/2, and 1 1/2; a date (12/5/2024) is no fraction.
    void fraction(std::size_t begin, double& value, std::size_t& end) const {
        std::size_t behind = 0;
        if (begin > 1 && at(begin - 1) == '/' && is_digit(at(begin - 2))) return;
        if (at(end) == '/') {
            if (const auto below = divisor(end + 1, behind); below != 0) {
                value /= below;
                end = behind;
            }
            return;
        }
        if (at(end) != ' ' || value != std::trunc(value)) return;
        const auto length = digits_at(text_, end + 1);
        if (length == 0 || length > 4 || at(end + 1 + length) != '/') return;
        const auto above = value_of(text_.substr(end + 1, length));
        const auto below = divisor(end + 2 + length, behind);
        if (below <= above) return;
        value += above / below;
        end = behind;
    }

    double divisor(std::size_t begin, std::size_t& behind) const {
        const auto length = digits_at(text_, begin);
        behind = begin + length;
        if (length == 0 || (at(behind) == '/' && is_digit(at(behind + 1)))) return 0;
        return value_of(text_.substr(begin, length));
    }

    std::string_view text_;
};

/// Whether a minus stands before the number at `at`, perhaps with a currency sign between.
bool is_negative(std::string_view text, std::size_t at) {
    for (const std::string_view sign : {"$", "€", "£", "¥"}) {
        if (text.substr(0, at).ends_with(sign)) at -= sign.size();
    }
    if (at == 0 || text[at - 1] != '-') return false;
    if (at == 1) return true;
    const char before = text[at - 2];
    return !is_digit(before) && !is_letter(before) && before != ')' && before != '-';
}

bool is_percent(std::string_view text, std::size_t at) {
    if (text.substr(at).starts_with(' ')) ++at;
    const auto rest = text.substr(at);
    return rest.starts_with('%') || rest.starts_with("percent") || rest.starts_with("per cent") ||
           rest.starts_with("Prozent");
}

/// CO2, v1.2.3: behind the digits and what hangs on them.
std::size_t end_of_word(std::string_view text, std::size_t at) {
    const auto begin = at;
    while (at < text.size()) {
        const bool point = text[at] == '.' && at + 1 < text.size() && is_digit(text[at + 1]);
        if (!is_digit(text[at]) && !point) break;
        ++at;
    }
    return std::max(at, begin + 1);
}

}  // namespace

std::string plain_numbers(std::string_view text) {
    std::string out(text);
    if (out.find('\\') == npos && out.find('{') == npos &&
        std::ranges::none_of(out, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
        return out;
    // Longest and most particular first; what each rule leaves is plain for the next.
    static const re2::RE2 fractions(R"(\\[dt]?frac\s*\{\s*(-?\d+)\s*\}\s*\{\s*(\d+)\s*\})");
    static const re2::RE2 powers(R"((\d)\s*(?:\\times|\\cdot|×|·)\s*10\^\{?([-−]?\d+)\}?)");
    static const re2::RE2 groups(R"((\d)(?:\{,\}|\\,|\\!|\x{00A0}|\x{202F}|\x{2009})(\d\d\d))");
    static const re2::RE2 percents(R"(\\%)");
    static const re2::RE2 dollars(R"(\\\$)");
    static const re2::RE2 minuses("−");
    static const re2::RE2 halves("½");
    static const re2::RE2 quarters("¼");
    static const re2::RE2 three_quarters("¾");
    re2::RE2::GlobalReplace(&out, fractions, R"(\1/\2)");
    re2::RE2::GlobalReplace(&out, powers, R"(\1e\2)");
    re2::RE2::GlobalReplace(&out, groups, R"(\1\2)");
    re2::RE2::GlobalReplace(&out, percents, "%");
    re2::RE2::GlobalReplace(&out, dollars, "$");
    re2::RE2::GlobalReplace(&out, minuses, "-");
    re2::RE2::GlobalReplace(&out, halves, " 1/2");
    re2::RE2::GlobalReplace(&out, quarters, " 1/4");
    re2::RE2::GlobalReplace(&out, three_quarters, " 3/4");
    return out;
}

std::vector<FoundNumber> numbers_in(std::string_view text) {
    std::vector<FoundNumber> numbers;
    NumberReader reader(text);
    std::size_t at = 0;
    while (at < text.size()) {
        const bool point = text[at] == '.' && at + 1 < text.size() && is_digit(text[at + 1]);
        if (!is_digit(text[at]) && !point) {
            ++at;
            continue;
        }
        if (at > 0 && (is_letter(text[at - 1]) || text[at - 1] == '^')) {
            at = end_of_word(text, at);
            continue;
        }
        const bool in_list = !numbers.empty() && at > 0 && text[at - 1] == ',' &&
                             numbers.back().at + numbers.back().length == at - 1;
        FoundNumber number;
        auto end = at;
        number.value = reader.read(at, in_list, end);
        number.at = at;
        if (is_negative(text, at)) {
            number.value = -number.value;
            --number.at;
        }
        end = std::max(end, at + 1);
        number.length = end - number.at;
        number.percent = is_percent(text, end);
        numbers.push_back(number);
        at = end;
    }
    return numbers;
}

std::string_view last_boxed(std::string_view text) {
    static constexpr std::string_view opening = "\\boxed{";
    const auto at = text.rfind(opening);
    if (at == npos) return {};
    const auto inside = text.substr(at + opening.size());
    int depth = 1;
    for (std::size_t i = 0; i < inside.size(); ++i) {
        if (inside[i] == '{') ++depth;
        if (inside[i] == '}' && --depth == 0) return inside.substr(0, i);
    }
    return {};
}

}  // namespace punie::eval::scorers
