// The parts of the control commands that need no gateway: bodies, tables, units, suites.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "cli/control_client.hpp"
#include "cli/control_view.hpp"
#include "cli/service_unit.hpp"
#include "cli/suite_from_capture.hpp"
#include "eval/suite.hpp"

namespace punie::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// ---------------------------------------------------------------- bodies

TEST(BodyDecoder, ChunksInAnyCutGiveTheSame) {
    const std::string bytes = "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: t\r\n\r\n";
    for (std::size_t step = 1; step <= bytes.size(); ++step) {
        BodyDecoder decoder(BodyDecoder::Kind::chunked, 0);
        std::string body;
        for (std::size_t at = 0; at < bytes.size(); at += step) {
            const auto piece = decoder.feed(std::string_view(bytes).substr(at, step));
            ASSERT_TRUE(piece) << step;
            body += *piece;
        }
        EXPECT_EQ(body, "hello world") << step;
        EXPECT_TRUE(decoder.done()) << step;
    }
}

TEST(BodyDecoder, AChunkedBodyThatStopsIsNotDone) {
    BodyDecoder decoder(BodyDecoder::Kind::chunked, 0);
    EXPECT_EQ(*decoder.feed("5\r\nhello\r\n"), "hello");
    EXPECT_FALSE(decoder.done());
    EXPECT_FALSE(decoder.may_end());
}

TEST(BodyDecoder, ASizeThatIsNoneIsAnError) {
    for (const auto* bytes : {"\r\n", "xyz\r\n", "-1\r\n", " 5\r\n", "fffffffffffffffff\r\n"}) {
        BodyDecoder decoder(BodyDecoder::Kind::chunked, 0);
        EXPECT_FALSE(decoder.feed(bytes)) << bytes;
    }
}

TEST(BodyDecoder, CountedEndsWhereItSays) {
    BodyDecoder decoder(BodyDecoder::Kind::counted, 3);
    EXPECT_EQ(*decoder.feed("ab"), "ab");
    EXPECT_FALSE(decoder.may_end());
    EXPECT_EQ(*decoder.feed("cdef"), "c");
    EXPECT_TRUE(decoder.done());
    EXPECT_TRUE(BodyDecoder(BodyDecoder::Kind::counted, 0).done());
}

TEST(BodyDecoder, WithoutALengthItGoesToTheEnd) {
    BodyDecoder decoder(BodyDecoder::Kind::to_end, 0);
    EXPECT_EQ(*decoder.feed("abc"), "abc");
    EXPECT_FALSE(decoder.done());
    EXPECT_TRUE(decoder.may_end());
}

TEST(Encoded, LeavesNamesReadable) {
    EXPECT_EQ(encoded("org/model-1.5_b:home"), "org/model-1.5_b:home");
    EXPECT_EQ(encoded("a b?c#d%"), "a%20b%3Fc%23d%25");
    EXPECT_EQ(encoded("\xc3\xa9"), "%C3%A9");
}

