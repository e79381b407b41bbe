#pragma once
// Ollama's answers and streams: one line of JSON after the other.

#include "translate/blocks.hpp"
#include "translate/protocol.hpp"

namespace punie::translate {

/// How one of the two routes writes a piece of the answer.
class OllamaShape {
public:
    virtual ~OllamaShape() = default;
    /// The members that hold it: {"message": {...}} or {"response": ...}. `calls` may be empty.
    virtual json::object piece(
        std::string_view text, std::string_view thinking, const json::array& calls
    ) const = 0;
};

Result<json::object> ollama_answer(
    const ChatForm& form,
    const json::object& completion,
    const AnswerContext& context,
    const OllamaShape& shape
);

/// `shape` must be a constant that lives as long as the program.
std::unique_ptr<StreamTranslator> ollama_stream(
    const ChatForm& form, const AnswerContext& context, const OllamaShape& shape
);

std::string ollama_error(const Error& error);

}  // namespace punie::translate
