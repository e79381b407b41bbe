#include "report/json_text.hpp"

#include "base/json.hpp"

namespace punie::report {

namespace {

/// Bytes that a JSON string does not hold as they are: 'u' needs \u00XX, another letter itself.
constexpr std::array<char, 256> escapes = [] {
    std::array<char, 256> table{};
    for (std::size_t i = 0; i < 0x20; ++i) table[i] = 'u';
    table['\b'] = 'b';
    table['\f'] = 'f';
    table['\n'] = 'n';
    table['\r'] = 'r';
    table['\t'] = 't';
    table['"'] = '"';
    table['\\'] = '\\';
    return table;
}();

constexpr std::string_view angle = "\\u003c";

}  // namespace

void JsonText::put_text(std::string_view text) {
    out_ += '"';
    std::size_t from = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        const char escape = escapes[byte];
        const bool is_angle = style_.in_html && byte == '<';
        if (escape == 0 && !is_angle) continue;
        out_.append(text, from, at - from);
        from = at + 1;
        if (is_angle) {
            out_ += angle;
        } else if (escape == 'u') {
            out_ += fmt::format("\\u{:04x}", byte);
        } else {
            out_ += '\\';
            out_ += escape;
        }
    }
    out_.append(text, from);
    out_ += '"';
}

void JsonText::put_escaped_angles(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto found = text.find('<', at);
        out_.append(text, at, found - at);
        if (found == std::string_view::npos) break;
        out_ += angle;
        at = found + 1;
    }
}

void JsonText::value(const json::object& object) {
    open('{');
    for (const auto& [member_name, member] : object) {
        name(member_name);
        value(member);
    }
    close('}');
}

void JsonText::value(const json::array& list) {
    open('[');
    for (const auto& one : list) {
        element();
        value(one);
    }
    close(']');
}

void JsonText::value(const json::value& any) {
    if (const auto* object = any.if_object()) return value(*object);
    if (const auto* list = any.if_array()) return value(*list);
    if (const auto* text = any.if_string()) return put_text(*text);
    raw(to_text(any));
}

}  // namespace punie::report
