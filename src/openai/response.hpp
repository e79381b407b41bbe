#pragma once
// What servers answer, as values: whole replies and error bodies. Pure.

#include <punie/chat.hpp>

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace punie::openai {

/// The reply in the body of a 200 answer (of a complete, not streamed request). Times and attempts
/// are the caller's. Errors: protocol (not JSON, no choices), http_status (a server that reports an
/// error under status 200).
Result<ChatReply> reply_from_body(std::string body);

/// The error that an answer with an error status means: its message is the server's own, found in
/// {"error": {"message"}}, {"error": "text"}, {"message"}, {"detail"} or plain text. Its
/// http_status is `status`.
Error error_from_answer(int status, std::string_view body);

/// The server's message if the value reports an error, in any of those shapes.
std::optional<std::string> error_message_in(const boost::json::value& value);

/// Ids of a /models answer in its order; none when the body is empty or something else
/// (mlx_lm.server sends 200 with an empty body where the hub cache does not exist).
std::vector<std::string> model_ids(std::string_view body);

/// Takes `secret` out of the error's texts: servers repeat keys in their messages.
Error redacted(Error error, std::string_view secret);

// Shared with the stream reader.
std::string content_of(const boost::json::value& message
);  ///< a text, or the texts of its parts; "" for null
std::string reasoning_of(const boost::json::value& message
);  ///< `reasoning` or `reasoning_content`
std::string arguments_of(const boost::json::value& function
);  ///< text as it came; an object as compact JSON
std::optional<ChatUsage> usage_of(const boost::json::value& body);

}  // namespace punie::openai
