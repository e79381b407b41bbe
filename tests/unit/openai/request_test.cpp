#include "openai/request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/json.hpp"

namespace punie::openai {
namespace {

using testing::HasSubstr;
using testing::Not;

ChatRequest question() {
    ChatRequest request;
    request.messages = {{.role = "user", .content = "hi"}};
    return request;
}

std::string body_of(
    const ChatRequest& request,
    const BodyOptions& options = {.model = "m", .stream = false, .defaults = {}}
) {
    auto body = build_request_body(request, options);
    EXPECT_TRUE(body) << body.error().message();
    EXPECT_TRUE(parse_json(body.value_or(""))) << *body;
    return body.value_or("");
}

TEST(RequestBody, TheLeastIsModelAndMessages) {
    EXPECT_EQ(body_of(question()), R"({"model":"m","messages":[{"role":"user","content":"hi"}]})");
}

TEST(RequestBody, HoldsEverythingThatWasSet) {
    auto request = question();
    request.model = "other";
    request.max_tokens = 5;
    request.temperature = 0.0;
    request.top_p = 0.95;
    request.seed = std::numeric_limits<std::uint64_t>::max();
    request.logprobs = 3;
    request.stop = {"\n", "END"};
    request.extra = {{"repetition_penalty", "1.10"}, {"logit_bias", R"( {"5": -1} )"}};
    EXPECT_EQ(
        body_of(request),
        R"({"model":"other","messages":[{"role":"user","content":"hi"}],"max_tokens":5,"temperature":0,"top_p":0.95,)"
        R"("seed":18446744073709551615,"logprobs":true,"top_logprobs":3,"stop":["\n","END"],)"
        R"("logit_bias":{"5": -1},"repetition_penalty":1.10})"
    );
}

TEST(RequestBody, LogprobsWithoutAlternatives) {
    auto request = question();
    request.logprobs = 0;
    EXPECT_THAT(body_of(request), HasSubstr(R"("logprobs":true)"));
    EXPECT_THAT(body_of(request), Not(HasSubstr("top_logprobs")));
}

TEST(RequestBody, StreamsAskForUsage) {
    EXPECT_THAT(
        body_of(question(), {.model = "m", .stream = true, .defaults = {}}),
        HasSubstr(R"("stream":true,"stream_options":{"include_usage":true})")
    );
}

TEST(RequestBody, ToolsAndTheirCallsAndResults) {
    ChatRequest request;
    request.tools = {
        {.name = "get_weather",
         .description = "Weather \"now\"",
         .parameters = R"({"type":"object"})"}
    };
    request.messages = {
        {.role = "assistant",
         .content = "",
         .tool_calls = {{"call_1", "get_weather", R"({"city": "Paris"})"}, {"call_2", "f", ""}}},
        {.role = "tool", .content = "21 degrees", .tool_call_id = "call_1"},
    };
    EXPECT_EQ(
        body_of(request),
        R"({"model":"m","messages":[{"role":"assistant","content":"","tool_calls":[)"
        R"({"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\": \"Paris\"}"}},)"
        R"({"id":"call_2","type":"function","function":{"name":"f","arguments":""}}]},)"
        R"({"role":"tool","content":"21 degrees","tool_call_id":"call_1"}],)"
        R"("tools":[{"type":"function","function":{"name":"get_weather","description":"Weather \"now\"",)"
        R"("parameters":{"type":"object"}}}]})"
    );
}

TEST(RequestBody, TextsTravelUnharmed) {
    auto request = question();
    request.messages[0].content =
        "line\nbreak \"quotes\" \\ \t \x01 gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80";
    const auto body = parse_json(body_of(request));
    const auto& message = member(*body, "messages")->as_array().at(0);
    EXPECT_EQ(string_member(message, "content"), request.messages[0].content);
}

TEST(RequestBody, DefaultsFillOnlyWhatIsOpen) {
    auto request = question();
    request.temperature = 0.5;
    request.extra = {{"top_k", "4"}};
    const BodyOptions options{
        .model = "m",
        .stream = false,
        .defaults = {{"temperature", "0.9"}, {"top_k", "40"}, {"repetition_penalty", "1.1"}}
    };
    EXPECT_EQ(
        body_of(request, options),
        R"({"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0.5,"top_k":4,"repetition_penalty":1.1})"
    );
}

