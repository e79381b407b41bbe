// The answers and streams of OpenAI's /v1/responses:
// https://platform.openai.com/docs/api-reference/responses-streaming

#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>

#include "translate/blocks.hpp"
#include "translate/protocols.hpp"
#include "translate/responses_request.hpp"
#include "translate/wire.hpp"

namespace punie::translate {

namespace {

/// "rs_", "msg_" or "fc_", the answer's id, the item's place.
std::string item_id(BlockKind kind, std::string_view id, std::size_t place) {
    const auto prefix = kind == BlockKind::thinking ? "rs" : kind == BlockKind::text ? "msg" : "fc";
    return fmt::format("{}_{}_{}", prefix, id, place);
}

json::object text_part(std::string_view text) {
    return {
        {"type", "output_text"},
        {"text", text},
        {"annotations", json::array{}},
        {"logprobs", json::array{}},
    };
}

json::object thinking_part(std::string_view text) {
    return {{"type", "reasoning_text"}, {"text", text}};
}

json::object part_of(BlockKind kind, std::string_view text) {
    return kind == BlockKind::text ? text_part(text) : thinking_part(text);
}

/// `status`: "in_progress" (then without content), "completed" or "incomplete".
json::object item_of(const Block& block, std::string_view id, std::string_view status) {
    const bool whole = status != "in_progress";
    if (block.kind == BlockKind::call) {
        return {
            {"id", id},
            {"type", "function_call"},
            {"status", status},
            {"call_id", block.id},
            {"name", block.name},
            {"arguments", whole ? std::string_view(block.text) : std::string_view{}},
        };
    }
    json::array content;
    if (whole) content.emplace_back(part_of(block.kind, block.text));
    if (block.kind == BlockKind::thinking) {
        return {
            {"id", id},
            {"type", "reasoning"},
            {"summary", json::array{}},
            {"content", std::move(content)},
            {"status", status},
        };
    }
    return {
        {"id", id},
        {"type", "message"},
        {"role", "assistant"},
        {"status", status},
        {"content", std::move(content)},
    };
}

json::object usage_of(const TokenCounts& tokens) {
    return {
        {"input_tokens", tokens.prompt},
        {"input_tokens_details", {{"cached_tokens", tokens.cached}, {"cache_write_tokens", 0}}},
        {"output_tokens", tokens.completion},
        {"output_tokens_details", {{"reasoning_tokens", tokens.reasoning}}},
        {"total_tokens", tokens.prompt + tokens.completion},
    };
}

json::value or_default(
    const json::object& request, std::string_view name, const json::value& value
) {
    const auto* found = request.if_contains(name);
    return found == nullptr || found->is_null() ? value : *found;
}

/// The answer but for what becomes of it: what the client asked for is repeated.
json::object frame(const ChatForm& form, const AnswerContext& context) {
    const auto& request = form.request;
    const json::object plain_text{{"format", {{"type", "text"}}}};
    const json::object no_reasoning{{"effort", nullptr}, {"summary", nullptr}};
    return {
        {"id", "resp_" + context.id},
        {"object", "response"},
        {"created_at", context.created},
        {"status", "in_progress"},
        {"background", false},
        {"error", nullptr},
        {"incomplete_details", nullptr},
        {"instructions", or_default(request, "instructions", nullptr)},
        {"max_output_tokens", or_default(request, "max_output_tokens", nullptr)},
        {"model", form.model},
        {"output", json::array{}},
        {"parallel_tool_calls", or_default(request, "parallel_tool_calls", true)},
        {"previous_response_id", nullptr},
        {"reasoning", or_default(request, "reasoning", no_reasoning)},
        {"store", false},
        {"temperature", or_default(request, "temperature", nullptr)},
        {"text", or_default(request, "text", plain_text)},
        {"tool_choice", or_default(request, "tool_choice", "auto")},
        {"tools", or_default(request, "tools", json::array{})},
        {"top_p", or_default(request, "top_p", nullptr)},
        {"truncation", "disabled"},
        {"usage", nullptr},
        {"metadata", or_default(request, "metadata", json::object{})},
    };
}

/// Why an answer is not whole; "" if it is.
std::string_view incomplete_reason(std::string_view finish_reason) {
    if (finish_reason == "length") return "max_output_tokens";
    return finish_reason == "content_filter" ? "content_filter" : "";
}

void complete(
    json::object& response,
    const std::vector<Block>& blocks,
    std::string_view finish_reason,
    const TokenCounts& tokens,
    std::string_view id
) {
    const auto why = incomplete_reason(finish_reason);
    response["status"] = why.empty() ? "completed" : "incomplete";
    if (!why.empty()) response["incomplete_details"] = json::object{{"reason", why}};
    json::array output;
    output.reserve(blocks.size());
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const bool cut = !why.empty() && i + 1 == blocks.size();
        const auto status = cut ? "incomplete" : "completed";
        output.emplace_back(item_of(blocks[i], item_id(blocks[i].kind, id, i), status));
    }
    response["output"] = std::move(output);
    response["usage"] = usage_of(tokens);
}

class ResponsesStream : public StreamTranslator {
public:
    ResponsesStream(const ChatForm& form, const AnswerContext& context)
        : id_(context.id),
          first_(frame(form, context)),
          response_(first_),
          reader_(context.id, Kept::all) {}

