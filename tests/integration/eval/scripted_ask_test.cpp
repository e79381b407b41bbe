// The runner with answers from a script: what no server of ours would say.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "integration/eval/asking.hpp"

namespace punie::eval {
namespace {

using testing::HasSubstr;

Task<Asked> say(Asked asked) {
    co_return asked;
}

Ask always(Asked asked) {
    return [asked = std::move(asked)](const std::string&) { return say(asked); };
}

struct Row {
    const char* name;
    Asked asked;
    SampleState state;
    const char* error;
};

class Answer : public testing::TestWithParam<Row> {};

TEST_P(Answer, IsToldForWhatItIs) {
    Asking asking{.suite = made_suite(1), .ask = always(GetParam().asked)};
    const auto outcome = asking.run();
    ASSERT_TRUE(outcome);
    ASSERT_EQ(asking.records.size(), 1U);
    EXPECT_EQ(asking.records[0].state, GetParam().state) << asking.records[0].error;
    EXPECT_THAT(asking.records[0].error, HasSubstr(GetParam().error));
}

Asked ok(std::string body) {
    return {.status = 200, .body = std::move(body)};
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    Answer,
    testing::Values(
        Row{"Text",
            ok(R"({"choices":[{"message":{"content":"ok"},"finish_reason":"stop"}]})"),
            SampleState::answered,
            ""},
        Row{"NoFinishReason",
            ok(R"({"choices":[{"message":{"content":"ok"}}]})"),
            SampleState::answered,
            ""},
        Row{"EmptyText",
            ok(R"({"choices":[{"message":{"content":""},"finish_reason":"stop"}]})"),
            SampleState::answered,
            ""},
        Row{"TokenLimit",
            ok(R"({"choices":[{"message":{"content":"ok"},"finish_reason":"length"}]})"),
            SampleState::cut,
            ""},
        Row{"OpenThinking",
            ok(R"({"choices":[{"message":{"content":"<think>so"},"finish_reason":"stop"}]})"),
            SampleState::cut,
            ""},
        Row{"Created",
            {.status = 201, .body = R"({"choices":[{"message":{"content":"ok"}}]})"},
            SampleState::answered,
            ""},
        Row{"Empty", ok(""), SampleState::failed, "no JSON"},
        Row{"Html", ok("<html>"), SampleState::failed, "no JSON"},
        Row{"Half", ok(R"({"choices":[{"mess)"), SampleState::failed, "no JSON"},
        Row{"NoChoices", ok(R"({"choices":[]})"), SampleState::failed, "no choices"},
        Row{"NoObject", ok("[1]"), SampleState::failed, "no choices"},
        Row{"HiddenError",
            ok(R"({"error":{"message":"model is loading"}})"),
            SampleState::failed,
            "the answer is an error: model is loading"},
        Row{"HiddenErrorText", ok(R"({"error":"oom"})"), SampleState::failed, "an error: oom"},
        Row{"HiddenErrorWithoutWords", ok(R"({"error":{}})"), SampleState::failed, "is an error"},
        Row{"Redirect", {.status = 302, .failure = "status 302"}, SampleState::failed, "status 302"}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST(ScriptedAsk, AnAskThatWasCancelledByItselfIsNotRecorded) {
    Asking asking{.suite = made_suite(2), .ask = always({.cancelled = true})};
    const auto outcome = asking.run();
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(asking.records.empty());
    EXPECT_EQ(outcome->not_asked, 2U);
}

/// 429 with a Retry-After of a fifth of a second, then an answer.
TEST(ScriptedAsk, RetryAfterIsWaitedFor) {
    auto calls = std::make_shared<int>(0);
    Asking asking{.suite = made_suite(1)};
    asking.ask = [calls](const std::string&) {
        if (++*calls == 1)
            return say({.status = 429, .failure = "busy", .retry_after = Milliseconds(200)});
        return say(ok(R"({"choices":[{"message":{"content":"ok"}}]})"));
    };
    const auto outcome = asking.run();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(asking.count(SampleState::answered), 1U);
    EXPECT_GE(asking.records[0].seconds, 0.2);
    EXPECT_EQ(asking.records[0].attempts, 2);
}

}  // namespace
}  // namespace punie::eval
