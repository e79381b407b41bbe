#include "compare/read_scores.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "compare/compare.hpp"

namespace punie::compare {
namespace {

using testing::HasSubstr;

constexpr auto* folder = PUNIE_SOURCE_DIR "/tests/data/compare/";

std::vector<ScoreTable> read(const std::string& name, const ReadOptions& options = {}) {
    auto tables = read_scores(folder + name, options);
    EXPECT_TRUE(tables) << tables.error().describe();
    return tables ? *std::move(tables) : std::vector<ScoreTable>{};
}

ScoreTable parsed(std::string_view text) {
    auto tables = parse_scores(text, "runs/scores.jsonl");
    EXPECT_TRUE(tables) << tables.error().describe();
    return tables ? tables->at(0) : ScoreTable{};
}

std::string refusal(std::string_view text) {
    const auto tables = parse_scores(text, "scores.jsonl");
    EXPECT_FALSE(tables) << text;
    return tables ? "" : tables.error().describe();
}

std::size_t passed(const ScoreTable& table) {
    return static_cast<std::size_t>(std::ranges::count_if(table.scores, &Score::passed));
}

TEST(PlainScores, AreRead) {
    const auto table = parsed(
        "{\"prompt\":\"a\",\"group\":\"g\",\"sample\":1,\"score\":0.5}\n"
        "\n"
        "{\"prompt\":7,\"score\":true,\"category\":\"c\",\"mine\":[1]}\r\n"
        "{\"prompt\":\"b\",\"score\":0.9,\"passed\":true}\n"
        "{\"prompt\":\"c\",\"score\":null}"
    );
    EXPECT_EQ(table.name, "scores");
    EXPECT_EQ(table.format, "scores");
    ASSERT_EQ(table.scores.size(), 3);
    EXPECT_EQ(table.scores[0].group, "g");
    EXPECT_EQ(table.scores[0].sample, 1);
    EXPECT_FALSE(table.scores[0].passed);
    EXPECT_EQ(table.scores[1].prompt, "7");
    EXPECT_EQ(table.scores[1].score, 1);
    EXPECT_EQ(table.scores[1].category, "c");
    EXPECT_TRUE(table.scores[2].passed);
    EXPECT_EQ(table.unanswered, 1);
}

struct BadRow {
    std::string line;
    std::string words;
};

class BadPlainRow : public testing::TestWithParam<BadRow> {};

TEST_P(BadPlainRow, IsRefusedWithItsLine) {
    const auto text = "{\"prompt\":\"first\",\"score\":1}\n\n" + GetParam().line + "\n";
    const auto words = refusal(text);
    EXPECT_THAT(words, HasSubstr("scores.jsonl:3: "));
    EXPECT_THAT(words, HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    BadPlainRow,
    testing::Values(
        BadRow{R"({"prompt":"a","score":1.5})", "\"score\": found 1.5E0, expected a number from 0"},
        BadRow{R"({"prompt":"a","score":-0.1})", "expected a number from 0 to 1"},
        BadRow{R"({"prompt":"a","score":"1"})", "\"score\": found \"1\""},
        BadRow{R"({"prompt":"a","score":NaN})", "found NaN, expected a number from 0 to 1"},
        BadRow{R"({"prompt":"a","score":Infinity})", "found Infinity"},
        BadRow{R"({"prompt":"a"})", "\"score\": found nothing"},
        BadRow{R"({"prompt":"","score":1})", "\"prompt\": found \"\""},
        BadRow{R"({"score":1})", "\"prompt\": found nothing"},
        BadRow{R"({"prompt":["a"],"score":1})", "\"prompt\": found [\"a\"]"},
        BadRow{R"({"prompt":"first","score":1})", "prompt \"first\" sample 0 is there twice"},
        BadRow{R"({"prompt":"a","score":1,"sample":-1})", "\"sample\": found -1"},
        BadRow{R"({"prompt":"a","score":1,"sample":"x"})", "\"sample\": found \"x\""},
        BadRow{R"({"prompt":"a","score":1,"group":{}})", "\"group\": found {}"},
        BadRow{R"({"prompt":"a","score":1,"passed":1})", "\"passed\": found 1"},
        BadRow{R"({"prompt":"a","score":1,"grup":"g"})", "did you mean \"group\"?"},
        BadRow{R"({"prompt":"a","score":1)", "not valid JSON"},
        BadRow{R"([1,2])", "found [1,2], expected an object"},
        BadRow{R"({"prompt":"a","score":1} x)", "not valid JSON"}
    )
);

TEST(UnknownFiles, AreRefusedWithWhatIsKnown) {
    EXPECT_THAT(refusal(""), HasSubstr("the file is empty"));
    EXPECT_THAT(refusal("hello\nyou"), HasSubstr("expected rows {\"prompt\""));
    EXPECT_THAT(refusal("{\"a\": 1}"), HasSubstr("found {\"a\":1}"));
    EXPECT_THAT(refusal("{\"prompt\":\"a\",\"scor"), HasSubstr("scores.jsonl:1: "));
    EXPECT_THAT(refusal("[]"), HasSubstr("found []"));
}

TEST(UnknownFiles, AMissingOneIsNotFound) {
    const auto tables = read_scores("/nowhere/scores.jsonl");
    ASSERT_FALSE(tables);
    EXPECT_EQ(tables.error().code(), ErrorCode::not_found);
}

TEST(Responses, AreKnownAndNeedASuite) {
    constexpr auto* line = R"({"prompt":"a","sample":0,"state":"answered","response":{}})";
    EXPECT_TRUE(holds_responses(line));
    EXPECT_TRUE(holds_responses(R"({"custom_id":"a","response":{"body":{}}})"));
    EXPECT_FALSE(holds_responses(R"({"prompt":"a","score":1})"));
    EXPECT_THAT(refusal(line), HasSubstr("--suite SUITE"));
}

// lm_eval 0.4.13 printed for the same run: exact_match 1.00 (large) and 0.75 (small).
TEST(LmEval, SamplesOfTheRealPackageAreRead) {
    const auto large = read("lm-eval-large.jsonl").at(0);
    const auto small = read("lm-eval-small.jsonl").at(0);
    EXPECT_EQ(large.format, "lm-eval");
    EXPECT_EQ(large.scores.size(), 24);
    EXPECT_EQ(passed(large), 24);
    EXPECT_EQ(passed(small), 18);
    EXPECT_EQ(small.scores[3].prompt, "3");
    EXPECT_EQ(small.scores[3].group, "row-0");
    EXPECT_EQ(small.scores[3].category, "small");
    EXPECT_FALSE(small.scores[3].content.empty());
    EXPECT_THAT(small.notes, testing::ElementsAre(HasSubstr("filter \"strict\"")));
    const auto comparison = compare_variants({large, small});
    ASSERT_TRUE(comparison) << comparison.error().describe();
    EXPECT_EQ(comparison->pairs[0].overall.lost, 6);
    EXPECT_EQ(comparison->pairs[0].overall.p_method, "sign_flip_groups");
}

TEST(LmEval, AnotherFilterCanBeChosen) {
    EXPECT_EQ(passed(read("lm-eval-small.jsonl", {.filter = "flexible"}).at(0)), 18);
    const auto wrong =
        read_scores(std::string(folder) + "lm-eval-small.jsonl", {.filter = "loose"});
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().describe(), HasSubstr("flexible or strict"));
}

TEST(LmEval, AnUnknownMetricNamesTheKnownOnes) {
    const auto wrong = read_scores(std::string(folder) + "lm-eval-small.jsonl", {.metric = "acc"});
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().describe(), HasSubstr("lm-eval-small.jsonl:1: no metric \"acc\""));
    EXPECT_THAT(wrong.error().describe(), HasSubstr("exact_match"));
}

TEST(LmEval, FilesAreNamedByTheirModelsFolder) {
    const auto tables = parse_scores(
        R"({"doc_id":0,"doc":{},"acc":1.0})", "out/tiny__model/samples_arc_2026-11-24.jsonl"
    );
    ASSERT_TRUE(tables);
    EXPECT_EQ(tables->at(0).name, "tiny__model");
}

TEST(LmEval, AMetricOutsideTheRangeIsRefused) {
    EXPECT_THAT(
        refusal(R"({"doc_id":0,"doc":{},"metrics":["bleu"],"bleu":34.5})"),
        HasSubstr("metric \"bleu\": found 3.45E1, expected a number from 0 to 1")
    );
}

// inspect_ai 0.3.285; one sample of "small" failed at the server and is no wrong answer.
TEST(Inspect, LogsOfTheRealPackageAreRead) {
    const auto large = read("inspect-large.json").at(0);
    const auto small = read("inspect-small.json").at(0);
    EXPECT_EQ(large.format, "inspect");
    EXPECT_EQ(passed(large), 24);
    EXPECT_EQ(small.scores.size(), 23);
    EXPECT_EQ(small.unanswered, 1);
    EXPECT_EQ(passed(small), 17);
    EXPECT_EQ(small.scores[0].prompt, "What is 1 + 3?");
    EXPECT_EQ(small.scores[0].group, "row-0");
    EXPECT_EQ(large.identity.sampling_hash, small.identity.sampling_hash);
    const auto refused = compare_variants({large, small});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), HasSubstr("lacks 1 of 24 prompts"));
    EXPECT_TRUE(compare_variants({large, small}, {.only_common = true}));
}

