// What a well-behaved server answers, and what is sent to it.
#include <gmock/gmock.h>

#include <future>

#include "integration/openai/chat_fixture.hpp"

namespace punie::openai {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Complete, AReplyWithEverything) {
    FakeServer server({"--reasoning", "thinking"});
    const auto reply = complete(server);
    ASSERT_TRUE(reply) << reply.error().describe();
    EXPECT_EQ(reply->content, "The capital of France is Paris.");
    EXPECT_EQ(reply->reasoning, "thinking");
    EXPECT_EQ(reply->finish_reason, "stop");
    EXPECT_EQ(reply->model, "fake-model");
    EXPECT_EQ(reply->usage->prompt_tokens, 7);
    EXPECT_EQ(reply->usage->completion_tokens, 6);
    EXPECT_EQ(reply->attempts, 1);
    EXPECT_GT(reply->total_time.count(), 0);
    EXPECT_GT(reply->time_to_first_token.count(), 0);
    EXPECT_LE(reply->time_to_first_token, reply->total_time);
}

TEST(Stream, APieceForEachTokenInTheCallersThread) {
    FakeServer server({"--reasoning", "thinking"});
    const auto [reply, pieces] = stream(server);
    ASSERT_TRUE(reply) << reply.error().describe();
    EXPECT_THAT(
        pieces, ElementsAre("thinking", "The", " capital", " of", " France", " is", " Paris.")
    );
    EXPECT_EQ(reply->content, "The capital of France is Paris.");
    EXPECT_EQ(reply->reasoning, "thinking");
    EXPECT_EQ(reply->usage->completion_tokens, 6);
    EXPECT_THAT(reply->raw, HasSubstr("prompt_tokens"));
}

TEST(Stream, TheFirstTokenHasItsOwnTime) {
    FakeServer server({"--first-token-ms", "60", "--slow-tokens", "20"});
    const auto [reply, pieces] = stream(server);
    ASSERT_TRUE(reply) << reply.error().describe();
    EXPECT_GE(reply->time_to_first_token, 60ms);
    EXPECT_GE(reply->total_time, 60ms + 5 * 20ms);
    EXPECT_LT(reply->time_to_first_token, reply->total_time);
}

TEST(Stream, ChunkedEncoding) {
    FakeServer server({"--chunked"});
    EXPECT_EQ(stream(server).reply.value().content, "The capital of France is Paris.");
}

TEST(Stream, KeepaliveCommentsAreNoContent) {
    FakeServer server({"--keepalive-comments"});
    const auto [reply, pieces] = stream(server);
    ASSERT_TRUE(reply) << reply.error().describe();
    EXPECT_EQ(pieces.size(), 6U);
}

TEST(Stream, WholeWithoutDone) {
    FakeServer server({"--no-done"});
    const auto reply = stream(server).reply;
    ASSERT_TRUE(reply) << reply.error().describe();
    EXPECT_EQ(reply->finish_reason, "stop");
}

class ToolCalls : public testing::TestWithParam<bool> {
protected:
    static Result<ChatReply> ask(const FakeServer& server) {
        return GetParam() ? stream(server).reply : complete(server);
    }
};

TEST_P(ToolCalls, AreReturned) {
    FakeServer server({"--tool-call"});
    const auto reply = ask(server);
    ASSERT_TRUE(reply) << reply.error().describe();
    ASSERT_EQ(reply->tool_calls.size(), 1U);
    EXPECT_EQ(reply->tool_calls[0].id, "call_1");
    EXPECT_EQ(reply->tool_calls[0].name, "get_weather");
    EXPECT_EQ(reply->tool_calls[0].arguments, R"({"city": "Paris"})");
    EXPECT_FALSE(reply->lost_tool_calls);
}

TEST_P(ToolCalls, ThatTheServerLostAreReported) {
    FakeServer server({"--lost-tool-calls"});
    const auto reply = ask(server);
    ASSERT_TRUE(reply) << reply.error().describe();
    EXPECT_TRUE(reply->lost_tool_calls);
}

TEST_P(ToolCalls, LogprobsToo) {
    FakeServer server({"--logprobs"});
    const auto reply = ask(server);
    ASSERT_TRUE(reply) << reply.error().describe();
    EXPECT_THAT(reply->logprobs, HasSubstr("top_logprobs"));
}