    std::string begin() override {
        // Whatever was fed before: the caller may know only then that it begins.
        std::int64_t number = 0;
        auto out = numbered("response.created", number++, {{"response", first_}});
        out += numbered("response.in_progress", number, {{"response", first_}});
        return out;
    }

    Result<std::string> feed(std::string_view data) override {
        auto events = reader_.feed(data);
        if (!events) return std::unexpected(std::move(events).error());
        return write(*events);
    }

    std::string finish(double /*total_seconds*/) override {
        auto out = write(reader_.finish());
        complete(response_, reader_.blocks(), reader_.finish_reason(), reader_.tokens(), id_);
        const bool whole = incomplete_reason(reader_.finish_reason()).empty();
        out += say(whole ? "response.completed" : "response.incomplete", {{"response", response_}});
        return out;
    }

    std::string fail(const Error& error) override {
        response_["status"] = "failed";
        response_["error"] = json::object{{"code", "server_error"}, {"message", message_of(error)}};
        return say("response.failed", {{"response", response_}});
    }

    std::string keep_alive(std::string_view text) override { return sse_comment(text); }

private:
    std::string write(const std::vector<BlockEvent>& events) {
        std::string out;
        for (const auto& event : events) {
            if (event.type == BlockEvent::Type::begin) out += begin_item(event.block);
            if (event.type == BlockEvent::Type::more) out += delta(event.text);
            if (event.type == BlockEvent::Type::end) out += end_item(event.block);
        }
        return out;
    }

    std::string begin_item(const Block& block) {
        kind_ = block.kind;
        item_ = item_id(kind_, id_, place_);
        auto out =
            say("response.output_item.added",
                {{"output_index", place_}, {"item", item_of(block, item_, "in_progress")}});
        if (kind_ != BlockKind::call)
            out += say_part("response.content_part.added", {{"part", part_of(kind_, "")}});
        return out;
    }

    std::string delta(std::string_view text) {
        if (kind_ == BlockKind::call)
            return say_of_item("response.function_call_arguments.delta", {{"delta", text}});
        if (kind_ == BlockKind::thinking)
            return say_part("response.reasoning_text.delta", {{"delta", text}});
        return say_part(
            "response.output_text.delta", {{"delta", text}, {"logprobs", json::array{}}}
        );
    }

    std::string end_item(const Block& block) {
        std::string out;
        if (kind_ == BlockKind::call) {
            out = say_of_item(
                "response.function_call_arguments.done",
                {{"name", block.name}, {"arguments", block.text}}
            );
        } else {
            out = kind_ == BlockKind::thinking
                      ? say_part("response.reasoning_text.done", {{"text", block.text}})
                      : say_part(
                            "response.output_text.done",
                            {{"text", block.text}, {"logprobs", json::array{}}}
                        );
            out += say_part("response.content_part.done", {{"part", part_of(kind_, block.text)}});
        }
        const bool cut = !incomplete_reason(reader_.finish_reason()).empty();
        out +=
            say("response.output_item.done",
                {{"output_index", place_},
                 {"item", item_of(block, item_, cut ? "incomplete" : "completed")}});
        ++place_;
        return out;
    }

    std::string say(std::string_view type, json::object members) {
        return numbered(type, sequence_++, std::move(members));
    }

    static std::string numbered(std::string_view type, std::int64_t number, json::object members) {
        json::object event{{"type", type}, {"sequence_number", number}};
        for (auto& member : members) event[member.key()] = std::move(member.value());
        return sse_event(type, event);
    }

    std::string say_of_item(std::string_view type, json::object members) {
        members["item_id"] = item_;
        members["output_index"] = place_;
        return say(type, std::move(members));
    }

    std::string say_part(std::string_view type, json::object members) {
        members["content_index"] = 0;
        return say_of_item(type, std::move(members));
    }

    std::string id_;
    json::object first_;
    json::object response_;
    BlockReader reader_;
    BlockKind kind_ = BlockKind::text;
    std::string item_;
    std::size_t place_ = 0;
    std::int64_t sequence_ = 2;  // behind what begin() says
};

class Responses : public Protocol {
public:
    std::string_view name() const override { return "responses"; }

    std::string_view stream_type() const override { return "text/event-stream"; }

    Result<ChatForm> request(const json::object& request) const override {
        return read_responses_request(request);
    }

    Result<json::object> answer(
        const ChatForm& form, const json::object& completion, const AnswerContext& context
    ) const override {
        auto whole = read_completion(completion, context.id);
        if (!whole) return std::unexpected(std::move(whole).error());
        auto response = frame(form, context);
        complete(response, whole->blocks, whole->finish_reason, whole->tokens, context.id);
        return response;
    }

    std::unique_ptr<StreamTranslator> stream(const ChatForm& form, const AnswerContext& context)
        const override {
        return std::make_unique<ResponsesStream>(form, context);
    }

    std::string error(int status, const Error& error) const override {
        return openai_error(status, message_of(error), "");
    }
};

}  // namespace

const Protocol& responses() {
    static const Responses protocol;
    return protocol;
}

}  // namespace punie::translate
