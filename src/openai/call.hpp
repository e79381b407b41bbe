#pragma once
// One call of the chat client: attempts until one brings a reply or must not be repeated.

#include <punie/chat.hpp>

#include <functional>
#include <string>
#include <utility>

#include "base/awaitable.hpp"
#include "http/client.hpp"
#include "openai/retry.hpp"

namespace punie::openai {

enum class Mode { complete, stream };

/// Knows everything about one call while it runs. Owner: the coroutine that made it, which outlives
/// its coroutines.
class Call {
public:
    Call(
        const EndpointOptions& options, const http::Client& client, ChatRequest request, Mode mode
    );

    void on_delta(std::function<void(const ChatDelta&)> call) { on_delta_ = std::move(call); }

    /// A model of the endpoint: its first, "default_model" (mlx_lm.server's name for what it
    /// serves) when it lists none.
    Task<Result<std::string>> find_model();

    /// Sends the request, again where that is safe. `default_model` is for a request that names
    /// none.
    Task<Result<ChatReply>> perform(std::string default_model);

    const ChatRequest& request() const { return request_; }

    /// Until the limit of the whole call.
    SteadyTime deadline() const { return deadline_; }

    /// The error when that limit came.
    Error total_timeout() const;

private:
    /// How one attempt ended when it brought no reply.
    struct Failed {
        Error error;
        AttemptFailed event;
    };

    using Outcome = std::expected<ChatReply, Failed>;

    Task<Outcome> complete_once(std::string body);
    Task<Outcome> stream_once(std::string body);
    Task<bool> pause(Milliseconds time);
    RetryAction after_failure(RetryState& tries, AttemptFailed event) const;
    http::Request completion_request(std::string body) const;
    void add_key(http::Request& request) const;
    http::Deadlines deadlines() const;
    Failed failed_by(Error error) const;
    Failed failed_by_status(int status, const http::Headers& headers, std::string_view body) const;

    const EndpointOptions& options_;
    const http::Client& client_;
    ChatRequest request_;
    Mode mode_;
    std::function<void(const ChatDelta&)> on_delta_;
    SteadyTime started_;
    SteadyTime deadline_;
    std::string progress_ = "nothing of the answer";
};

}  // namespace punie::openai
