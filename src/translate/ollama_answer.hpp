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

/// What both of Ollama's routes have in common: everything but the request and the shape.
class OllamaProtocol : public Protocol {
public:
    /// `shape` must be a constant that lives as long as the program.
    explicit OllamaProtocol(const OllamaShape& shape) : shape_(shape) {}

    std::string_view stream_type() const override { return "application/x-ndjson"; }

    Result<json::object> answer(
        const ChatForm& form, const json::object& completion, const AnswerContext& context
    ) const override {
        return ollama_answer(form, completion, context, shape_);
    }

    std::unique_ptr<StreamTranslator> stream(const ChatForm& form, const AnswerContext& context)
        const override {
        return ollama_stream(form, context, shape_);
    }

    std::string error(int /*status*/, const Error& error) const override {
        return ollama_error(error);
    }

private:
    const OllamaShape& shape_;
};

}  // namespace punie::translate
