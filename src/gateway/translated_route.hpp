#pragma once
// Routes of other protocols: Anthropic's messages, Ollama's chat and generate, OpenAI's responses.

#include "gateway/visit.hpp"

namespace punie::gateway {

/// POST in `protocol`'s words; the server is asked for a chat completion.
Task<void> translated_route(Visit& visit, const translate::Protocol& protocol);

}  // namespace punie::gateway
