#pragma once
// What the chat tests share: a question, a client with short limits, a streamed reply with its
// deltas.

#include <punie/chat.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "integration/openai/fake_server.hpp"

namespace punie::openai {

using namespace std::chrono_literals;

inline ChatRequest question() {
    ChatRequest request;
    request.messages = {{.role = "user", .content = "What is the capital of France?"}};
    return request;
}

/// Limits far above what a loaded machine needs; a test that waits for a limit sets its own.
inline EndpointOptions endpoint(const FakeServer& server) {
    EndpointOptions options{.base_url = server.url()};
    options.model = "fake-model";
    options.deadlines = {.connect = 10s, .first_token = 30s, .between_tokens = 30s, .total = 60s};
    return options;
}

inline ChatModel client(EndpointOptions options) {
    auto model = create_endpoint_model(std::move(options));
    EXPECT_TRUE(model) << model.error().message();
    return std::move(*model);
}

inline Result<ChatReply> complete(const FakeServer& server) {
    return client(endpoint(server)).complete(question());
}

struct Streamed {
    Result<ChatReply> reply;
    std::vector<std::string> pieces;
};

inline Streamed stream(
    const EndpointOptions& options,
    const ChatRequest& request = question(),
    std::stop_token stop = {}
) {
    Streamed result{ChatReply{}, {}};
    const auto caller = std::this_thread::get_id();
    const auto take = [&](const ChatDelta& delta) {
        EXPECT_EQ(std::this_thread::get_id(), caller);
        result.pieces.push_back(delta.reasoning + delta.content);
    };
    result.reply = client(options).stream(request, take, std::move(stop));
    return result;
}

inline Streamed stream(const FakeServer& server) {
    return stream(endpoint(server));
}

}  // namespace punie::openai
