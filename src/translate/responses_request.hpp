#pragma once
// A request of OpenAI's /v1/responses as a chat request.

#include "translate/protocol.hpp"

namespace punie::translate {

Result<ChatForm> read_responses_request(const json::object& request);

}  // namespace punie::translate
