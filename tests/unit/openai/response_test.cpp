#include "openai/response.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"

namespace punie::openai {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// As mlx-lm 0.32.2 answers.
constexpr auto mlx_answer =
    R"({"id": "chatcmpl-1", "system_fingerprint": "0.32.2", "object": "chat.completion", "model": "default_model",)"
    R"( "created": 1753000000, "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant",)"
    R"( "content": "Paris."}}], "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}})";

TEST(Reply, OfMlxLm) {
    const auto reply = reply_from_body(mlx_answer);
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_EQ(reply->content, "Paris.");
    EXPECT_EQ(reply->finish_reason, "stop");
    EXPECT_EQ(reply->model, "default_model");
    EXPECT_EQ(reply->usage->prompt_tokens, 7);
    EXPECT_EQ(reply->usage->completion_tokens, 3);
    EXPECT_FALSE(reply->lost_tool_calls);
    EXPECT_EQ(reply->logprobs, "");
    EXPECT_EQ(reply->raw, mlx_answer);
}

Result<ChatReply> with_message(const std::string& message, const std::string& finish = "stop") {
    return reply_from_body(
        R"({"choices":[{"finish_reason":")" + finish + R"(","message":)" + message + "}]}"
    );
}

TEST(Reply, ReasoningUnderEitherName) {
    EXPECT_EQ(with_message(R"({"content":"a","reasoning":"hm"})")->reasoning, "hm");
    EXPECT_EQ(with_message(R"({"content":"a","reasoning_content":"hm"})")->reasoning, "hm");
    EXPECT_EQ(with_message(R"({"content":"a","reasoning":null})")->reasoning, "");
}

TEST(Reply, ContentOfPartsIsJoined) {
    EXPECT_EQ(
        with_message(
            R"({"content":[{"type":"text","text":"a"},{"type":"image"},{"type":"text","text":"b"}]})"
        )
            ->content,
        "ab"
    );
}

TEST(Reply, ToolCalls) {
    const auto reply = with_message(
        R"({"content":null,"tool_calls":[{"id":"1","function":{"name":"f","arguments":"{\"a\": 1"}},)"
        R"({"function":{"name":"g","arguments":{"b":[2]}}},{"id":"3"},7]})",
        "tool_calls"
    );
    ASSERT_TRUE(reply);
    ASSERT_EQ(reply->tool_calls.size(), 2U);
    EXPECT_EQ(reply->tool_calls[0].id, "1");
    EXPECT_EQ(reply->tool_calls[0].name, "f");
    EXPECT_EQ(reply->tool_calls[0].arguments, R"({"a": 1)")
        << "broken JSON is the caller's to judge";
    EXPECT_EQ(reply->tool_calls[1].arguments, R"({"b":[2]})");
    EXPECT_FALSE(reply->lost_tool_calls);
    EXPECT_EQ(reply->content, "");
}

TEST(Reply, ToolCallsThatTheServerLostAreSeen) {
    EXPECT_TRUE(
        with_message(R"({"role":"assistant","content":null})", "tool_calls")->lost_tool_calls
    );
    EXPECT_TRUE(with_message(R"({"content":"","tool_calls":[]})", "tool_calls")->lost_tool_calls);
    EXPECT_FALSE(with_message(R"({"content":""})", "stop")->lost_tool_calls);
}

TEST(Reply, LogprobsAreKeptAsJson) {
    const auto reply = reply_from_body(
        R"({"choices":[{"logprobs":{"content":[{"token":"a","logprob":-1}]},"message":{}}]})"
    );
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->logprobs, R"({"content":[{"token":"a","logprob":-1}]})");
    EXPECT_EQ(reply->finish_reason, "");
}

struct Bad {
    const char* name;
    const char* body;
    ErrorCode code;
    const char* words;
};

const Bad bad_bodies[] = {
    {"empty", "", ErrorCode::protocol, "not JSON"},
    {"half", R"({"choices":[{"mess)", ErrorCode::protocol, "not JSON"},
    {"html", "<html><body>nginx</body></html>", ErrorCode::protocol, "nginx"},
    {"not_utf8",
     "{\"choices\":[{\"message\":{\"content\":\"\xFF\"}}]}",
     ErrorCode::protocol,
     "not JSON"},
    {"no_choices", R"({"usage":{}})", ErrorCode::protocol, "no choices"},
    {"empty_choices",
     R"({"choices":[],"usage":{"prompt_tokens":1}})",
     ErrorCode::protocol,
     "no choices"},
    {"null_choices", R"({"choices":null})", ErrorCode::protocol, "no choices"},
    {"choices_of_numbers", R"({"choices":[1]})", ErrorCode::protocol, "no message"},
    {"choice_without_message", R"({"choices":[{"text":"a"}]})", ErrorCode::protocol, "no message"},
    {"array", "[]", ErrorCode::protocol, "no choices"},
    {"error_under_200",
     R"({"error":{"message":"out of slots"}})",
     ErrorCode::http_status,
     "out of slots"},
};