TEST(RequestBody, TheNewNameOfMaxTokensKeepsTheDefaultOut) {
    auto request = question();
    request.extra = {{"max_completion_tokens", "9"}};
    const BodyOptions options{.model = "m", .stream = false, .defaults = {{"max_tokens", "512"}}};
    EXPECT_THAT(body_of(request, options), Not(HasSubstr("\"max_tokens\"")));
}

TEST(RequestBody, AnExtraFieldMayStandInForAnOpenTypedOne) {
    auto request = question();
    request.extra = {{"temperature", "0.25"}};
    EXPECT_THAT(body_of(request), HasSubstr(R"("temperature":0.25)"));
}

struct Refusal {
    const char* name;
    std::function<void(ChatRequest&)> spoil;
    std::vector<std::string> words;
};

const Refusal refusals[] = {
    {"no_messages", [](auto& r) { r.messages.clear(); }, {"messages", "at least one"}},
    {"unknown_role",
     [](auto& r) { r.messages[0].role = "usr"; },
     {"messages[0].role", "`usr`", "user"}},
    {"content_not_utf8",
     [](auto& r) { r.messages[0].content = "a\xFF"; },
     {"messages[0].content", "UTF-8"}},
    {"stop_not_utf8", [](auto& r) { r.stop = {"ok", "\xC3("}; }, {"stop[1]", "UTF-8"}},
    {"tool_name_not_utf8",
     [](auto& r) { r.tools = {{"\xFF", "", "{}"}}; },
     {"tools[0].name", "UTF-8"}},
    {"tool_parameters",
     [](auto& r) { r.tools = {{"f", "", "{'a'}"}}; },
     {"tools[0].parameters", "{'a'}", "column 2"}},
    {"temperature_nan",
     [](auto& r) { r.temperature = std::nan(""); },
     {"temperature", "nan", "finite"}},
    {"top_p_infinite", [](auto& r) { r.top_p = INFINITY; }, {"top_p", "inf"}},
    {"extra_not_json",
     [](auto& r) { r.extra = {{"user", "me"}}; },
     {"extra.user", "`me`", "not JSON"}},
    {"extra_empty", [](auto& r) { r.extra = {{"user", ""}}; }, {"extra.user", "not JSON"}},
    {"extra_two_values",
     [](auto& r) { r.extra = {{"user", "1,\"x\":2"}}; },
     {"extra.user", "not JSON"}},
    {"extra_messages",
     [](auto& r) { r.extra = {{"messages", "[]"}}; },
     {"extra.messages", "give it once"}},
    {"extra_model", [](auto& r) { r.extra = {{"model", "\"x\""}}; }, {"extra.model", "give it once"}
    },
    {"extra_stream",
     [](auto& r) { r.extra = {{"stream", "true"}}; },
     {"extra.stream", "decided by the call"}},
    {"extra_clash",
     [](auto& r) {
         r.max_tokens = 3;
         r.extra = {{"max_tokens", "4"}};
     },
     {"extra.max_tokens", "`max_tokens`"}},
};

class RequestRefused : public testing::TestWithParam<Refusal> {};

TEST_P(RequestRefused, NamesTheField) {
    auto request = question();
    GetParam().spoil(request);
    const auto body = build_request_body(request, {.model = "m", .stream = false, .defaults = {}});
    ASSERT_FALSE(body) << *body;
    EXPECT_EQ(body.error().code(), ErrorCode::invalid_argument);
    for (const auto& word : GetParam().words) EXPECT_THAT(body.error().message(), HasSubstr(word));
}

INSTANTIATE_TEST_SUITE_P(Table, RequestRefused, testing::ValuesIn(refusals), [](const auto& row) {
    return std::string(row.param.name);
});

TEST(RequestBody, ADefaultThatIsNotJsonIsNamed) {
    const auto body = build_request_body(
        question(), {.model = "m", .stream = false, .defaults = {{"top_k", "forty"}}}
    );
    ASSERT_FALSE(body);
    EXPECT_THAT(body.error().message(), HasSubstr("request_defaults.top_k"));
    EXPECT_FALSE(check_json_fields({{"top_k", "forty"}}, "request_defaults"));
    EXPECT_TRUE(check_json_fields({{"top_k", "40"}}, "request_defaults"));
}

}  // namespace
}  // namespace punie::openai
