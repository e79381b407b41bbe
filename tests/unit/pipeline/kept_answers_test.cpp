// Answers from the moment they come: in the file at once, judged once, in the journal in batches.

#include "pipeline/kept_answers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/text.hpp"
#include "eval/suite.hpp"

namespace punie::pipeline {
namespace {

using eval::SampleState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto suite_text = R"(suite: s
prompts:
  - {id: a, prompt: "A?", expect: [{contains: right}]}
  - {id: b, prompt: "B?", group: g, category: c, expect: [{contains: right}]}
)";

class KeptAnswersTest : public ::testing::Test {
protected:
    void SetUp() override {
        auto made = TemporaryFolder::make();
        ASSERT_TRUE(made);
        folder_.emplace(*std::move(made));
        auto suite = eval::parse_suite(suite_text, "suite.yaml");
        ASSERT_TRUE(suite) << suite.error().describe();
        suite_ = *std::move(suite);
        auto journal = journal::Journal::open(folder_->path() / "journal");
        ASSERT_TRUE(journal) << journal.error().describe();
        journal_.emplace(*std::move(journal));
        journal::Run run;
        run.kind = "eval";
        auto begun = journal_->begin(run);
        ASSERT_TRUE(begun) << begun.error().describe();
        run_ = begun->id;
    }

    std::filesystem::path file() const { return folder_->path() / "responses.jsonl"; }

    KeptAnswers kept() {
        KeptAnswers answers(suite_, *journal_, run_);
        const auto opened = answers.open(file());
        EXPECT_TRUE(opened) << opened.error().describe();
        return answers;
    }

    eval::ResponseRecord record(std::size_t prompt, const std::string& text) const {
        eval::ResponseRecord record{
            .suite_hash = suite_.asked_hash,
            .prompt_id = suite_.prompts[prompt].id,
            .request = {{"model", "m"}},
            .state = text.empty() ? SampleState::failed : SampleState::answered
        };
        if (text.empty()) {
            record.error = "the server is gone";
            return record;
        }
        const json::object message{{"role", "assistant"}, {"content", text}};
        record.response = json::object{
            {"choices", json::array{json::object{{"message", message}, {"finish_reason", "stop"}}}}
        };
        return record;
    }

    /// "a passed", "b failed" ... of the journal.
    std::vector<std::string> rows() {
        std::vector<std::string> words;
        const auto rows = journal_->answers(run_);
        EXPECT_TRUE(rows) << rows.error().describe();
        for (const auto& row : *rows)
            words.push_back(row.prompt + " " + row.state + (row.passed ? " passed" : ""));
        return words;
    }

    std::size_t lines() const { return split_lines(read_text(file()).value_or("")).size(); }

    static std::vector<eval::PlannedRequest> both() {
        std::vector<eval::PlannedRequest> requests(2);
        requests[1].prompt = 1;
        return requests;
    }

    std::optional<TemporaryFolder> folder_;
    eval::Suite suite_;
    std::optional<journal::Journal> journal_;
    std::string run_;
};

TEST_F(KeptAnswersTest, InTheFileAtOnceInTheJournalWithTheBatch) {
    auto answers = kept();
    ASSERT_TRUE(answers.keep(record(1, "right"), 1));
    EXPECT_EQ(lines(), 1U);
    EXPECT_TRUE(answers.newest().passed);
    EXPECT_THAT(rows(), IsEmpty());
    ASSERT_TRUE(answers.to_journal());
    EXPECT_THAT(rows(), ElementsAre("b answered passed"));
}

TEST_F(KeptAnswersTest, WhatWasNotAskedIsSaidInTheEnd) {
    auto answers = kept();
    ASSERT_TRUE(answers.keep(record(1, "wrong"), 1));
    const auto scored = answers.finish(both());
    ASSERT_TRUE(scored) << scored.error().describe();
    ASSERT_EQ(scored->samples.size(), 2U);
    EXPECT_EQ(scored->samples[0].state, SampleState::not_asked);
    EXPECT_EQ(scored->samples[1].state, SampleState::answered);
    EXPECT_THAT(rows(), ElementsAre("a not_asked", "b answered"));
}

TEST_F(KeptAnswersTest, WhatAKillKeptFromTheJournalComesWithTheNextAttempt) {
    {
        auto killed = kept();
        ASSERT_TRUE(killed.keep(record(0, "right"), 0));
    }
    EXPECT_THAT(rows(), IsEmpty());
    auto answers = kept();
    EXPECT_TRUE(answers.is_finished("a", 0));
    EXPECT_FALSE(answers.is_finished("b", 0));
    ASSERT_TRUE(answers.keep(record(1, "right"), 1));
    const auto scored = answers.finish(both());
    ASSERT_TRUE(scored) << scored.error().describe();
    EXPECT_THAT(rows(), ElementsAre("a answered passed", "b answered passed"));
    EXPECT_EQ(scored->samples.size(), 2U);
}

TEST_F(KeptAnswersTest, AnAnswerCountsMoreThanAFailureBeforeOrAfterIt) {
    {
        auto killed = kept();
        ASSERT_TRUE(killed.keep(record(0, ""), 0));
        ASSERT_TRUE(killed.keep(record(1, "right"), 1));
    }
    auto answers = kept();
    EXPECT_FALSE(answers.is_finished("a", 0));
    ASSERT_TRUE(answers.keep(record(0, "right"), 0));
    ASSERT_TRUE(answers.keep(record(1, ""), 1));
    const auto scored = answers.finish(both());
    ASSERT_TRUE(scored) << scored.error().describe();
    EXPECT_TRUE(scored->samples[0].passed);
    EXPECT_TRUE(scored->samples[1].passed);
    EXPECT_THAT(rows(), ElementsAre("a answered passed", "b answered passed"));
}

TEST_F(KeptAnswersTest, AnswersToAnotherSuiteAreRefused) {
    auto other = record(0, "right");
    other.suite_hash = "another";
    ASSERT_TRUE(write_atomic(file(), eval::to_line(other) + "\n"));
    KeptAnswers answers(suite_, *journal_, run_);
    const auto opened = answers.open(file());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(opened.error().message(), HasSubstr("another suite"));
}

}  // namespace
}  // namespace punie::pipeline
