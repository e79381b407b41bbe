#include "openai/stream.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <iterator>
#include <utility>

#include "base/json.hpp"
#include "base/text.hpp"
#include "openai/response.hpp"

namespace punie::openai {

namespace {

std::unexpected<Error> reported(const json::value& body, const std::string& message) {
    const auto* error = member(body, "error");
    const auto code = error == nullptr ? std::nullopt : integer_member(*error, "code");
    const bool is_status = code && *code >= 400 && *code < 600;
    return std::unexpected(Error(
                               ErrorCode::http_status,
                               "the server reported an error in mid-stream: " + printable(message)
    )
                               .with_http_status(is_status ? static_cast<int>(*code) : 200));
}

}  // namespace

Result<std::optional<ChatDelta>> StreamReader::add(const SseEvent& event) {
    if (done_) return std::optional<ChatDelta>();
    if (event.data == "[DONE]") {
        done_ = true;
        return std::optional<ChatDelta>();
    }
    const auto parsed = parse_json(event.data);
    if (!parsed) {
        return fail(
            ErrorCode::protocol,
            fmt::format(
                "the stream holds an event that is not JSON ({}): `{}`",
                parsed.error().message(),
                printable(event.data.substr(0, 200))
            )
        );
    }
    const auto* choices = member(*parsed, "choices");
    if (choices == nullptr || event.type == "error") {
        if (const auto message = error_message_in(*parsed)) return reported(*parsed, *message);
    }
    if (auto usage = usage_of(*parsed)) {
        reply_.usage = usage;
        reply_.raw = event.data;
    }
    if (auto model = string_member(*parsed, "model")) reply_.model = std::move(*model);
    if (choices == nullptr || !choices->is_array()) return std::optional<ChatDelta>();
    for (const auto& choice : choices->get_array()) {
        if (integer_member(choice, "index").value_or(0) == 0) return take_choice(choice);
    }
    return std::optional<ChatDelta>();
}

std::optional<ChatDelta> StreamReader::take_choice(const json::value& choice) {
    any_choice_ = true;
    if (auto reason = string_member(choice, "finish_reason"); reason && !reason->empty()) {
        reply_.finish_reason = std::move(*reason);
    }
    take_logprobs(choice);
    const auto* delta = member(choice, "delta");
    if (delta == nullptr) delta = member(choice, "message");  // servers that send a reply whole
    if (delta == nullptr) return std::nullopt;
    if (const auto* pieces = member(*delta, "tool_calls");
        pieces != nullptr && pieces->is_array()) {
        for (const auto& piece : pieces->get_array()) take_call(piece);
    }
    ChatDelta text{.content = content_of(*delta), .reasoning = reasoning_of(*delta)};
    if (text.content.empty() && text.reasoning.empty()) return std::nullopt;
    begun_ = true;
    reply_.content += text.content;
    reply_.reasoning += text.reasoning;
    return text;
}

/// Pieces name their call by `index`. Some servers leave it out, and some give every whole call
/// index 0: a new id under a known index is a new call.
ToolCall& StreamReader::slot_for(const json::value& piece) {
    const auto* function = member(piece, "function");
    const auto id = string_member(piece, "id").value_or("");
    const bool named =
        function != nullptr && !string_member(*function, "name").value_or("").empty();
    const auto next_place = static_cast<std::int64_t>(calls_.size());
    const auto index = integer_member(piece, "index");
    if (!index) {
        if (calls_.empty() || named) return calls_[next_place];
        return std::prev(calls_.end())->second;
    }
    const auto known = places_.find(*index);
    const bool another =
        known != places_.end() && named && !id.empty() && id != calls_[known->second].id;
    if (known != places_.end() && !another) return calls_[known->second];
    places_[*index] = next_place;
    return calls_[next_place];
}

void StreamReader::take_call(const json::value& piece) {
    if (!piece.is_object()) return;
    begun_ = true;
    auto& call = slot_for(piece);
    if (auto id = string_member(piece, "id"); id && !id->empty()) call.id = std::move(*id);
    const auto* function = member(piece, "function");
    if (function == nullptr) return;
    if (auto name = string_member(*function, "name"); name && !name->empty())
        call.name = std::move(*name);
    call.arguments += arguments_of(*function);
}

/// The lists of all chunks one after the other, whatever they are called (`content` of OpenAI,
/// `tokens` of others).
void StreamReader::take_logprobs(const json::value& choice) {
    const auto* logprobs = member(choice, "logprobs");
    if (logprobs == nullptr || !logprobs->is_object()) return;
    for (const auto& [name, value] : logprobs->get_object()) {
        auto* known = logprobs_.if_contains(name);
        if (known == nullptr || !known->is_array() || !value.is_array()) {
            if (known == nullptr || known->is_null()) logprobs_[name] = value;
            continue;
        }
        auto& list = known->get_array();
        list.insert(list.end(), value.get_array().begin(), value.get_array().end());
    }
}

std::string StreamReader::progress() const {
    if (!begun_) return "nothing of the answer";
    if (reply_.content.empty() && reply_.reasoning.empty())
        return fmt::format("{} tool calls", calls_.size());
    return fmt::format("{} bytes of the answer", reply_.content.size() + reply_.reasoning.size());
}

Result<ChatReply> StreamReader::finish() {
    if (!done_ && !finished()) {
        return fail(
            ErrorCode::protocol,
            fmt::format(
                "the stream ended without a finish_reason or [DONE]; {} had arrived: the answer "
                "is torn",
                progress()
            )
        );
    }
    if (!any_choice_)
        return fail(ErrorCode::protocol, "the stream held no choice: the server answered nothing");
    for (auto& [place, call] : calls_) reply_.tool_calls.push_back(std::move(call));
    reply_.lost_tool_calls = reply_.finish_reason == "tool_calls" && reply_.tool_calls.empty();
    if (!logprobs_.empty()) reply_.logprobs = to_text(logprobs_);
    return std::move(reply_);
}

}  // namespace punie::openai
