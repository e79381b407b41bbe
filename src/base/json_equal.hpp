#pragma once
// JSON values compared as values: 1, 1.0 and an unsigned 1 are one number, members have no order.

#include <compare>
#include <cstddef>

#include "base/json.hpp"

namespace punie {

/// By kind (null, false, true, numbers, strings, arrays, objects), then by value. Whole numbers are
/// compared exactly, beyond 2^53 too. A total order: NaN does not occur in JSON.
std::weak_ordering compare_json(const json::value& left, const json::value& right);

bool same_json(const json::value& left, const json::value& right);

/// Two numbers by value. Both must be numbers.
std::weak_ordering compare_numbers(const json::value& left, const json::value& right);

/// A number without a fraction (1.0 too): draft 7's "integer".
bool is_whole_number(const json::value& value);

/// "null", "true", "the number 5", "the string \"attic\"", "an array", "an object": for messages.
/// Long strings are cut.
std::string describe_json(const json::value& value);

/// The value on one line, cut after about `most` bytes (never inside a character).
std::string short_json(const json::value& value, std::size_t most = 60);

/// `text` cut after about `most` bytes (never inside a character) with "..." after it.
std::string shortened(std::string_view text, std::size_t most);

/// One step of a JSON pointer (RFC 6901), with "~" and "/" escaped.
std::string pointer_token(std::string_view name);

}  // namespace punie
