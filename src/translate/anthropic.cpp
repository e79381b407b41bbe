// Anthropic's answer, streams and errors: https://docs.anthropic.com/en/api/messages-streaming

#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>

#include "translate/anthropic_request.hpp"
#include "translate/blocks.hpp"
#include "translate/protocols.hpp"
#include "translate/wire.hpp"

namespace punie::translate {

namespace {

std::string_view stop_reason(std::string_view finish_reason, bool sequence) {
    if (finish_reason == "length") return "max_tokens";
    if (finish_reason == "tool_calls" || finish_reason == "function_call") return "tool_use";
    if (finish_reason == "content_filter") return "refusal";
    return sequence ? "stop_sequence" : "end_turn";
}

json::value text_or_null(std::string_view text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

/// Their input_tokens leave out what came from the cache.
json::object usage_of(const TokenCounts& tokens) {
    return {
        {"input_tokens", tokens.prompt - tokens.cached},
        {"cache_creation_input_tokens", 0},
        {"cache_read_input_tokens", tokens.cached},
        {"output_tokens", tokens.completion},
    };
}

/// `whole`: with its text; else as content_block_start has it.
json::object content_block(const Block& block, bool whole) {
    const std::string_view text = whole ? std::string_view(block.text) : std::string_view{};
    if (block.kind == BlockKind::text) return {{"type", "text"}, {"text", text}};
    if (block.kind == BlockKind::thinking)
        return {{"type", "thinking"}, {"thinking", text}, {"signature", ""}};
    return {
        {"type", "tool_use"},
        {"id", block.id},
        {"name", block.name},
        {"input", arguments_object(text)},
    };
}

json::object delta_of(BlockKind kind, std::string_view text) {
    if (kind == BlockKind::text) return {{"type", "text_delta"}, {"text", text}};
    if (kind == BlockKind::thinking) return {{"type", "thinking_delta"}, {"thinking", text}};
    return {{"type", "input_json_delta"}, {"partial_json", text}};
}

/// https://docs.anthropic.com/en/api/errors
std::string_view error_type(int status) {
    switch (status) {
        case 401:
            return "authentication_error";
        case 403:
            return "permission_error";
        case 404:
            return "not_found_error";
        case 408:
        case 504:
            return "timeout_error";
        case 413:
            return "request_too_large";
        case 429:
            return "rate_limit_error";
        case 503:
        case 529:
            return "overloaded_error";
        default:
            return status >= 500 ? "api_error" : "invalid_request_error";
    }
}

json::object error_body(int status, const Error& error) {
    return {
        {"type", "error"},
        {"error", {{"type", error_type(status)}, {"message", message_of(error)}}},
    };
}

class AnthropicStream : public StreamTranslator {
public:
    AnthropicStream(std::string model, const AnswerContext& context)
        : model_(std::move(model)), id_(context.id), reader_(context.id) {}

    std::string begin() override {
        return sse_event(
            "message_start",
            json::object{
                {"type", "message_start"},
                {"message",
                 {{"id", "msg_" + id_},
                  {"type", "message"},
                  {"role", "assistant"},
                  {"model", model_},
                  {"content", json::array{}},
                  {"stop_reason", nullptr},
                  {"stop_sequence", nullptr},
                  {"usage", usage_of({})}}},
            }
        );
    }

    Result<std::string> feed(std::string_view data) override {
        auto events = reader_.feed(data);
        if (!events) return std::unexpected(std::move(events).error());
        return write(*events);
    }

    std::string finish(double /*total_seconds*/) override {
        auto out = write(reader_.finish());
        const auto& word = reader_.stop_sequence();
        auto reason = stop_reason(reader_.finish_reason(), !word.empty());
        // Some servers say "stop" behind calls; clients go by this word.
        if (called_ && reason == "end_turn") reason = "tool_use";
        out += sse_event(
            "message_delta",
            json::object{
                {"type", "message_delta"},
                {"delta", {{"stop_reason", reason}, {"stop_sequence", text_or_null(word)}}},
                {"usage", usage_of(reader_.tokens())},
            }
        );
        out += sse_event("message_stop", json::object{{"type", "message_stop"}});
        return out;
    }

    std::string fail(const Error& error) override {
        const int status = error.http_status() == 0 ? 500 : error.http_status();
        return sse_event("error", error_body(status, error));
    }

    std::string keep_alive(std::string_view text) override {
        return sse_comment(text) + sse_event("ping", json::object{{"type", "ping"}});
    }

private:
    std::string write(const std::vector<BlockEvent>& events) {
        std::string out;
        for (const auto& event : events) out += write(event);
        return out;
    }

    std::string write(const BlockEvent& event) {
        if (event.type == BlockEvent::Type::begin) {
            kind_ = event.block.kind;
            called_ = called_ || kind_ == BlockKind::call;
            return say("content_block_start", "content_block", content_block(event.block, false));
        }
        if (event.type == BlockEvent::Type::more)
            return say("content_block_delta", "delta", delta_of(kind_, event.text));
        std::string out;
        if (kind_ == BlockKind::thinking) {  // clients put it beside the thinking they send back
            const json::object signature{{"type", "signature_delta"}, {"signature", ""}};
            out = say("content_block_delta", "delta", signature);
        }
        out += sse_event(
            "content_block_stop", json::object{{"type", "content_block_stop"}, {"index", index_++}}
        );
        return out;
    }

    std::string say(std::string_view name, std::string_view member, const json::object& value)
        const {
        return sse_event(name, json::object{{"type", name}, {"index", index_}, {member, value}});
    }

    std::string model_;
    std::string id_;
    BlockReader reader_;
    BlockKind kind_ = BlockKind::text;
    std::int64_t index_ = 0;
    bool called_ = false;
};

class Anthropic : public Protocol {
public:
    std::string_view name() const override { return "anthropic"; }

    std::string_view stream_type() const override { return "text/event-stream"; }

    Result<ChatForm> request(const json::object& request) const override {
        return read_anthropic_request(request, true);
    }

    Result<json::object> answer(
        const ChatForm& form, const json::object& completion, const AnswerContext& context
    ) const override {
        auto whole = read_completion(completion, context.id);
        if (!whole) return std::unexpected(std::move(whole).error());
        json::array content;
        content.reserve(whole->blocks.size());
        bool called = false;
        for (const auto& block : whole->blocks) {
            content.emplace_back(content_block(block, true));
            called = called || block.kind == BlockKind::call;
        }
        auto reason = stop_reason(whole->finish_reason, !whole->stop_sequence.empty());
        if (called && reason == "end_turn") reason = "tool_use";
        return json::object{
            {"id", "msg_" + context.id},
            {"type", "message"},
            {"role", "assistant"},
            {"model", form.model},
            {"content", std::move(content)},
            {"stop_reason", reason},
            {"stop_sequence", text_or_null(whole->stop_sequence)},
            {"usage", usage_of(whole->tokens)},
        };
    }

    std::unique_ptr<StreamTranslator> stream(const ChatForm& form, const AnswerContext& context)
        const override {
        return std::make_unique<AnthropicStream>(form.model, context);
    }

    std::string error(int status, const Error& error) const override {
        return to_text(error_body(status, error));
    }
};

/// Counting is asking for one token: only the server knows its tokenizer, and the prompt then
/// waits in its cache.
class AnthropicCounts : public Anthropic {
public:
    std::string_view name() const override { return "anthropic_count_tokens"; }

    Result<ChatForm> request(const json::object& request) const override {
        auto form = read_anthropic_request(request, false);
        if (form) form->body["max_tokens"] = 1;
        return form;
    }

    Result<json::object> answer(
        const ChatForm& /*form*/, const json::object& completion, const AnswerContext& /*context*/
    ) const override {
        const auto tokens = token_counts(completion);
        if (tokens) return json::object{{"input_tokens", tokens->prompt}};
        return punie::fail(
            ErrorCode::unsupported, "usage: the server does not say how many tokens a prompt has"
        );
    }
};

}  // namespace

const Protocol& anthropic() {
    static const Anthropic protocol;
    return protocol;
}

const Protocol& anthropic_counts() {
    static const AnthropicCounts protocol;
    return protocol;
}

}  // namespace punie::translate