TEST(ControlError, HasTheCodeTheHintAndTheLog) {
    const auto error = control_error(
        *parse_json(
            R"({"error":{"code":"exited","message":"it ended","hint":"look","log":["a","\u001b[1mb"]}})"
        ),
        503
    );
    EXPECT_EQ(error.code(), ErrorCode::exited);
    EXPECT_EQ(error.message(), "it ended");
    EXPECT_EQ(error.hint(), "look");
    EXPECT_THAT(error.log_tail(), ElementsAre("a", "b"));
    EXPECT_EQ(control_error(json::value{}, 502).code(), ErrorCode::http_status);
    EXPECT_EQ(
        control_error(*parse_json(R"({"error":{"code":"control_not_allowed","message":"m"}})"), 403)
            .code(),
        ErrorCode::http_status
    );
}

// ---------------------------------------------------------------- tables

TEST(Aligned, CountsCharactersNotBytes) {
    EXPECT_THAT(
        aligned({{"A", "B"}, {"\xc3\xa9\xc3\xa9", "x"}, {"abc", ""}}),
        ElementsAre("A    B", "\xc3\xa9\xc3\xa9   x", "abc")
    );
    EXPECT_THAT(aligned({}), IsEmpty());
}

TEST(ModelTable, ShowsWhyAModelFailedAndNoControlBytes) {
    const auto ps = *parse_json(
        R"({"pid":7,"memory":{"used":1000000000,"budget":2000000000},"models":[)"
        R"({"name":"a","state":"ready","memory":5000000,"running":2,"waiting":3,"served":9,"pid":12},)"
        R"({"name":"b\u001b[2J","state":"failed","memory":0,"memory_needed":8000000000,"running":0,)"
        R"("waiting":0,"served":0,"pinned":true,"reason":"r","error":{"message":"it ended"}}]})"
    );
    const Terminal terminal;
    const auto lines = model_table(ps, terminal);
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_THAT(lines[1], HasSubstr("ready"));
    EXPECT_THAT(lines[1], HasSubstr("2+3"));
    EXPECT_THAT(lines[2], HasSubstr("b *"));
    EXPECT_THAT(lines[2], HasSubstr("(8.00 GB)"));
    EXPECT_THAT(lines[2], HasSubstr("it ended"));
    EXPECT_THAT(memory_line(ps), HasSubstr("1.00 GB of 2.00 GB"));
    for (const auto& line : lines) EXPECT_THAT(line, Not(HasSubstr("[2J")));
}

TEST(ModelTable, OfNothingIsItsHeading) {
    const Terminal terminal;
    EXPECT_EQ(model_table(json::object{}, terminal).size(), 1U);
    EXPECT_EQ(live_table(json::object{}).size(), 1U);
    EXPECT_EQ(memory_line(json::object{}), "");
}

// ---------------------------------------------------------------- units

TEST(SystemdWord, IsReadBackAsItWas) {
    EXPECT_EQ(systemd_word("/usr/bin/punie"), "\"/usr/bin/punie\"");
    EXPECT_EQ(systemd_word("a b"), "\"a b\"");
    EXPECT_EQ(systemd_word("100%"), "\"100%%\"");
    EXPECT_EQ(systemd_word("$HOME"), "\"$$HOME\"");
    EXPECT_EQ(systemd_word("say \"hi\" \\"), R"("say \"hi\" \\")");
}

TEST(LaunchdJob, EscapesXml) {
    const auto job = launchd_job({"/bin/punie", {"serve", "/a & b/<c>.yaml"}, "/bin", "/log"});
    EXPECT_THAT(job, HasSubstr("<string>/a &amp; b/&lt;c&gt;.yaml</string>"));
    EXPECT_THAT(job, HasSubstr("<key>KeepAlive</key>"));
    EXPECT_EQ(job.find("<array>") < job.find("</array>"), true);
}

// ---------------------------------------------------------------- suites

std::string captured(
    const std::string& messages, const std::string& more, const std::string& answer
) {
    return fmt::format(
        R"({{"time":"t","route":"/v1/chat/completions","model":"tiny","request":{{"model":"tiny","messages":{}{}}},"answer":{{"choices":[{{"message":{}}}]}}}})"
        "\n",
        messages,
        more,
        answer
    );
}

const std::string hello = R"([{"role":"user","content":"Hello {{name}}"}])";
const std::string tools =
    R"(,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}])";

/// Made, read back, and returned as the suite that `punie eval` would ask.
eval::Suite made_suite(const std::string& lines, bool yaml) {
    FromCaptureOptions options;
    options.yaml = yaml;
    const auto made = suite_from_capture(lines, options);
    EXPECT_TRUE(made) << made.error().message();
    if (!made) return {};
    auto suite = eval::parse_suite(made->text, yaml ? "suite.yaml" : "suite.jsonl");
    EXPECT_TRUE(suite) << suite.error().message() << made->text;
    return suite ? *std::move(suite) : eval::Suite{};
}

class FromCapture : public testing::TestWithParam<bool> {};

TEST_P(FromCapture, AShortAnswerIsExpectedAgain) {
    const auto suite =
        made_suite(captured(hello, R"(,"temperature":0.5)", R"({"content":"Paris"})"), GetParam());
    ASSERT_EQ(suite.prompts.size(), 1U);
    EXPECT_THAT(to_text(suite.prompts[0].messages.at(0)), HasSubstr("Hello {{name}}"));
    ASSERT_EQ(suite.prompts[0].expect.size(), 1U);
    EXPECT_EQ(suite.prompts[0].expect[0].scorer, "contains");
    EXPECT_THAT(to_text(suite.prompts[0].expect[0].parameters), HasSubstr("Paris"));
}

TEST_P(FromCapture, ACallIsExpectedWithItsArguments) {
    const auto suite = made_suite(
        captured(
            hello,
            tools,
            R"({"content":null,"tool_calls":[{"function":{"name":"f","arguments":"{\"a\":\"{{x}}\",\"b\":[1]}"}}]})"
        ),
        GetParam()
    );
    ASSERT_EQ(suite.prompts.size(), 1U);
    EXPECT_EQ(suite.prompts[0].tools.size(), 1U);
    ASSERT_EQ(suite.prompts[0].expect.size(), 1U);
    EXPECT_EQ(suite.prompts[0].expect[0].scorer, "tool_call");
    EXPECT_THAT(to_text(suite.prompts[0].expect[0].parameters), HasSubstr("{{x}}"));
}

