#pragma once
// Parts of a report as JSON text, written as they are walked: no value of a million small ones is
// built in between. What is left out is what MemberWriter (json_writer.hpp) leaves out.

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <cmath>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/report_fields.hpp"

namespace punie::report {

struct JsonStyle {
    bool indented = false;  ///< by two; else without any space
    bool in_html = false;   ///< "<" as \u003c: it occurs in strings only, where that is the same
};

/// Appends to a string. Objects and lists are opened and closed by the caller, commas and
/// indentation come by themselves.
class JsonText {
public:
    explicit JsonText(std::string& out, JsonStyle style = {}) : out_(out), style_(style) {}

    void open(char bracket) {
        out_ += bracket;
        ++depth_;
        empty_ = true;
    }

    void close(char bracket) {
        --depth_;
        if (!empty_ && style_.indented) new_line();
        out_ += bracket;
        empty_ = false;
    }

    /// Before each element of a list.
    void element() {
        if (!empty_) out_ += ',';
        empty_ = false;
        if (style_.indented) new_line();
    }

    /// What `walk` calls for each member: those that say nothing are left out.
    auto members() {
        return [this](std::string_view member_name, const auto& member) {
            if (says_nothing(member)) return;
            name(member_name);
            value(member);
        };
    }

    void name(std::string_view name) {
        element();
        put_text(name);
        out_ += style_.indented ? ": " : ":";
    }

    void value(std::string_view text) { put_text(text); }

    void value(const std::string& text) { put_text(text); }

    void value(const char* text) { put_text(text); }

    void value(Tone tone) { put_text(name_of(tone)); }

    void value(bool yes) { out_ += yes ? "true" : "false"; }

    /// A diverged loss is no JSON number: null.
    void value(double number) {
        if (!std::isfinite(number)) {
            out_ += "null";
            return;
        }
        const json::value plain(number);
        serializer_.reset(&plain);
        std::array<char, 64> buffer{};
        while (!serializer_.done()) out_ += serializer_.read(buffer.data(), buffer.size());
    }

    template <std::integral Number>
    void value(Number number) {
        const fmt::format_int text(number);
        out_.append(text.data(), text.size());
    }

    void value(const json::value& any);
    void value(const json::object& object);
    void value(const json::array& list);

    template <typename T>
    void value(const std::optional<T>& maybe) {
        value(*maybe);
    }

    template <typename T>
    void value(const std::vector<T>& parts) {
        open('[');
        for (const auto& part : parts) {
            element();
            value(part);
        }
        close(']');
    }

    /// A part of a report.
    template <typename Part>
        requires std::is_class_v<Part>
    void value(const Part& part) {
        open('{');
        walk(part, members());
        close('}');
    }

    /// A value without line ends, whatever is around it.
    template <typename T>
    void value_on_one_line(const T& one) {
        const bool before = std::exchange(style_.indented, false);
        value(one);
        style_.indented = before;
    }

    /// Text that is JSON already, as to_text writes it.
    void raw(std::string_view text) {
        if (style_.in_html)
            put_escaped_angles(text);
        else
            out_ += text;
    }

private:
    static bool says_nothing(const std::string& text) { return text.empty(); }

    static bool says_nothing(const json::array& list) { return list.empty(); }

    static bool says_nothing(bool yes) { return !yes; }

    template <typename T>
    static bool says_nothing(const std::optional<T>& maybe) {
        return !maybe;
    }

    template <typename T>
    static bool says_nothing(const std::vector<T>& parts) {
        return parts.empty();
    }

    template <typename T>
    static bool says_nothing(const T&) {
        return false;
    }

    void new_line() {
        out_ += '\n';
        out_.append(2 * depth_, ' ');
    }

    void put_text(std::string_view text);
    void put_escaped_angles(std::string_view text);

    std::string& out_;
    JsonStyle style_;
    std::size_t depth_ = 0;
    bool empty_ = true;            ///< the innermost open bracket has nothing in it yet
    json::serializer serializer_;  ///< one for all: making one costs more than a number
};

}  // namespace punie::report