class ReplyRefused : public testing::TestWithParam<Bad> {};

TEST_P(ReplyRefused, SaysWhatCameInstead) {
    const auto reply = reply_from_body(GetParam().body);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), GetParam().code);
    EXPECT_THAT(reply.error().message(), HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(Table, ReplyRefused, testing::ValuesIn(bad_bodies), [](const auto& row) {
    return std::string(row.param.name);
});

struct ErrorRow {
    const char* name;
    const char* body;
    const char* message;
};

const ErrorRow error_rows[] = {
    {"openai", R"({"error":{"message":"bad key","type":"auth"}})", "status 500: bad key"},
    {"mlx_lm", R"({"error":"Not Found"})", "status 500: Not Found"},
    {"fastapi_text", R"({"detail":"no such model"})", "status 500: no such model"},
    {"fastapi_list",
     R"({"detail":[{"loc":["body","n"],"msg":"too big"},{"msg":"and odd"}]})",
     R"(status 500: ["body","n"]: too big; and odd)"},
    {"vllm", R"({"object":"error","message":"too long","code":400})", "status 500: too long"},
    {"error_without_message", R"({"error":{"code":7}})", R"(status 500: {"code":7})"},
    {"plain_text", "upstream \x1b[31mgone\x1b[0m\n", "status 500: upstream gone"},
    {"other_json", "[1]", "status 500: [1]"},
    {"nothing", "", "status 500 and no message"},
};

class ErrorBody : public testing::TestWithParam<ErrorRow> {};

TEST_P(ErrorBody, GivesTheServersMessage) {
    const auto error = error_from_answer(500, GetParam().body);
    EXPECT_EQ(error.code(), ErrorCode::http_status);
    EXPECT_EQ(error.http_status(), 500);
    EXPECT_THAT(error.message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(Table, ErrorBody, testing::ValuesIn(error_rows), [](const auto& row) {
    return std::string(row.param.name);
});

TEST(ErrorBody, ALongPageIsCut) {
    EXPECT_LT(error_from_answer(502, std::string(100'000, 'x')).message().size(), 400U);
}

TEST(ErrorBody, AMissingKeyHasAHint) {
    EXPECT_THAT(error_from_answer(401, "").hint(), HasSubstr("API key"));
    EXPECT_EQ(error_from_answer(500, "").hint(), "");
}

TEST(Models, IdsInOrder) {
    EXPECT_THAT(
        model_ids(R"({"data":[{"id":"/m/a"},{"id":""},{"no":1},{"id":"b"}]})"),
        ElementsAre("/m/a", "b")
    );
}

TEST(Models, AnythingElseIsNone) {
    for (const auto* body : {"", "null", "[]", R"({"data":{}})", "<html>", R"({"data":[]})"}) {
        EXPECT_THAT(model_ids(body), IsEmpty()) << body;
    }
}

TEST(Redacted, TheKeyIsInNoText) {
    auto error = Error(ErrorCode::http_status, "key sk-secret is wrong: sk-secret")
                     .with_hint("look at sk-secret")
                     .with_exit_status("exit code 2")
                     .with_log({"line"})
                     .with_http_status(401);
    const auto clean = redacted(std::move(error), "sk-secret");
    EXPECT_THAT(clean.describe(), Not(HasSubstr("sk-secret")));
    EXPECT_EQ(clean.message(), "key [API key] is wrong: [API key]");
    EXPECT_EQ(clean.code(), ErrorCode::http_status);
    EXPECT_EQ(clean.http_status(), 401);
    EXPECT_EQ(clean.exit_status(), "exit code 2");
    EXPECT_THAT(clean.log_tail(), ElementsAre("line"));
}

TEST(Redacted, WithoutAKeyNothingChanges) {
    EXPECT_EQ(redacted(Error(ErrorCode::io, "as it was"), "").message(), "as it was");
}

}  // namespace
}  // namespace punie::openai
