#pragma once
// What servers leave undone in OpenAI's own protocol, put right. Pure.

#include <punie/error.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace punie::translate {

/// A whole chat.completion: calls that stand in a choice's text become its `tool_calls` (with ids,
/// arguments as text, finish_reason "tool_calls"), if the request declared tools; with names that
/// no tool has they stay text. Returns whether anything was changed.
bool mend_completion(json::object& completion, const json::value& tools, std::string_view id);

/// Looks at a chat stream as it passes and, where the request declared tools, holds back text that
/// may be a call until it is known: then the text goes on, or becomes `tool_calls` deltas. Text
/// that cannot be a call is passed on at once, byte for byte.
class StreamMender {
public:
    /// `tools`: the request's; null or empty: nothing is held back.
    StreamMender(const json::value& tools, std::string id);
    ~StreamMender();
    StreamMender(StreamMender&&) noexcept;
    StreamMender& operator=(StreamMender&&) noexcept;

    /// Bytes of the server's stream in any chunking → bytes for the client. Errors: protocol (an
    /// event of more than 16 MB).
    Result<std::string> feed(std::string_view bytes);
    /// Whether the stream came to its proper end ("[DONE]" was seen, nothing is held back).
    bool done() const;
    /// For a stream that broke off: the whole events that are held back, as they came. What follows
    /// them must say that the answer is torn.
    std::string release();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Looks at a stream without changing it: events, tokens (chunks with content), the end. For
/// metrics and for telling a torn stream. A few nanoseconds a byte.
class StreamEye {
public:
    void feed(std::string_view bytes);

    bool done() const { return done_; }  ///< "data: [DONE]" was seen

    std::uint64_t events() const { return events_; }  ///< `data:` lines but "[DONE]"

    std::uint64_t completion_tokens() const { return completion_tokens_; }  ///< of the usage chunk

    std::uint64_t prompt_tokens() const { return prompt_tokens_; }

    bool saw_error() const { return saw_error_; }  ///< an event {"error": ...}

    /// Behind an event's empty line (or before anything): an own event can be put in here without
    /// breaking one.
    bool between_events() const { return between_; }

private:
    void keep(std::string_view piece);
    void line_ended(std::string_view line, std::string_view& last);

    std::string line_;  // the line that has not ended; of bounded length
    std::string last_;  // the end of the last data: usage stands there
    bool done_ = false;
    bool between_ = true;
    bool saw_error_ = false;
    std::uint64_t events_ = 0;
    std::uint64_t completion_tokens_ = 0;
    std::uint64_t prompt_tokens_ = 0;
};

}  // namespace punie::translate
