// Records judged: weights, states, several records of a sample, order, and what is told about a
// file that does not quite fit.

#include "eval/score_run.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/files.hpp"
#include "unit/eval/made_suite.hpp"

namespace punie::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ResponseRecord record(const std::string& prompt, const std::string& text, int sample = 0) {
    ResponseRecord made{.suite_hash = "asked", .prompt_id = prompt, .sample = sample};
    const json::object message{{"role", "assistant"}, {"content", text}};
    made.response = json::object{
        {"choices", json::array{json::object{{"message", message}, {"finish_reason", "stop"}}}},
        {"usage", json::object{{"prompt_tokens", 11}, {"completion_tokens", 3}}}
    };
    made.seconds = 0.25;
    return made;
}

ResponseRecord unanswered(const std::string& prompt, SampleState state, int sample = 0) {
    return {
        .suite_hash = "asked",
        .prompt_id = prompt,
        .sample = sample,
        .state = state,
        .error = "it broke"
    };
}

// One sample.

struct Row {
    const char* name;
    std::vector<Expectation> expect;
    const char* text;
    double score;
    bool passed;
    const char* reason;
};

class Sample : public testing::TestWithParam<Row> {};

TEST_P(Sample, IsJudged) {
    const auto& row = GetParam();
    const auto suite = made_suite({made_prompt("p", row.expect)});
    const auto scored = score_sample(suite, 0, record("p", row.text));
    EXPECT_DOUBLE_EQ(scored.score, row.score);
    EXPECT_EQ(scored.passed, row.passed);
    EXPECT_EQ(scored.reason, row.reason);
    EXPECT_EQ(scored.expectations.size(), row.expect.size());
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    Sample,
    testing::Values(
        Row{"Passes", {has_word("a")}, "a", 1, true, "has a"},
        Row{"Fails", {has_word("a")}, "b", 0, false, "lacks a"},
        Row{"AllPass", {has_word("a"), has_word("b")}, "a b", 1, true, "has a"},
        Row{"HalfPasses", {has_word("a"), has_word("b")}, "a", 0.5, false, "lacks b"},
        Row{"FirstFailureIsTheReason",
            {has_word("a"), has_word("b"), has_word("c")},
            "a",
            1.0 / 3,
            false,
            "lacks b"},
        Row{"NotTheLaterPass", {has_word("a"), has_word("b")}, "b", 0.5, false, "lacks a"},
        Row{"Weights", {has_word("a", 3), has_word("b", 1)}, "a", 0.75, false, "lacks b"},
        Row{"SmallWeights",
            {has_word("a", 0.001), has_word("b", 0.003)},
            "b",
            0.75,
            false,
            "lacks a"}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST(ScoreSample, TakesFiguresFromTheResponse) {
    const auto scored = score_sample(made_suite(1), 0, record("p000", "ok", 4));
    EXPECT_EQ(scored.prompt_tokens, 11);
    EXPECT_EQ(scored.completion_tokens, 3);
    EXPECT_EQ(scored.seconds, 0.25);
    EXPECT_EQ(scored.sample, 4);
    EXPECT_EQ(scored.state, SampleState::answered);
}

struct StateRow {
    const char* name;
    SampleState recorded;
    SampleState scored;
    bool judged;
};

class States : public testing::TestWithParam<StateRow> {};

TEST_P(States, OnlyAnswersAreJudged) {
    auto made = record("p000", "ok");
    made.state = GetParam().recorded;
    made.error = GetParam().judged ? "" : "it broke";
    const auto scored = score_sample(made_suite(1), 0, made);
    EXPECT_EQ(scored.state, GetParam().scored);
    EXPECT_EQ(scored.expectations.size(), GetParam().judged ? 1U : 0U);
    EXPECT_EQ(scored.passed, GetParam().judged);
    EXPECT_EQ(scored.reason, GetParam().judged ? "has ok" : "it broke");
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    States,
    testing::Values(
        StateRow{"Answered", SampleState::answered, SampleState::answered, true},
        StateRow{"Cut", SampleState::cut, SampleState::cut, true},
        StateRow{"Refused", SampleState::refused, SampleState::refused, false},
        StateRow{"Failed", SampleState::failed, SampleState::failed, false},
        StateRow{"NotAsked", SampleState::not_asked, SampleState::not_asked, false}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST(ScoreSample, WithoutAnErrorTheStateIsTheReason) {
    auto made = unanswered("p000", SampleState::failed);
    made.error.clear();
    EXPECT_EQ(score_sample(made_suite(1), 0, made).reason, "failed");
}

TEST(ScoreSample, AnAnswerOfTheTokenLimitIsCutAndJudged) {
    auto made = record("p000", "ok");
    made.response.at("choices").at(0).as_object()["finish_reason"] = "length";
    const auto scored = score_sample(made_suite(1), 0, made);
    EXPECT_EQ(scored.state, SampleState::cut);
    EXPECT_TRUE(scored.passed);
}

TEST(ScoreSample, ThinkingThatNeverClosedIsCutAndNoAnswer) {
    const auto scored = score_sample(made_suite(1), 0, record("p000", "<think>it is ok"));
    EXPECT_EQ(scored.state, SampleState::cut);
    EXPECT_FALSE(scored.passed);
}

TEST(ScoreSample, UnparsedIsToldApart) {
    EXPECT_TRUE(score_sample(made_suite(1), 0, record("p000", "nothing")).unparsed);
    EXPECT_FALSE(score_sample(made_suite(1), 0, record("p000", "no")).unparsed);
}

// A file.

class ScoreFile : public testing::Test {
protected:
    ScoreFile() : folder_(TemporaryFolder::make("punie-score").value()) {}

    Result<ScoredRun> score(
        const Suite& suite, const std::vector<ResponseRecord>& records, std::string_view tail = ""
    ) {
        std::string text;
        for (const auto& one : records) text.append(to_line(one)).append("\n");
        text += tail;
        const auto file = folder_.path() / "responses.jsonl";
        EXPECT_TRUE(write_atomic(file, text));
        return score_responses(suite, file);
    }

    /// "prompt/sample state" of each.
    static std::vector<std::string> words(const ScoredRun& run) {
        std::vector<std::string> all;
        all.reserve(run.samples.size());
        for (const auto& sample : run.samples) {
            all.push_back(fmt::format(
                "{}/{} {}{}",
                sample.prompt,
                sample.sample,
                name_of(sample.state),
                sample.passed ? " passed" : ""
            ));
        }
        return all;
    }

    TemporaryFolder folder_;
};

TEST_F(ScoreFile, IsInTheOrderOfPromptsAndSamplesWhateverTheOrderOfAnswers) {
    const auto run = score(
        made_suite(3),
        {record("p002", "ok"),
         record("p000", "ok", 10),
         record("p001", "no"),
         record("p000", "ok", 2),
         record("p000", "no")}
    );
    ASSERT_TRUE(run) << run.error().message();
    EXPECT_THAT(
        words(*run),
        ElementsAre(
            "0/0 answered",
            "0/2 answered passed",
            "0/10 answered passed",
            "1/0 answered",
            "2/0 answered passed"
        )
    );
    EXPECT_THAT(run->notes, IsEmpty());
}

TEST_F(ScoreFile, TheLastAnswerOfASampleCounts) {
    const auto run = score(made_suite(1), {record("p000", "ok"), record("p000", "no")});
    ASSERT_TRUE(run);
    EXPECT_THAT(words(*run), ElementsAre("0/0 answered"));
}

TEST_F(ScoreFile, AFailureDoesNotTakeAnAnswerAway) {
    const auto run = score(
        made_suite(2),
        {record("p000", "ok"),
         unanswered("p000", SampleState::failed),
         unanswered("p001", SampleState::failed),
         record("p001", "ok"),
         unanswered("p001", SampleState::refused)}
    );
    ASSERT_TRUE(run);
    EXPECT_THAT(words(*run), ElementsAre("0/0 answered passed", "1/0 answered passed"));
}

TEST_F(ScoreFile, WithoutAnAnswerTheLastFailureCounts) {
    const auto run = score(
        made_suite(1),
        {unanswered("p000", SampleState::failed), unanswered("p000", SampleState::refused)}
    );
    ASSERT_TRUE(run);
    EXPECT_THAT(words(*run), ElementsAre("0/0 refused"));
}

TEST_F(ScoreFile, PromptsThatTheSuiteDoesNotHaveAreNoted) {
    const auto run =
        score(made_suite(1), {record("p000", "ok"), record("gone", "ok"), record("gone2", "ok")});
    ASSERT_TRUE(run);
    EXPECT_EQ(run->unknown_prompts, 2U);
    EXPECT_THAT(run->notes, ElementsAre(HasSubstr("2 records for prompts")));
}

TEST_F(ScoreFile, OnlyUnknownPromptsIsAnError) {
    const auto run = score(made_suite(1), {record("gone", "ok")});
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().code(), ErrorCode::state);
    EXPECT_THAT(run.error().message(), HasSubstr("none of its 1 record"));
    EXPECT_THAT(run.error().message(), HasSubstr("made.yaml"));
}

TEST_F(ScoreFile, AnEmptyFileIsAnError) {
    const auto run = score(made_suite(1), {});
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().code(), ErrorCode::state);
    EXPECT_THAT(run.error().message(), HasSubstr("no record in it"));
}

TEST_F(ScoreFile, AnotherSuiteIsNoted) {
    auto other = record("p000", "ok");
    other.suite_hash = "another";
    const auto run = score(made_suite(1), {other});
    ASSERT_TRUE(run);
    EXPECT_TRUE(run->other_suite);
    EXPECT_THAT(run->notes, ElementsAre(HasSubstr("another version of the suite")));
}

TEST_F(ScoreFile, RecordsFromElsewhereAreNoOtherSuite) {
    auto foreign = record("p000", "ok");
    foreign.suite_hash.clear();
    const auto run = score(made_suite(1), {foreign});
    ASSERT_TRUE(run);
    EXPECT_FALSE(run->other_suite);
}

TEST_F(ScoreFile, ATornLastLineIsNoted) {
    const auto run = score(made_suite(1), {record("p000", "ok")}, R"({"suite":"asked","prom)");
    ASSERT_TRUE(run) << run.error().message();
    EXPECT_THAT(run->notes, ElementsAre(HasSubstr("cut off")));
    EXPECT_EQ(run->samples.size(), 1U);
}

TEST_F(ScoreFile, NonsenseInTheMiddleIsAnErrorWithItsLine) {
    const auto run = score(made_suite(1), {record("p000", "ok")}, "nonsense\n{}\n");
    ASSERT_FALSE(run);
    EXPECT_THAT(run.error().message(), HasSubstr("responses.jsonl:2"));
}

TEST(ScoreResponses, AMissingFileIsNotFound) {
    const auto run = score_responses(made_suite(1), "/nonexistent/responses.jsonl");
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().code(), ErrorCode::not_found);
}

TEST(Count, CountsByState) {
    const auto made = [](SampleState state, bool passed = false, bool unparsed = false) {
        return ScoredSample{.state = state, .passed = passed, .unparsed = unparsed};
    };
    const auto counts = count(
        {made(SampleState::answered, true),
         made(SampleState::answered, true),
         made(SampleState::answered, false, true),
         made(SampleState::cut, true),
         made(SampleState::cut),
         made(SampleState::refused),
         made(SampleState::failed),
         made(SampleState::failed),
         made(SampleState::not_asked)}
    );
    EXPECT_EQ(counts.answered, 3U);
    EXPECT_EQ(counts.cut, 2U);
    EXPECT_EQ(counts.refused, 1U);
    EXPECT_EQ(counts.failed, 2U);
    EXPECT_EQ(counts.not_asked, 1U);
    EXPECT_EQ(counts.unparsed, 1U);
    EXPECT_EQ(counts.passed, 3U);
    EXPECT_EQ(counts.judged(), 5U);
    EXPECT_EQ(counts.unanswered(), 4U);
}

}  // namespace
}  // namespace punie::eval