TEST_P(FromCapture, SeveralCallsInAnyOrder) {
    const auto suite = made_suite(
        captured(
            hello,
            tools,
            R"({"tool_calls":[{"function":{"name":"f","arguments":"{}"}},{"function":{"name":"f","arguments":"no json"}}]})"
        ),
        GetParam()
    );
    ASSERT_EQ(suite.prompts.size(), 1U);
    EXPECT_EQ(suite.prompts[0].expect[0].scorer, "tool_call");
}

TEST_P(FromCapture, ACallOfAToolThatWasNotOfferedIsNotExpected) {
    const auto suite = made_suite(
        captured(hello, tools, R"({"tool_calls":[{"function":{"name":"g","arguments":"{}"}}]})"),
        GetParam()
    );
    ASSERT_EQ(suite.prompts.size(), 1U);
    ASSERT_EQ(suite.prompts[0].expect.size(), 1U);
    EXPECT_EQ(suite.prompts[0].expect[0].scorer, "regex");
}

TEST_P(FromCapture, ToolsThatWereNotUsedAreNotToBeUsed) {
    const auto suite = made_suite(captured(hello, tools, R"({"content":"No need."})"), GetParam());
    ASSERT_EQ(suite.prompts.size(), 1U);
    ASSERT_EQ(suite.prompts[0].expect.size(), 2U);
    EXPECT_EQ(suite.prompts[0].expect[0].scorer, "no_tool_call");
}

TEST_P(FromCapture, TurnsOfOneConversationAreOneGroup) {
    const auto suite = made_suite(
        captured(hello, "", R"({"content":"Hi"})") +
            captured(
                R"([{"role":"user","content":"Hello {{name}}"},{"role":"assistant","content":"Hi"},{"role":"user","content":"And?"}])",
                "",
                R"({"content":"Nothing"})"
            ) +
            captured(R"([{"role":"user","content":"Other"}])", "", R"({"content":"Yes"})"),
        GetParam()
    );
    ASSERT_EQ(suite.prompts.size(), 3U);
    EXPECT_EQ(suite.prompts[0].group, suite.prompts[1].group);
    EXPECT_NE(suite.prompts[0].group, suite.prompts[2].group);
}

INSTANTIATE_TEST_SUITE_P(YamlAndJsonl, FromCapture, testing::Bool());

TEST(FromCaptureCounts, WhatIsLeftOut) {
    const auto line = captured(hello, "", R"({"content":"Hi"})");
    const auto made = suite_from_capture(
        line + line + "{torn\n" + R"({"route":"/v1/embeddings","request":{"input":"x"}})" + "\n" +
            captured(
                R"([{"role":"user","content":"Long"}])",
                "",
                fmt::format(R"({{"content":"{}"}})", std::string(200, 'x'))
            ),
        {}
    );
    ASSERT_TRUE(made);
    EXPECT_EQ(made->prompts, 2U);
    EXPECT_EQ(made->repeated, 1U);
    EXPECT_EQ(made->broken, 1U);
    EXPECT_EQ(made->no_chat, 1U);
    EXPECT_EQ(made->unjudged, 1U);
}

TEST(FromCaptureCounts, NothingUsableIsAnErrorWithTheNumbers) {
    const auto none = suite_from_capture("{torn\n", {});
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().message(), HasSubstr("1 lines that are no capture"));
    FromCaptureOptions other;
    other.model = "large";
    const auto wrong_model = suite_from_capture(captured(hello, "", R"({"content":"Hi"})"), other);
    ASSERT_FALSE(wrong_model);
    EXPECT_THAT(wrong_model.error().message(), HasSubstr("none for model large"));
}

TEST(FromCaptureCounts, ALimitIsKept) {
    FromCaptureOptions options;
    options.limit = 1;
    const auto made = suite_from_capture(
        captured(hello, "", R"({"content":"Hi"})") +
            captured(R"([{"role":"user","content":"Other"}])", "", R"({"content":"Yes"})"),
        options
    );
    ASSERT_TRUE(made);
    EXPECT_EQ(made->prompts, 1U);
}

}  // namespace
}  // namespace punie::cli
