#include "base/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

namespace punie {

Result<json::value> parse_json(std::string_view text) {
    json::error_code error;
    json::stream_parser parser;
    const auto used = parser.write_some(text.data(), text.size(), error);
    if (!error) parser.finish(error);
    const bool trailing =
        !error && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos;
    if (!error && !trailing) return parser.release();
    const auto before = text.substr(0, used);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const auto last_break = before.rfind('\n');
    const auto column = last_break == std::string_view::npos ? used + 1 : used - last_break;
    const auto what =
        trailing ? std::string("text after the end of the JSON value") : error.message();
    return fail(
        ErrorCode::protocol,
        fmt::format("line {}, column {}: not valid JSON: {}", line, column, what)
    );
}

const json::value* member(const json::value& value, std::string_view name) {
    const auto* object = value.if_object();
    return object == nullptr ? nullptr : object->if_contains(name);
}

std::optional<std::string> string_member(const json::value& value, std::string_view name) {
    const auto* found = member(value, name);
    if (found == nullptr || !found->is_string()) return std::nullopt;
    return std::string(found->get_string());
}

std::optional<double> number_member(const json::value& value, std::string_view name) {
    const auto* found = member(value, name);
    if (found == nullptr || !found->is_number()) return std::nullopt;
    return found->to_number<double>();
}

std::optional<std::int64_t> integer_member(const json::value& value, std::string_view name) {
    const auto* found = member(value, name);
    if (found == nullptr || !found->is_int64()) return std::nullopt;
    return found->get_int64();
}

std::optional<bool> bool_member(const json::value& value, std::string_view name) {
    const auto* found = member(value, name);
    if (found == nullptr || !found->is_bool()) return std::nullopt;
    return found->get_bool();
}

std::string to_text(const json::value& value) {
    return json::serialize(value);
}

}  // namespace punie
