#include "openai/tool_calls/python.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>

#include "base/text.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr int deepest = 64;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

void append_utf8(std::string& out, std::uint32_t code) {
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = 0xFFFD;
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0U | (code >> 6U));
        out += static_cast<char>(0x80U | (code & 0x3FU));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0U | (code >> 12U));
        out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
        out += static_cast<char>(0x80U | (code & 0x3FU));
    } else {
        out += static_cast<char>(0xF0U | (code >> 18U));
        out += static_cast<char>(0x80U | ((code >> 12U) & 0x3FU));
        out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
        out += static_cast<char>(0x80U | (code & 0x3FU));
    }
}

/// A number of JSON's kinds; digits beyond 64 bits become a double.
std::optional<json::value> number_from(std::string text) {
    std::erase(text, '_');
    if (text.starts_with('+')) text.erase(0, 1);
    const auto* begin = text.data();
    const auto* end = text.data() + text.size();
    std::int64_t whole = 0;
    if (std::from_chars(begin, end, whole).ptr == end &&
        std::from_chars(begin, end, whole).ec == std::errc{})
        return whole;
    std::uint64_t large = 0;
    if (const auto read = std::from_chars(begin, end, large);
        read.ptr == end && read.ec == std::errc{})
        return large;
    double real = 0;
    if (const auto read = std::from_chars(begin, end, real);
        read.ptr == end && read.ec == std::errc{})
        return real;
    return std::nullopt;
}

}  // namespace

std::nullopt_t PythonReader::fail(std::string_view what) {
    if (state_ != State::whole) return std::nullopt;
    state_ = at_end() ? State::cut : State::bad;
    problem_ = at_end() ? std::string(cut_problem)
                        : fmt::format(
                              "its arguments are no Python literals: {} at {}",
                              what,
                              printable(text_.substr(at_, 20))
                          );
    return std::nullopt;
}

void PythonReader::skip_space() {
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
}

bool PythonReader::take(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
}

std::optional<json::value> PythonReader::value(int depth) {
    skip_space();
    if (depth > deepest) return fail("too many brackets");
    const char c = peek();
    if (c == '[') return list(']', depth);
    if (c == '(') return list(')', depth);
    if (c == '{') return dict(depth);
    if (c == '"' || c == '\'') return string_value();
    const bool prefixed =
        std::string_view("rRuUbB").contains(c) && (peek(1) == '"' || peek(1) == '\'');
    if (prefixed) return string_value();
    if (is_digit(c) || c == '-' || c == '+' || c == '.') return number();
    return word();
}

std::optional<json::value> PythonReader::string_value() {
    std::string out;
    do {
        if (!one_string(out)) return std::nullopt;
        skip_space();
    } while (peek() == '"' || peek() == '\'');  // strings side by side are one
    return json::value(out);
}

bool PythonReader::one_string(std::string& out) {
    bool raw = false;
    if (peek() != '"' && peek() != '\'') {
        raw = peek() == 'r' || peek() == 'R';
        ++at_;
    }
    const std::array three = {peek(), peek(), peek()};
    std::string_view close(three.data(), 1);
    if (text_.substr(at_).starts_with(std::string_view(three.data(), 3)))
        close = std::string_view(three.data(), 3);
    at_ += close.size();
    while (!at_end()) {
        if (take(close)) return true;
        if (peek() != '\\') {
            out += text_[at_++];
        } else if (raw) {
            out += text_[at_++];
            if (!at_end()) out += text_[at_++];
        } else if (!escape(out)) {
            return false;
        }
    }
    fail("a string");
    return false;
}

bool PythonReader::escape(std::string& out) {
    ++at_;
    if (at_end()) {
        fail("a string");
        return false;
    }
    const char c = text_[at_++];
    static constexpr std::string_view from = "nrtabfv\\'\"0";
    static constexpr std::string_view to("\n\r\t\a\b\f\v\\'\"\0", 11);
    if (c == '\n') return true;
    if (const auto simple = from.find(c); simple != npos) {
        out += to[simple];
        return true;
    }
    const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    std::uint32_t code = 0;
    const auto hex = text_.substr(at_, digits);
    const auto* end = hex.data() + hex.size();
    if (digits == 0 || hex.size() < digits ||
        std::from_chars(hex.data(), end, code, 16).ptr != end) {
        out += '\\';
        out += c;
        return true;
    }
    at_ += digits;
    const bool high = code >= 0xD800 && code <= 0xDBFF;
    if (high && text_.substr(at_).starts_with("\\u") && at_ + 6 <= text_.size()) {
        std::uint32_t low = 0;
        const auto* second = text_.data() + at_ + 2;
        if (std::from_chars(second, second + 4, low, 16).ptr == second + 4 && low >= 0xDC00 &&
            low <= 0xDFFF) {
            code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
            at_ += 6;
        }
    }
    append_utf8(out, code);
    return true;
}

