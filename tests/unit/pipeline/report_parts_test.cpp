// What a report shows of an answer: the calls as they were judged.

#include "pipeline/report_parts.hpp"

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "eval/score_run.hpp"

namespace punie::pipeline {
namespace {

constexpr auto suite_text = R"(suite: s
prompts:
  - id: warm
    prompt: Make it 21 degrees in the hall.
    tools:
      - type: function
        function:
          name: set_temperature
          parameters:
            type: object
            properties: {degrees: {type: integer}, room: {type: string}}
    expect:
      - tool_call: {name: set_temperature, arguments: {degrees: 21, room: "7"}}
)";

class ReportPartsTest : public ::testing::Test {
protected:
    void SetUp() override {
        auto made = TemporaryFolder::make();
        ASSERT_TRUE(made);
        folder_.emplace(*std::move(made));
        auto suite = eval::parse_suite(suite_text, "suite.yaml");
        ASSERT_TRUE(suite) << suite.error().describe();
        outcome_.suite = *std::move(suite);
        outcome_.responses = folder_->path() / "responses.jsonl";
    }

    eval::ResponseRecord record(const std::string& content, int sample = 0) const {
        const json::object message{{"role", "assistant"}, {"content", content}};
        return {
            .suite_hash = outcome_.suite.asked_hash,
            .prompt_id = "warm",
            .sample = sample,
            .response =
                json::object{
                    {"choices",
                     json::array{json::object{{"message", message}, {"finish_reason", "stop"}}}}
                }
        };
    }

    /// The samples that a report shows of these records.
    std::vector<report::Sample> shown(const std::vector<eval::ResponseRecord>& records) {
        std::string lines;
        for (const auto& one : records) lines.append(eval::to_line(one)).append("\n");
        EXPECT_TRUE(write_atomic(outcome_.responses, lines));
        auto scored = eval::score_responses(outcome_.suite, outcome_.responses);
        EXPECT_TRUE(scored) << scored.error().describe();
        outcome_.scored = *std::move(scored);
        auto prompts = report_prompts(outcome_.suite);
        const auto added = add_samples(prompts, outcome_, 0);
        EXPECT_TRUE(added) << added.error().describe();
        return prompts.front().samples;
    }

    std::optional<TemporaryFolder> folder_;
    EvalOutcome outcome_;
};

constexpr auto bare_text =
    "<tool_call>\n<function=set_temperature>\n<parameter=degrees>\n21\n</parameter>\n"
    "<parameter=room>\n7\n</parameter>\n</function>\n</tool_call>";

TEST_F(ReportPartsTest, BareTextHasTheTypesThatTheToolDeclares) {
    const auto samples = shown({record(bare_text)});
    ASSERT_EQ(samples.size(), 1U);
    EXPECT_TRUE(samples[0].passed) << samples[0].reason;
    ASSERT_EQ(samples[0].calls.size(), 1U);
    EXPECT_EQ(samples[0].calls[0].path, "qwen_xml");
    EXPECT_EQ(samples[0].calls[0].arguments, R"({"degrees":21,"room":"7"})");
}

TEST_F(ReportPartsTest, EachSampleHasItsOwnAnswer) {
    const auto samples = shown({record("second", 1), record(bare_text, 0), record("third", 2)});
    ASSERT_EQ(samples.size(), 3U);
    EXPECT_EQ(samples[0].calls.size(), 1U);
    EXPECT_EQ(samples[1].text, "second");
    EXPECT_EQ(samples[2].text, "third");
}

TEST_F(ReportPartsTest, TheLastAnswerOfASampleIsShown) {
    const auto samples = shown({record(bare_text), record("no call")});
    ASSERT_EQ(samples.size(), 1U);
    EXPECT_TRUE(samples[0].calls.empty());
    EXPECT_EQ(samples[0].text, "no call");
}

}  // namespace
}  // namespace punie::pipeline
