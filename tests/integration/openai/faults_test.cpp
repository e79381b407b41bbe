// Servers that misbehave: each row of the table is one misbehaviour, asked both ways where it
// concerns both.
#include <gmock/gmock.h>
#include <sys/socket.h>

#include "integration/openai/chat_fixture.hpp"

namespace punie::openai {
namespace {

using testing::HasSubstr;

enum class Ask { complete, stream };

struct Fault {
    const char* name;
    Ask ask;
    std::vector<std::string> flags;
    std::vector<ErrorCode> codes;
    std::vector<const char*> words;
    std::size_t pieces = 0;  // that came before the fault
};

const Fault faults[] = {
    {"bad_json", Ask::complete, {"--bad-json"}, {ErrorCode::protocol}, {"not JSON"}},
    {"empty_choices", Ask::complete, {"--empty-choices"}, {ErrorCode::protocol}, {"no choices"}},
    {"short_body", Ask::complete, {"--short-body"}, {ErrorCode::connection, ErrorCode::protocol}, {}
    },
    {"not_http",
     Ask::complete,
     {"--answer-garbage"},
     {ErrorCode::connection, ErrorCode::protocol},
     {}},
    {"dies",
     Ask::complete,
     {"--crash-on-request", "1"},
     {ErrorCode::connection, ErrorCode::protocol},
     {}},
    {"status_500",
     Ask::complete,
     {"--status", "500"},
     {ErrorCode::http_status},
     {"status 500", "fake error 500"}},
    {"status_404",
     Ask::complete,
     {"--status", "404", "--error-body", R"({"error":"no such model"})"},
     {ErrorCode::http_status},
     {"status 404", "no such model"}},
    {"status_400_detail",
     Ask::complete,
     {"--status", "400", "--error-body", R"({"detail":"bad field"})"},
     {ErrorCode::http_status},
     {"status 400: bad field"}},
    {"status_502_text",
     Ask::complete,
     {"--status", "502", "--error-body", "Bad Gateway"},
     {ErrorCode::http_status},
     {"status 502: Bad Gateway"}},

    {"stream_empty_choices", Ask::stream, {"--empty-choices"}, {ErrorCode::protocol}, {"no choice"}
    },
    {"stream_not_http",
     Ask::stream,
     {"--answer-garbage"},
     {ErrorCode::connection, ErrorCode::protocol},
     {}},
    {"stream_status_500",
     Ask::stream,
     {"--status", "500"},
     {ErrorCode::http_status},
     {"fake error 500"}},
    {"stream_torn", Ask::stream, {"--torn-stream"}, {ErrorCode::protocol}, {"torn", "11 bytes"}, 2},
    {"stream_torn_chunked",
     Ask::stream,
     {"--torn-stream", "--chunked"},
     {ErrorCode::connection, ErrorCode::protocol},
     {"torn", "11 bytes"},
     2},
    {"stream_reset",
     Ask::stream,
     {"--reset-stream"},
     {ErrorCode::connection, ErrorCode::protocol},
     {"torn"},
     2},
    {"stream_server_dies",
     Ask::stream,
     {"--die-mid-stream"},
     {ErrorCode::connection, ErrorCode::protocol},
     {"torn"},
     2},
    {"stream_malformed", Ask::stream, {"--malformed-sse"}, {ErrorCode::protocol}, {"not JSON"}, 2},
    {"stream_error_event",
     Ask::stream,
     {"--stream-error"},
     {ErrorCode::http_status},
     {"fake error in mid-stream"},
     2},
};

class Faults : public testing::TestWithParam<Fault> {};

TEST_P(Faults, AreErrorsThatSayWhatAndAreNotRepeated) {
    const auto& fault = GetParam();
    FakeServer server(fault.flags);
    Streamed result{ChatReply{}, {}};
    if (fault.ask == Ask::stream) {
        result = stream(server);
    } else {
        result.reply = complete(server);
    }
    ASSERT_FALSE(result.reply);
    const auto& error = result.reply.error();
    EXPECT_THAT(fault.codes, testing::Contains(error.code())) << error.describe();
    for (const auto* word : fault.words) EXPECT_THAT(error.message(), HasSubstr(word));
    EXPECT_EQ(result.pieces.size(), fault.pieces);
    EXPECT_EQ(server.requests(), 1);
}

INSTANTIATE_TEST_SUITE_P(Table, Faults, testing::ValuesIn(faults), [](const auto& row) {
    return std::string(row.param.name);
});

// ---- repeats ----

TEST(Repeat, UntilTheServerIsLessBusy) {
    FakeServer server({"--status", "429", "--status-times", "2"});
    const auto reply = complete(server);
    ASSERT_TRUE(reply) << reply.error().describe();
    EXPECT_EQ(reply->attempts, 3);
    EXPECT_EQ(server.requests(), 3);
}

TEST(Repeat, WhileAServerLoads) {
    FakeServer server({"--load-503-ms", "200"});
    const auto [reply, pieces] = stream(server);
    ASSERT_TRUE(reply) << reply.error().describe();
    EXPECT_GT(reply->attempts, 1);
    EXPECT_EQ(pieces.size(), 6U);
}

TEST(Repeat, NotBeforeRetryAfter) {
    FakeServer server({"--status", "503", "--status-times", "1", "--retry-after", "1"});
    const auto reply = complete(server);
    ASSERT_TRUE(reply) << reply.error().describe();
    EXPECT_GE(reply->total_time, 1s);
    EXPECT_EQ(reply->attempts, 2);
}

TEST(Repeat, EndsWithTheAttempts) {
    FakeServer server({"--status", "429"});
    auto options = endpoint(server);
    options.max_attempts = 2;
    const auto reply = client(options).complete(question());
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), ErrorCode::http_status);
    EXPECT_EQ(reply.error().http_status(), 429);
    EXPECT_THAT(reply.error().message(), HasSubstr("attempt 2"));
    EXPECT_EQ(server.requests(), 2);
}

TEST(Repeat, NotWhenTheTotalLimitWouldPass) {
    FakeServer server({"--status", "503", "--retry-after", "50"});
    auto options = endpoint(server);
    options.deadlines.total = 20s;
    const auto reply = client(options).complete(question());
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().http_status(), 503) << "the server's reason, not a timeout after 20 s";
    EXPECT_EQ(server.requests(), 1);
}

TEST(Repeat, WhileTheConnectionIsRefused) {
    FakeServer server({"--listen-after-ms", "200"}, "bound to ");
    const auto reply = complete(server);
    ASSERT_TRUE(reply) << reply.error().describe();
    EXPECT_GT(reply->attempts, 1);
}

TEST(Repeat, RefusedForGoodIsAConnectionError) {
    FakeServer server({"--listen-after-ms", "60000"}, "bound to ");
    auto options = endpoint(server);
    options.max_attempts = 2;
    options.model.clear();  // asks for the model's name first
    const auto reply = client(options).complete(question());
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), ErrorCode::connection);
    EXPECT_THAT(reply.error().message(), HasSubstr("refused"));
}

}  // namespace
}  // namespace punie::openai
