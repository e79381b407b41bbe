#pragma once
// Bytes that the protocols write: events, lines, dates, messages.

#include <punie/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace punie::translate {

/// "event: NAME\ndata: {...}\n\n".
std::string sse_event(std::string_view name, const json::value& data);

/// A comment, which every reader of events passes over; line ends become spaces.
std::string sse_comment(std::string_view text);

/// One line of NDJSON.
std::string json_line(const json::value& value);

/// "2026-11-24T13:48:25Z".
std::string date_text(std::int64_t seconds);

/// The error's message and hint as valid UTF-8 without control characters.
std::string message_of(const Error& error);

}  // namespace punie::translate
