#pragma once
// The chat client as coroutines, over http::Client: what ChatModel does, for code that has an event
// loop.

#include <punie/chat.hpp>

#include <functional>
#include <memory>
#include <string>

#include "base/awaitable.hpp"

namespace punie::openai {

/// A client for one model of one endpoint. Copies share what they know of the endpoint (its default
/// model). Thread: coroutines run on the caller's executor; one object may be used by several
/// executors at once. All calls are cancellable: they return `cancelled`, the connection is dropped
/// and the server sees it close.
class AsyncChat {
public:
    explicit AsyncChat(EndpointOptions options);

    const EndpointOptions& options() const;

    /// As ChatModel::complete. `first_token` limits the wait for the answer's first byte,
    /// `between_tokens` its pauses.
    Task<Result<ChatReply>> complete(ChatRequest request) const;

    /// As ChatModel::stream. `on_delta` runs on the caller's executor and must not throw.
    Task<Result<ChatReply>> stream(
        ChatRequest request, std::function<void(const ChatDelta&)> on_delta
    ) const;

private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

}  // namespace punie::openai