INSTANTIATE_TEST_SUITE_P(BothWays, ToolCalls, testing::Bool(), [](const auto& row) {
    return row.param ? "stream" : "complete";
});

TEST(Request, IsWhatTheServerSees) {
    FakeServer server({"--echo-request"});
    auto options = endpoint(server);
    options.request_defaults = {{"repetition_penalty", "1.1"}, {"temperature", "0.9"}};
    auto request = question();
    request.temperature = 0;
    request.seed = 42;
    request.extra = {{"chat_template_kwargs", R"({"enable_thinking":false})"}};
    const auto seen = client(options).complete(request);
    ASSERT_TRUE(seen) << seen.error().describe();
    EXPECT_EQ(
        seen->content,
        R"({"model":"fake-model","messages":[{"role":"user","content":"What is the capital of France?"}],)"
        R"("temperature":0,"seed":42,"chat_template_kwargs":{"enable_thinking":false},"repetition_penalty":1.1})"
    );
    EXPECT_THAT(
        stream(options, request).reply->content, HasSubstr(R"("stream":true,"stream_options")")
    );
}

TEST(Request, ThatCannotBeMadeIsNotSent) {
    FakeServer server({});
    auto request = question();
    request.extra = {{"user", "me"}};
    const auto reply = client(endpoint(server)).complete(request);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(server.requests(), 0);
}

TEST(ModelName, IsTheEndpointsFirst) {
    FakeServer server({"--echo-request"});
    auto options = endpoint(server);
    options.model.clear();
    EXPECT_THAT(
        client(options).complete(question())->content, HasSubstr(R"("model":"fake-model")")
    );
}

TEST(ModelName, AnEmptyListMeansTheDefaultModel) {
    FakeServer server({"--echo-request", "--empty-models"});
    auto options = endpoint(server);
    options.model.clear();
    const auto model = client(options);
    for (int i = 0; i < 2; ++i) {
        const auto reply = model.complete(question());
        ASSERT_TRUE(reply) << reply.error().describe();
        EXPECT_THAT(reply->content, HasSubstr(R"("model":"default_model")"));
    }
}

TEST(ModelName, OfTheRequestWins) {
    FakeServer server({"--echo-request"});
    auto request = question();
    request.model = "mine";
    EXPECT_THAT(
        client(endpoint(server)).complete(request)->content, HasSubstr(R"("model":"mine")")
    );
}

TEST(ApiKey, OpensTheDoor) {
    FakeServer server({"--require-key", "sk-secret"});
    auto options = endpoint(server);
    options.api_key = "sk-secret";
    const auto reply = client(options).complete(question());
    EXPECT_TRUE(reply) << reply.error().describe();
}

TEST(ApiKey, IsNeverShownEvenIfTheServerRepeatsIt) {
    FakeServer server(
        {"--status", "401", "--error-body", R"({"error":{"message":"wrong key: sk-secret"}})"}
    );
    auto options = endpoint(server);
    options.api_key = "sk-secret";
    for (const auto& reply : {client(options).complete(question()), stream(options).reply}) {
        ASSERT_FALSE(reply);
        EXPECT_EQ(reply.error().http_status(), 401);
        EXPECT_THAT(reply.error().describe(), HasSubstr("wrong key: [API key]"));
        EXPECT_THAT(reply.error().describe(), Not(HasSubstr("sk-secret")));
    }
}

TEST(ChatModel, ManyThreadsShareOne) {
    FakeServer server({"--echo-request"});
    const auto model = client(endpoint(server));
    std::vector<std::future<Result<ChatReply>>> replies;
    replies.reserve(8);
    for (int i = 0; i < 8; ++i) {
        replies.push_back(std::async(std::launch::async, [&model, i] {
            auto request = question();
            request.seed = static_cast<std::uint64_t>(1000 + i);
            return i % 2 == 0 ? model.complete(request) : model.stream(request, {});
        }));
    }
    for (int i = 0; i < 8; ++i) {
        const auto reply = replies[static_cast<std::size_t>(i)].get();
        ASSERT_TRUE(reply) << reply.error().describe();
        EXPECT_THAT(reply->content, HasSubstr("\"seed\":" + std::to_string(1000 + i)));
    }
}

}  // namespace
}  // namespace punie::openai
