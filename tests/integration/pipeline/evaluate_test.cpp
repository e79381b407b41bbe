// One evaluation over several attempts: what is asked, recorded and remembered of each.

#include "pipeline/evaluate.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "base/files.hpp"
#include "integration/eval/eval_server.hpp"

namespace punie::pipeline {
namespace {

using ::testing::HasSubstr;

constexpr int prompts = 12;

class EvaluateTest : public ::testing::Test {
protected:
    void SetUp() override {
        auto made = TemporaryFolder::make();
        ASSERT_TRUE(made);
        folder_.emplace(*std::move(made));
        std::string text = "suite: s\nprompts:\n";
        for (int i = 0; i < prompts; ++i)
            text += fmt::format(
                "  - {{id: p{0:02}, prompt: \"Question {0}\", expect: [{{contains: ok}}]}}\n", i
            );
        ASSERT_TRUE(write_atomic(suite(), text));
        auto journal = journal::Journal::open(folder_->path() / "journal");
        ASSERT_TRUE(journal) << journal.error().describe();
        journal_.emplace(*std::move(journal));
    }

    std::filesystem::path suite() const { return folder_->path() / "suite.yaml"; }

    /// As an experiment's stage: the same key is the same question, wherever it is asked.
    EvalOutcome evaluate_at(const std::string& url) {
        EvalJob job{
            .suite = suite(),
            .server = *make_server_config({.backend = BackendKind::openai, .url = url})
        };
        job.plan.model = "fake";
        job.runner.concurrency = 2;
        job.runner.attempts.max_attempts = 1;
        job.runner.give_up_after = 3;
        job.resume = true;
        job.key = "stage";
        auto outcome = evaluate(job, *journal_, {}, {});
        EXPECT_TRUE(outcome) << outcome.error().describe();
        return outcome ? *std::move(outcome) : EvalOutcome{};
    }

    /// What the journal remembers of the time that the run asked.
    double recorded_seconds(const std::string& run) {
        const auto found = journal_->find(run);
        EXPECT_TRUE(found) << found.error().describe();
        const auto results = parse_json(found->results_json);
        EXPECT_TRUE(results);
        return number_member(*results, "seconds").value_or(-1);
    }

    std::size_t rows(const std::string& run) {
        const auto answers = journal_->answers(run);
        EXPECT_TRUE(answers) << answers.error().describe();
        return static_cast<std::size_t>(
            std::ranges::count(*answers, "answered", &journal::AnswerRow::state)
        );
    }

    std::optional<TemporaryFolder> folder_;
    std::optional<journal::Journal> journal_;
};

TEST_F(EvaluateTest, AsksTheRestAndAddsTheTimesUp) {
    EvalOutcome first;
    {
        const test::EvalServer dying({"--exit-after", "5", "--delay-ms", "20"});
        first = evaluate_at(dying.url());
    }
    EXPECT_EQ(first.counts.answered, 5U);
    EXPECT_GT(first.counts.unanswered(), 0U);
    EXPECT_GT(first.seconds, 0.02);
    EXPECT_EQ(rows(first.run.id), 5U);
    EXPECT_DOUBLE_EQ(recorded_seconds(first.run.id), first.seconds);

    const test::EvalServer whole({"--delay-ms", "20"});
    const auto second = evaluate_at(whole.url());
    EXPECT_EQ(second.run.id, first.run.id);
    EXPECT_EQ(second.resumed, 5U);
    EXPECT_EQ(whole.stats().requests, prompts - 5);
    EXPECT_EQ(second.counts.answered, prompts);
    EXPECT_EQ(second.counts.passed, prompts);
    EXPECT_GT(second.seconds, first.seconds);
    EXPECT_EQ(rows(second.run.id), prompts);

    const auto third = evaluate_at(whole.url());
    EXPECT_EQ(whole.stats().requests, prompts - 5);
    EXPECT_DOUBLE_EQ(third.seconds, second.seconds);
    EXPECT_DOUBLE_EQ(recorded_seconds(third.run.id), second.seconds);
}

TEST_F(EvaluateTest, WhatTheJournalLacksOfAKilledPunieComesBackFromTheFile) {
    const test::EvalServer server;
    const auto first = evaluate_at(server.url());
    ASSERT_EQ(first.counts.answered, prompts);
    // As it is after a kill before the journal's first batch: answers in the file, nothing else.
    journal::Run killed;
    killed.kind = "eval";
    killed.key = "stage";
    const auto begun = journal_->begin(killed);
    ASSERT_TRUE(begun) << begun.error().describe();
    const auto folder = journal_->run_folder(begun->id);
    ASSERT_TRUE(folder) << folder.error().describe();
    std::filesystem::copy_file(first.responses, *folder / "responses.jsonl");
    std::ofstream(*folder / "responses.jsonl", std::ios::app) << R"({"prompt":"p00","samp)";
    auto ended = *begun;
    ended.state = journal::RunState::interrupted;
    ASSERT_TRUE(journal_->update(ended));

    const auto again = evaluate_at(server.url());
    EXPECT_EQ(again.run.id, begun->id);
    EXPECT_EQ(server.stats().requests, prompts);
    EXPECT_EQ(again.counts.passed, prompts);
    EXPECT_EQ(rows(begun->id), prompts);
    EXPECT_GT(again.seconds, 0) << "not less than the longest answer took";
    EXPECT_EQ(again.scored.notes, first.scored.notes);
}

TEST_F(EvaluateTest, AnswersOfAnotherSuiteAreNotMixedIn) {
    const test::EvalServer server;
    const auto first = evaluate_at(server.url());
    ASSERT_EQ(first.counts.answered, prompts);
    ASSERT_TRUE(write_atomic(
        suite(), "suite: s\nprompts: [{id: p00, prompt: Other, expect: [{contains: ok}]}]\n"
    ));
    EvalJob job{
        .suite = suite(),
        .server = *make_server_config({.backend = BackendKind::openai, .url = server.url()})
    };
    job.plan.model = "fake";
    job.out = first.responses;
    const auto refused = evaluate(job, *journal_, {}, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::invalid_argument) << refused.error().describe();
    const auto runs = journal_->list({.kind = "eval", .limit = 1});
    ASSERT_TRUE(runs) << runs.error().describe();
    EXPECT_EQ(runs->front().state, journal::RunState::failed);
    EXPECT_THAT(refused.error().message(), HasSubstr("another suite"));
}

}  // namespace
}  // namespace punie::pipeline
