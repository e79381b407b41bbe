#pragma once
// Boost.JSON behind three calls: parse with a place in the error, read a member with a default,
// print.

#include <punie/error.hpp>

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace punie {

namespace json = boost::json;

/// Parses one JSON text. Errors: protocol, with line and column of the fault.
Result<json::value> parse_json(std::string_view text);

/// Member lookups that never throw: nothing when `value` is no object, the member is missing or has
/// another type.
const json::value* member(const json::value& value, std::string_view name);
std::optional<std::string> string_member(const json::value& value, std::string_view name);
std::optional<double> number_member(const json::value& value, std::string_view name);
std::optional<std::int64_t> integer_member(const json::value& value, std::string_view name);
std::optional<bool> bool_member(const json::value& value, std::string_view name);

/// Compact, one line.
std::string to_text(const json::value& value);

}  // namespace punie
