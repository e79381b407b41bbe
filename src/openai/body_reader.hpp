#pragma once
// The body of one answer, read piece by piece with limits.

#include <punie/chat.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/awaitable.hpp"
#include "http/client.hpp"
#include "openai/sse.hpp"
#include "openai/stream.hpp"

namespace punie::openai {

class BodyReader {
public:
    explicit BodyReader(http::ResponseStream stream) : stream_(std::move(stream)) {}

    using Piece = std::optional<std::string>;

    int status() const { return stream_.status(); }

    const http::Headers& headers() const { return stream_.headers(); }

    /// Nothing when `deadline` came first; else as http::ResponseStream::next.
    Task<std::optional<Result<Piece>>> next(SteadyTime deadline);

    /// The beginning of an error's body; what fails on the way ends it.
    Task<std::string> error_text();

private:
    Task<Result<Piece>> next_piece();

    http::ResponseStream stream_;
};

/// Reads one streamed reply. Owner: its call, which outlives `read`.
class StreamedReply {
public:
    using Clock = std::chrono::steady_clock;

    /// `started` is when the request was sent; `on_progress` hears what has arrived, in words,
    /// after each piece.
    StreamedReply(
        BodyReader body,
        const ChatDeadlines& limits,
        SteadyTime started,
        std::function<void(const ChatDelta&)> on_delta,
        std::function<void(std::string)> on_progress
    );

    /// Errors: as ChatModel::stream; every one of them in mid-answer, so nothing may be repeated.
    Task<Result<ChatReply>> read();

    /// When the first token came.
    SteadyTime first_token() const { return first_token_; }

private:
    SteadyTime next_deadline() const;
    Error timed_out() const;
    Error torn(Error error) const;
    Result<void> take(std::string_view bytes);

    BodyReader body_;
    ChatDeadlines limits_;
    SteadyTime started_;
    std::function<void(const ChatDelta&)> on_delta_;
    std::function<void(std::string)> on_progress_;
    SseReader sse_;
    StreamReader reader_;
    SteadyTime first_token_{};
};

}  // namespace punie::openai