TEST(Inspect, EpochsAreSamples) {
    const auto table = read("inspect-small-repeats.json").at(0);
    EXPECT_EQ(table.scores.size(), 18);
    EXPECT_EQ(std::ranges::max(table.scores, {}, &Score::sample).sample, 2);
}

TEST(Inspect, AnotherScorerCanBeChosen) {
    const auto table = read("inspect-large.json", {.metric = "includes"}).at(0);
    EXPECT_THAT(table.notes, testing::ElementsAre(HasSubstr("scorer \"includes\"")));
}

TEST(Inspect, TheEvalFormatIsRefusedWithTheCommandThatConvertsIt) {
    const auto refused = read_scores(std::string(folder) + "inspect-large.eval");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::unsupported);
    EXPECT_THAT(refused.error().hint(), HasSubstr("inspect log convert"));
}

TEST(Inspect, AHeaderWithoutSamplesIsRefused) {
    EXPECT_THAT(
        refusal(R"({"version":2,"eval":{},"plan":{}})"), HasSubstr("an Inspect log without samples")
    );
}

TEST(Inspect, AScoreThatIsNoneIsRefused) {
    EXPECT_THAT(
        refusal(R"({"eval":{},"samples":[{"id":1,"epoch":1,"scores":{"m":{"value":{"a":1}}}}]})"),
        HasSubstr("sample \"1\", scorer \"m\": found {\"a\":1}, expected C, I, P, N")
    );
}