std::optional<json::value> PythonReader::number() {
    const auto begin = at_;
    if (peek() == '-' || peek() == '+') ++at_;
    while (!at_end() &&
           (is_word(peek()) || peek() == '.' ||
            ((peek() == '-' || peek() == '+') && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E'))))
        ++at_;
    std::string text(text_.substr(begin, at_ - begin));
    const auto digits = text.find_first_not_of("+-");
    // 007 is no number of Python's: what was written stays, as text.
    if (digits != npos && text.size() > digits + 1 && text[digits] == '0' &&
        is_digit(text[digits + 1]) && text.find_first_not_of("0123456789", digits) == npos)
        return json::value(text);
    auto number = number_from(text);
    if (!number) return fail("a number");
    return number;
}

std::optional<json::value> PythonReader::list(char close, int depth) {
    ++at_;
    json::array array;
    while (true) {
        skip_space();
        if (peek() == close) {
            ++at_;
            return json::value(std::move(array));
        }
        auto item = value(depth + 1);
        if (!item) return std::nullopt;
        array.push_back(*std::move(item));
        skip_space();
        if (!take(",") && peek() != close) return fail("a list");
    }
}

std::optional<json::value> PythonReader::dict(int depth) {
    ++at_;
    json::object object;
    while (true) {
        skip_space();
        if (take("}")) return json::value(std::move(object));
        auto key = value(depth + 1);
        if (!key) return std::nullopt;
        skip_space();
        if (!take(":")) return fail("a dict");
        auto item = value(depth + 1);
        if (!item) return std::nullopt;
        const auto name = key->is_string() ? std::string(key->get_string()) : to_text(*key);
        object.insert_or_assign(name, *std::move(item));
        skip_space();
        if (!take(",") && peek() != '}') return fail("a dict");
    }
}

std::optional<json::value> PythonReader::word() {
    const auto begin = at_;
    auto end = at_;
    while (end < text_.size() && is_word(text_[end])) ++end;
    const auto word = text_.substr(begin, end - begin);
    if (end == text_.size()) {
        at_ = end;
        return fail("a name");
    }
    if (word != "True" && word != "true" && word != "False" && word != "false" && word != "None" &&
        word != "null")
        return fail("a name");
    at_ = end;
    if (word == "None" || word == "null") return json::value(nullptr);
    return json::value(word == "True" || word == "true");
}

bool PythonReader::arguments(AnswerCall& call) {
    json::object object;
    while (true) {
        skip_space();
        if (take(")")) {
            call.arguments = std::move(object);
            return true;
        }
        const auto begin = at_;
        while (!at_end() && is_word(peek())) ++at_;
        const auto key = text_.substr(begin, at_ - begin);
        skip_space();
        if (key.empty() || at_end() || peek() != '=' || peek(1) == '=') {
            fail("an argument without a name");
            return false;
        }
        ++at_;
        auto item = value(1);
        if (!item) return false;
        object.insert_or_assign(key, *std::move(item));
        skip_space();
        if (!take(",") && peek() != ')') {
            fail("an argument");
            return false;
        }
    }
}

std::optional<AnswerCall> PythonReader::call(std::string_view path) {
    skip_space();
    const auto begin = at_;
    if (is_digit(peek())) return fail("a call");
    while (!at_end() && (is_word(peek()) || peek() == '.')) ++at_;
    AnswerCall call;
    call.path = path;
    call.name = text_.substr(begin, at_ - begin);
    if (call.name.empty() || !take("(")) return fail("a call");
    const auto inside = at_;
    const bool whole = arguments(call);
    call.raw_arguments = text_.substr(inside, at_ - inside - (whole ? 1 : 0));
    if (!whole) call.problem = problem_;
    return call;
}

std::vector<AnswerCall> PythonReader::call_list(std::string_view path) {
    std::vector<AnswerCall> calls;
    skip_space();
    if (!take("[")) return calls;
    while (true) {
        auto next = call(path);
        if (!next) {
            // "[f(a=1), " is cut between two calls: what was whole stays, and the list is none.
            if (!calls.empty() && state_ == State::cut)
                calls.push_back(broken_call("", "", path, std::string(cut_problem)));
            else
                calls.clear();
            return calls;
        }
        calls.push_back(*std::move(next));
        if (!calls.back().problem.empty()) return calls;
        skip_space();
        if (take("]")) return calls;
        if (at_end()) {
            fail("a list of calls");
            return calls;
        }
        if (!take(",")) {
            fail("a list of calls");
            calls.clear();
            return calls;
        }
        skip_space();
        if (take("]")) return calls;
    }
}

std::optional<json::value> literal_from(std::string_view text) {
    text = trim(text);
    if (text.empty()) return std::nullopt;
    if (auto parsed = parse_json(text)) {
        if (parsed->is_double() && !std::isfinite(parsed->get_double())) return std::nullopt;
        return *std::move(parsed);
    }
    // A word at the text's end could go on; here it cannot.
    const auto ended = fmt::format("{}\n", text);
    PythonReader reader(ended, 0);
    auto value = reader.value();
    reader.skip_space();
    if (!value || !reader.at_end()) return std::nullopt;
    return value;
}

}  // namespace punie::openai::tool_calls
