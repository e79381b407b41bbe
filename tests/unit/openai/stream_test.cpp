#include "openai/stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "openai/sse.hpp"

namespace punie::openai {
namespace {

using testing::HasSubstr;

SseEvent event(std::string data) {
    return {"message", std::move(data), ""};
}

std::string chunk(const std::string& delta, const std::string& more = "") {
    return R"({"model":"m","choices":[{"index":0)" + more + R"(,"delta":)" + delta + "}]}";
}

const std::string stop_chunk = R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})";
const std::string tools_chunk =
    R"({"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]})";

/// The deltas' texts of all events, the reader left as it is then.
std::string feed(StreamReader& reader, const std::vector<std::string>& data) {
    std::string texts;
    for (const auto& one : data) {
        auto delta = reader.add(event(one));
        EXPECT_TRUE(delta) << delta.error().message();
        if (delta && *delta) texts += "[" + (*delta)->reasoning + "|" + (*delta)->content + "]";
    }
    return texts;
}

ChatReply reply_of(const std::vector<std::string>& data) {
    StreamReader reader;
    feed(reader, data);
    auto reply = reader.finish();
    EXPECT_TRUE(reply) << reply.error().message();
    return reply.value_or(ChatReply{});
}

TEST(StreamReader, PutsTextsTogether) {
    StreamReader reader;
    EXPECT_FALSE(reader.begun());
    EXPECT_EQ(feed(reader, {chunk(R"({"role":"assistant"})")}), "");
    EXPECT_FALSE(reader.begun()) << "a role is no token";
    EXPECT_EQ(
        feed(
            reader,
            {chunk(R"({"reasoning":"hm"})"),
             chunk(R"({"reasoning_content":"!"})"),
             chunk(R"({"content":"The"})"),
             chunk(R"({"content":" end"})"),
             stop_chunk}
        ),
        "[hm|][!|][|The][| end]"
    );
    EXPECT_TRUE(reader.begun());
    EXPECT_TRUE(reader.finished());
    EXPECT_FALSE(reader.done());
    feed(reader, {R"({"choices":[],"usage":{"prompt_tokens":4,"completion_tokens":2}})", "[DONE]"});
    EXPECT_TRUE(reader.done());
    const auto reply = reader.finish();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->content, "The end");
    EXPECT_EQ(reply->reasoning, "hm!");
    EXPECT_EQ(reply->finish_reason, "stop");
    EXPECT_EQ(reply->model, "m");
    EXPECT_EQ(reply->usage->completion_tokens, 2);
    EXPECT_THAT(reply->raw, HasSubstr("prompt_tokens"));
}

TEST(StreamReader, ToolCallInPieces) {
    const auto reply = reply_of({
        chunk(R"({"tool_calls":[{"index":0,"id":"1","function":{"name":"f","arguments":""}}]})"),
        chunk(R"({"tool_calls":[{"index":1,"id":"2","function":{"name":"g","arguments":"{}"}}]})"),
        chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]})"),
        chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":": 1}"}}]})"),
        tools_chunk,
        "[DONE]",
    });
    ASSERT_EQ(reply.tool_calls.size(), 2U);
    EXPECT_EQ(reply.tool_calls[0].id, "1");
    EXPECT_EQ(reply.tool_calls[0].name, "f");
    EXPECT_EQ(reply.tool_calls[0].arguments, R"({"a": 1})");
    EXPECT_EQ(reply.tool_calls[1].name, "g");
    EXPECT_EQ(reply.tool_calls[1].arguments, "{}");
    EXPECT_FALSE(reply.lost_tool_calls);
}

TEST(StreamReader, WholeToolCallsAtOnce) {
    const auto reply = reply_of({
        chunk(R"({"tool_calls":[{"index":0,"id":"1","function":{"name":"f","arguments":"{}"}},)"
              R"({"index":1,"id":"2","function":{"name":"g","arguments":{"b":2}}}]})"),
        tools_chunk,
    });
    ASSERT_EQ(reply.tool_calls.size(), 2U);
    EXPECT_EQ(reply.tool_calls[1].arguments, R"({"b":2})");
}

TEST(StreamReader, CallsThatAllHaveIndexZeroStayApart) {
    const auto reply = reply_of({
        chunk(R"({"tool_calls":[{"index":0,"id":"1","function":{"name":"f","arguments":"{}"}}]})"),
        chunk(R"({"tool_calls":[{"index":0,"id":"2","function":{"name":"f","arguments":"[]"}}]})"),
        tools_chunk,
    });
    ASSERT_EQ(reply.tool_calls.size(), 2U);
    EXPECT_EQ(reply.tool_calls[0].arguments, "{}");
    EXPECT_EQ(reply.tool_calls[1].arguments, "[]");
}

