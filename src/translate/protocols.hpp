#pragma once
// The protocols of this folder. A new one is a file, a line here and one in registry.cpp.

#include "translate/protocol.hpp"

namespace punie::translate {

const Protocol& anthropic();         ///< POST /v1/messages
const Protocol& anthropic_counts();  ///< POST /v1/messages/count_tokens
const Protocol& ollama_chat();       ///< POST /api/chat
const Protocol& ollama_generate();   ///< POST /api/generate
const Protocol& responses();         ///< POST /v1/responses

}  // namespace punie::translate