// promptfoo 0.119.0: one file, two providers, one request that failed.
TEST(Promptfoo, OutputsOfTheRealPackageAreVariants) {
    const auto tables = read("promptfoo.json");
    ASSERT_EQ(tables.size(), 2);
    EXPECT_EQ(tables[0].name, "large");
    EXPECT_EQ(tables[1].name, "small");
    EXPECT_EQ(passed(tables[0]), 24);
    EXPECT_EQ(tables[1].unanswered, 1);
    EXPECT_EQ(tables[1].scores.size(), 23);
    EXPECT_EQ(passed(tables[1]), 17);
    EXPECT_EQ(tables[0].scores[0].prompt, "What is 1 + 3?");
    EXPECT_EQ(tables[0].scores[0].group, "row-0");
    EXPECT_TRUE(compare_variants(tables, {.only_common = true}));
}

TEST(Promptfoo, RepeatsAreSamples) {
    const auto tables = read("promptfoo-repeats.json");
    ASSERT_EQ(tables.size(), 2);
    EXPECT_EQ(tables[1].scores.size(), 18);
    const auto comparison = compare_variants(tables);
    ASSERT_TRUE(comparison);
    EXPECT_EQ(comparison->variants[1].prompts, 6);
    EXPECT_TRUE(comparison->variants[1].repeats);
}

}  // namespace
}  // namespace punie::compare