TEST(StreamReader, PiecesWithoutIndexBelongToTheLatestCall) {
    const auto reply = reply_of({
        chunk(R"({"tool_calls":[{"id":"1","function":{"name":"f","arguments":"{"}}]})"),
        chunk(R"({"tool_calls":[{"function":{"arguments":"}"}}]})"),
        chunk(R"({"tool_calls":[{"id":"2","function":{"name":"g","arguments":"[]"}}]})"),
        tools_chunk,
    });
    ASSERT_EQ(reply.tool_calls.size(), 2U);
    EXPECT_EQ(reply.tool_calls[0].arguments, "{}");
    EXPECT_EQ(reply.tool_calls[1].name, "g");
}

TEST(StreamReader, LostToolCallsAreSeen) {
    EXPECT_TRUE(reply_of({chunk(R"({"content":""})"), tools_chunk, "[DONE]"}).lost_tool_calls);
    EXPECT_FALSE(reply_of({chunk(R"({"content":"a"})"), stop_chunk, "[DONE]"}).lost_tool_calls);
}

TEST(StreamReader, GathersLogprobs) {
    const auto part = [](const char* token) {
        return std::string(R"(,"logprobs":{"content":[{"token":")") + token +
               R"("}],"refusal":null})";
    };
    const auto reply = reply_of({
        chunk(R"({"content":"a"})", part("a")),
        chunk(R"({"content":"b"})", part("b")),
        chunk(R"({})", R"(,"logprobs":null)"),
        stop_chunk,
    });
    EXPECT_EQ(reply.logprobs, R"({"content":[{"token":"a"},{"token":"b"}],"refusal":null})");
}

TEST(StreamReader, OtherChoicesAreNotMixedIn) {
    const auto reply = reply_of({
        R"({"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"yes"}}]})",
        R"({"choices":[{"index":1,"delta":{"content":"no"},"finish_reason":"length"}]})",
        stop_chunk,
    });
    EXPECT_EQ(reply.content, "yes");
    EXPECT_EQ(reply.finish_reason, "stop");
}

TEST(StreamReader, NothingAfterDoneCounts) {
    EXPECT_EQ(
        reply_of({chunk(R"({"content":"a"})"), "[DONE]", chunk(R"({"content":"b"})"), "not json"})
            .content,
        "a"
    );
}

TEST(StreamReader, ATornStreamIsNoReply) {
    StreamReader reader;
    feed(reader, {chunk(R"({"content":"The capital"})")});
    const auto reply = reader.finish();
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), ErrorCode::protocol);
    EXPECT_THAT(reply.error().message(), HasSubstr("11 bytes of the answer"));
    EXPECT_THAT(reply.error().message(), HasSubstr("torn"));
}

TEST(StreamReader, AStreamWithoutAnyChoiceIsNoReply) {
    StreamReader reader;
    feed(reader, {R"({"choices":[],"usage":{"prompt_tokens":4}})", "[DONE]"});
    const auto reply = reader.finish();
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), ErrorCode::protocol);
    EXPECT_THAT(reply.error().message(), HasSubstr("no choice"));
}

TEST(StreamReader, AnEventThatIsNotJsonEndsIt) {
    StreamReader reader;
    const auto delta = reader.add(event(R"({"choices": [{"del)"));
    ASSERT_FALSE(delta);
    EXPECT_EQ(delta.error().code(), ErrorCode::protocol);
    EXPECT_THAT(delta.error().message(), HasSubstr("not JSON"));
}

TEST(StreamReader, AnErrorInMidStreamIsTheServersError) {
    StreamReader reader;
    const auto delta = reader.add(event(R"({"error":{"message":"out of memory","code":500}})"));
    ASSERT_FALSE(delta);
    EXPECT_EQ(delta.error().code(), ErrorCode::http_status);
    EXPECT_EQ(delta.error().http_status(), 500);
    EXPECT_THAT(delta.error().message(), HasSubstr("out of memory"));
    EXPECT_FALSE(StreamReader().add({"error", R"({"message":"gone"})", ""}));
}

TEST(StreamReader, OddShapesAreSurvived) {
    for (const auto* odd :
         {"null",
          "7",
          "[]",
          "{}",
          R"({"choices":7})",
          R"({"choices":[7]})",
          R"({"choices":[{"delta":7}]})",
          R"({"choices":[{"delta":{"tool_calls":[7,{}]}}]})",
          R"({"choices":[{"delta":{"content":7}}]})",
          R"({"usage":7,"choices":[]})",
          R"({"choices":[{"logprobs":{"content":7}}]})"}) {
        StreamReader reader;
        EXPECT_TRUE(reader.add(event(odd))) << odd;
    }
}

TEST(StreamReader, SaysHowFarItCame) {
    StreamReader reader;
    EXPECT_EQ(reader.progress(), "nothing of the answer");
    feed(reader, {chunk(R"({"tool_calls":[{"index":0,"function":{"name":"f"}}]})")});
    EXPECT_EQ(reader.progress(), "1 tool calls");
    feed(reader, {chunk(R"({"content":"abc"})")});
    EXPECT_EQ(reader.progress(), "3 bytes of the answer");
}

}  // namespace
}  // namespace punie::openai
