#include "openai/response.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>

#include "base/json.hpp"
#include "base/text.hpp"

namespace punie::openai {

namespace {

constexpr std::size_t shown_bytes =
    300;  // of a body in a message: enough for a cause, not for a page of HTML

std::string shown(std::string_view text) {
    const auto cut = text.size() > shown_bytes;
    auto out = printable(trim(text.substr(0, shown_bytes)));
    return cut ? out + "..." : out;
}

std::vector<ToolCall> tool_calls_of(const json::value& message) {
    std::vector<ToolCall> calls;
    const auto* list = member(message, "tool_calls");
    if (list == nullptr || !list->is_array()) return calls;
    for (const auto& item : list->get_array()) {
        const auto* function = member(item, "function");
        if (function == nullptr || !function->is_object()) continue;
        calls.push_back({
            .id = string_member(item, "id").value_or(""),
            .name = string_member(*function, "name").value_or(""),
            .arguments = arguments_of(*function),
        });
    }
    return calls;
}

/// FastAPI's {"detail": [{"loc": [...], "msg": "..."}]}: the messages, with the field each is
/// about.
std::string detail_text(const json::value& detail) {
    if (const auto* text = detail.if_string()) return std::string(*text);
    const auto* list = detail.if_array();
    if (list == nullptr) return to_text(detail);
    std::string out;
    for (const auto& item : *list) {
        if (!out.empty()) out += "; ";
        const auto* where = member(item, "loc");
        const auto what = string_member(item, "msg");
        out += what ? (where == nullptr ? *what : to_text(*where) + ": " + *what) : to_text(item);
    }
    return out;
}

}  // namespace

std::string content_of(const json::value& message) {
    const auto* content = member(message, "content");
    if (content == nullptr) return {};
    if (const auto* text = content->if_string()) return std::string(*text);
    std::string joined;
    if (const auto* parts = content->if_array()) {
        for (const auto& part : *parts) joined += string_member(part, "text").value_or("");
    }
    return joined;
}

std::string reasoning_of(const json::value& message) {
    auto reasoning = string_member(message, "reasoning").value_or("");
    return reasoning.empty() ? string_member(message, "reasoning_content").value_or("") : reasoning;
}

std::string arguments_of(const json::value& function) {
    const auto* arguments = member(function, "arguments");
    if (arguments == nullptr || arguments->is_null()) return {};
    if (const auto* text = arguments->if_string()) return std::string(*text);
    return to_text(*arguments);
}

std::optional<ChatUsage> usage_of(const json::value& body) {
    const auto* usage = member(body, "usage");
    if (usage == nullptr || !usage->is_object()) return std::nullopt;
    return ChatUsage{
        .prompt_tokens = integer_member(*usage, "prompt_tokens").value_or(0),
        .completion_tokens = integer_member(*usage, "completion_tokens").value_or(0),
    };
}

std::optional<std::string> error_message_in(const json::value& value) {
    if (const auto* error = member(value, "error"); error != nullptr && !error->is_null()) {
        if (const auto* text = error->if_string()) return std::string(*text);
        if (auto message = string_member(*error, "message")) return message;
        return to_text(*error);
    }
    if (const auto* detail = member(value, "detail"); detail != nullptr && !detail->is_null()) {
        return detail_text(*detail);
    }
    if (member(value, "choices") == nullptr) return string_member(value, "message");
    return std::nullopt;
}

Result<ChatReply> reply_from_body(std::string body) {
    auto parsed = parse_json(body);
    if (!parsed) {
        return fail(
            ErrorCode::protocol,
            fmt::format(
                "the server's answer is not JSON ({}): `{}`", parsed.error().message(), shown(body)
            )
        );
    }
    const auto* choices = member(*parsed, "choices");
    if (choices == nullptr || !choices->is_array() || choices->get_array().empty()) {
        if (auto message = error_message_in(*parsed)) {
            return std::unexpected(
                Error(ErrorCode::http_status, "the server reported an error: " + shown(*message))
                    .with_http_status(200)
            );
        }
        return fail(
            ErrorCode::protocol,
            fmt::format("the server's answer has no choices, one is needed: `{}`", shown(body))
        );
    }
    const auto& choice = choices->get_array().front();
    const auto* message = member(choice, "message");
    if (message == nullptr || !message->is_object()) {
        return fail(
            ErrorCode::protocol,
            fmt::format("the answer's first choice has no message: `{}`", shown(body))
        );
    }
    ChatReply reply;
    reply.content = content_of(*message);
    reply.reasoning = reasoning_of(*message);
    reply.tool_calls = tool_calls_of(*message);
    reply.finish_reason = string_member(choice, "finish_reason").value_or("");
    reply.lost_tool_calls = reply.finish_reason == "tool_calls" && reply.tool_calls.empty();
    reply.usage = usage_of(*parsed);
    if (const auto* logprobs = member(choice, "logprobs");
        logprobs != nullptr && !logprobs->is_null()) {
        reply.logprobs = to_text(*logprobs);
    }
    reply.model = string_member(*parsed, "model").value_or("");
    reply.raw = std::move(body);
    return reply;
}

Error error_from_answer(int status, std::string_view body) {
    auto message = shown(body);
    if (auto parsed = parse_json(body)) {
        if (auto found = error_message_in(*parsed)) message = shown(*found);
    }
    auto text = message.empty()
                    ? fmt::format("the server answered with status {} and no message", status)
                    : fmt::format("the server answered with status {}: {}", status, message);
    auto error = Error(ErrorCode::http_status, std::move(text)).with_http_status(status);
    if (status == 401 || status == 403) {
        return std::move(error).with_hint("the endpoint wants another API key than it was given");
    }
    return error;
}

std::vector<std::string> model_ids(std::string_view body) {
    std::vector<std::string> ids;
    const auto parsed = parse_json(body);
    if (!parsed) return ids;
    const auto* list = member(*parsed, "data");
    if (list == nullptr || !list->is_array()) return ids;
    for (const auto& item : list->get_array()) {
        if (auto id = string_member(item, "id"); id && !id->empty()) ids.push_back(std::move(*id));
    }
    return ids;
}

namespace {

std::string without(std::string text, std::string_view secret) {
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
        text.replace(at, secret.size(), "[API key]");
        at += std::string_view("[API key]").size();
    }
    return text;
}

}  // namespace

Error redacted(Error error, std::string_view secret) {
    if (secret.empty()) return error;
    auto clean = Error(error.code(), without(error.message(), secret))
                     .with_hint(without(error.hint(), secret))
                     .with_log(error.log_tail())
                     .with_exit_status(error.exit_status());
    return std::move(clean).with_http_status(error.http_status());
}

}  // namespace punie::openai
