// Deadlines and cancellation.
#include <gmock/gmock.h>

#include <stdexcept>

#include "integration/openai/chat_fixture.hpp"

namespace punie::openai {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

EndpointOptions with_limits(const FakeServer& server, ChatDeadlines deadlines) {
    auto options = endpoint(server);
    options.deadlines = deadlines;
    return options;
}

void expect_timeout(const Result<ChatReply>& reply, const std::vector<std::string>& words) {
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), ErrorCode::timeout) << reply.error().describe();
    for (const auto& word : words) EXPECT_THAT(reply.error().message(), HasSubstr(word));
}

TEST(Limits, OfTheFirstTokenWhenNothingIsAnswered) {
    FakeServer server({"--never-ready"});
    const auto options = with_limits(server, {.first_token = 100ms});
    expect_timeout(client(options).complete(question()), {"0.10 s"});
    expect_timeout(stream(options).reply, {"0.10 s"});
    EXPECT_TRUE(server.wait_for("client-gone"));
}

TEST(Limits, OfTheFirstTokenAlthoughCommentsKeepComing) {
    FakeServer server({"--hang-first-token", "--keepalive-comments"});
    expect_timeout(
        stream(with_limits(server, {.first_token = 200ms, .between_tokens = 30s})).reply,
        {"first_token", "keep-alive"}
    );
    EXPECT_TRUE(server.wait_for("client-gone"));
}

TEST(Limits, BetweenTokens) {
    FakeServer server({"--hang-mid-stream"});
    const auto [reply, pieces] =
        stream(with_limits(server, {.first_token = 30s, .between_tokens = 100ms}));
    expect_timeout(reply, {"between_tokens", "11 bytes of the answer"});
    EXPECT_EQ(pieces.size(), 2U);
    EXPECT_TRUE(server.wait_for("client-gone"));
}

TEST(Limits, CommentsAreLifeBetweenTokens) {
    FakeServer server({"--hang-mid-stream", "--keepalive-comments"});
    const ChatDeadlines limits{.first_token = 30s, .between_tokens = 1s, .total = 2500ms};
    expect_timeout(
        stream(with_limits(server, limits)).reply, {"total limit", "11 bytes of the answer"}
    );
}

TEST(Limits, InAll) {
    FakeServer server({"--never-ready"});
    const auto options = with_limits(server, {.total = 100ms});
    expect_timeout(client(options).complete(question()), {"total limit", "nothing"});
    expect_timeout(stream(options).reply, {"total limit"});
}

TEST(Limits, InAllWhileWaitingToRepeat) {
    FakeServer server({"--listen-after-ms", "60000"}, "bound to ");
    auto options = with_limits(server, {.total = 1s});
    options.max_attempts = 1000;
    const auto reply = client(options).complete(question());
    ASSERT_FALSE(reply);
    // Whether the next wait is seen to be too long or the limit comes during an attempt: the reason
    // is in the message.
    EXPECT_THAT(reply.error().code(), AnyOf(ErrorCode::connection, ErrorCode::timeout));
    EXPECT_THAT(reply.error().message(), HasSubstr("refused"));
}

TEST(Limits, SlowTokensWithinThemAreFine) {
    FakeServer server({"--slow-tokens", "50"});
    EXPECT_TRUE(stream(with_limits(server, {.first_token = 30s, .between_tokens = 10s})).reply);
}

// ---- cancellation ----

void expect_cancelled(const Result<ChatReply>& reply) {
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), ErrorCode::cancelled) << reply.error().describe();
}

TEST(Cancel, BeforeItIsSent) {
    FakeServer server({});
    std::stop_source stop;
    stop.request_stop();
    expect_cancelled(client(endpoint(server)).complete(question(), stop.get_token()));
    EXPECT_EQ(server.requests(), 0);
}

class CancelWhileWaiting : public testing::TestWithParam<std::vector<std::string>> {};

/// From another thread, once the server has the request; the server sees its client go.
TEST_P(CancelWhileWaiting, EndsTheCallAndTheConnection) {
    for (const bool streams : {false, true}) {
        for (const auto total : {0s, 60s}) {
            FakeServer server(GetParam());
            auto options = endpoint(server);
            options.deadlines.total = total;
            std::stop_source stop;
            std::jthread canceller([&] {
                EXPECT_TRUE(server.wait_for("request 1"));
                stop.request_stop();
            });
            expect_cancelled(
                streams ? stream(options, question(), stop.get_token()).reply
                        : client(options).complete(question(), stop.get_token())
            );
            canceller.join();
            EXPECT_TRUE(server.wait_for("client-gone"));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    CancelWhileWaiting,
    testing::Values(
        std::vector<std::string>{"--never-ready"},
        std::vector<std::string>{"--first-token-ms", "60000"}
    ),
    [](const auto& row) { return row.index == 0 ? "for_the_header" : "for_the_body"; }
);

TEST(Cancel, WhileWaitingToRepeat) {
    FakeServer server({"--status", "503", "--retry-after", "50"});
    auto options = endpoint(server);
    options.deadlines.total = 0s;
    std::stop_source stop;
    std::jthread canceller([&] {
        EXPECT_TRUE(server.wait_for("request 1"));
        stop.request_stop();
    });
    expect_cancelled(client(options).complete(question(), stop.get_token()));
}

class CancelInADelta : public testing::TestWithParam<std::chrono::seconds> {};

TEST_P(CancelInADelta, ByTheStopToken) {
    FakeServer server({"--hang-mid-stream"});
    auto options = endpoint(server);
    options.deadlines = {.first_token = 30s, .between_tokens = GetParam(), .total = GetParam()};
    std::stop_source stop;
    int pieces = 0;
    const auto on_delta = [&](const ChatDelta&) {
        ++pieces;
        stop.request_stop();
    };
    expect_cancelled(client(options).stream(question(), on_delta, stop.get_token()));
    EXPECT_GE(pieces, 1);
    EXPECT_TRUE(server.wait_for("client-gone"));
}

TEST_P(CancelInADelta, ByAnException) {
    FakeServer server({"--hang-mid-stream"});
    auto options = endpoint(server);
    options.deadlines = {.first_token = 30s, .between_tokens = GetParam(), .total = GetParam()};
    int pieces = 0;
    const auto on_delta = [&](const ChatDelta&) {
        ++pieces;
        throw std::runtime_error("enough");
    };
    const auto model = client(options);
    const auto call = [&] { return model.stream(question(), on_delta).has_value(); };
    EXPECT_THROW(call(), std::runtime_error);
    EXPECT_EQ(pieces, 1) << "no delta after the exception";
    EXPECT_TRUE(server.wait_for("client-gone"));
}

INSTANTIATE_TEST_SUITE_P(Limits, CancelInADelta, testing::Values(0s, 60s), [](const auto& row) {
    return row.param.count() == 0 ? "without" : "with";
});

}  // namespace
}  // namespace punie::openai
