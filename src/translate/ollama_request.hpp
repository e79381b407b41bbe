#pragma once
// What Ollama's two routes share: options, formats, images.

#include "translate/chat_messages.hpp"
#include "translate/fields.hpp"
#include "translate/protocol.hpp"

namespace punie::translate {

/// `model`, `stream` (which is on unless it is turned off), `options`, `format`, `think`.
void read_ollama_common(const Fields& fields, ChatForm& form);

/// Images as Ollama sends them: base64 without a word on what they are.
void read_ollama_images(const Fields& fields, Parts& parts);

/// A request without words asks for the model to be loaded: one token is asked for, and the answer
/// says "load".
void ask_for_loading(const Fields& fields, ChatForm& form);

bool asks_for_loading(const ChatForm& form);

}  // namespace punie::translate
