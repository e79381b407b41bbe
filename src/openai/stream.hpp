#pragma once
// The chunks of a streamed reply, put together. Pure.

#include <punie/chat.hpp>

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "openai/sse.hpp"

namespace punie::openai {

/// Takes the events of one stream in order. Call `finish` when `done()` or when the body ended.
class StreamReader {
public:
    /// What the event adds for a reader; nothing when it adds no text. Errors: protocol (not JSON),
    /// http_status (the server reports an error in mid-stream).
    Result<std::optional<ChatDelta>> add(const SseEvent& event);

    /// After `[DONE]`: nothing more comes.
    bool done() const { return done_; }

    /// A finish_reason came: the answer is whole, at most usage is missing.
    bool finished() const { return !reply_.finish_reason.empty(); }

    /// A token came: text, reasoning or a piece of a tool call.
    bool begun() const { return begun_; }

    /// What had arrived, in words, for the message of a timeout: "12 characters of the answer".
    std::string progress() const;

    /// The reply. Errors: protocol (the stream ended before its end, or held no choice).
    Result<ChatReply> finish();

private:
    std::optional<ChatDelta> take_choice(const boost::json::value& choice);
    void take_call(const boost::json::value& piece);
    ToolCall& slot_for(const boost::json::value& piece);
    void take_logprobs(const boost::json::value& choice);

    ChatReply reply_;
    std::map<std::int64_t, ToolCall> calls_;  // by place in the reply
    std::map<std::int64_t, std::int64_t>
        places_;  // the server's index -> place of the latest call under it
    boost::json::object logprobs_;
    bool done_ = false;
    bool begun_ = false;
    bool any_choice_ = false;
};

}  // namespace punie::openai
