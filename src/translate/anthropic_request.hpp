#pragma once
// Anthropic's request as a chat request.

#include "translate/protocol.hpp"

namespace punie::translate {

/// `limited`: max_tokens must be there (it is not asked for when tokens are only counted).
Result<ChatForm> read_anthropic_request(const json::object& request, bool limited);

}  // namespace punie::translate
