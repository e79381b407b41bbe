#pragma once
// A protocol that clients speak, beside OpenAI's chat completions. Pure.

#include <punie/error.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace punie::translate {

/// A client's request as a chat completion.
struct ChatForm {
    std::string model;
    bool stream = false;
    json::object body;     ///< of POST /v1/chat/completions; `stream` and, for streams,
                           ///< `stream_options.include_usage` are set, `model` is as asked
    json::object request;  ///< the client's own, for what the answer repeats
};

/// What an answer needs beside the server's words.
struct AnswerContext {
    std::string id;            ///< random part of ids: "a1b2c3"
    std::int64_t created = 0;  ///< seconds since 1970
    double load_seconds = 0;   ///< waited for the model
    double total_seconds = 0;  ///< until now
};

/// The bytes of a stream in the client's protocol. One a request.
class StreamTranslator {
public:
    virtual ~StreamTranslator() = default;

    /// What is sent before anything else but signs of life ("" nothing). The same whether it is
    /// asked for before or after what is fed.
    virtual std::string begin() = 0;
    /// One `data:` of the server's stream (a chat.completion.chunk as JSON text, not "[DONE]").
    /// Errors: protocol (no chunk).
    virtual Result<std::string> feed(std::string_view data) = 0;
    /// After "[DONE]": what ends the stream properly.
    virtual std::string finish(double total_seconds) = 0;
    /// The server broke or said an error in mid-stream: what tells the client, in its protocol,
    /// that the answer is torn; no proper end follows.
    virtual std::string fail(const Error& error) = 0;
    /// A sign of life while the model loads, that no parser takes for content ("" if the protocol
    /// has none).
    virtual std::string keep_alive(std::string_view text) = 0;
};

/// Stateless; one constant object a protocol.
class Protocol {
public:
    virtual ~Protocol() = default;

    virtual std::string_view name() const = 0;         ///< "anthropic"
    virtual std::string_view stream_type() const = 0;  ///< content type of its streams

    /// Errors: invalid_argument naming the field, what was found, what is allowed.
    virtual Result<ChatForm> request(const json::object& request) const = 0;
    /// A whole chat.completion as the client's answer.
    virtual Result<json::object> answer(
        const ChatForm& form, const json::object& completion, const AnswerContext& context
    ) const = 0;
    virtual std::unique_ptr<StreamTranslator> stream(
        const ChatForm& form, const AnswerContext& context
    ) const = 0;
    /// An error body in the client's protocol; `retry_after` is said in headers by the caller.
    virtual std::string error(int status, const Error& error) const = 0;
};

/// By route: "/v1/messages", "/api/chat", "/api/generate", "/v1/responses"; null if the route is no
/// translated one.
const Protocol* protocol_for(std::string_view path);

/// Error body in OpenAI's form: {"error": {"message", "type", "code", "param"}}.
std::string openai_error(int status, std::string_view message, std::string_view code);

}  // namespace punie::translate
