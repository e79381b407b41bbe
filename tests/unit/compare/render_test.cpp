#include "compare/render.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/json.hpp"
#include "compare/compare.hpp"
#include "compare/words.hpp"
#include "unit/compare/tables.hpp"

namespace punie::compare {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string plain(Emphasis, std::string_view text) {
    return std::string(text);
}

Comparison example() {
    auto base = passing("base", 60, 20);
    for (std::size_t at = 0; at < 60; ++at) base.scores[at].category = at % 2 == 0 ? "a" : "b|<c>";
    auto tuned = changed(base, "tuned & \x1b[31mred", 2, 20);
    tuned.unanswered = 3;
    return compare_variants({base, tuned}, {.named_categories = {"a"}}).value();
}

std::vector<GateResult> example_gates(const Comparison& comparison) {
    return judge_gates(comparison, {.threshold = 0.9, .no_regression = {"a"}});
}

TEST(TerminalText, BeginsWithWhatHasNoAnswerThenTheVerdict) {
    const auto comparison = example();
    const auto text = to_terminal(comparison, example_gates(comparison), plain);
    EXPECT_TRUE(text.starts_with("tuned & red: 3 of 63 prompts or samples have no answer"));
    EXPECT_THAT(text, HasSubstr("\ntuned & red is better than base by 30.0 points (95 % interval"));
    EXPECT_THAT(text, HasSubstr("20 won, 2 lost, 38 the same of 60 prompts"));
    EXPECT_THAT(text, HasSubstr("mcnemar_exact"));
    EXPECT_THAT(text, HasSubstr("smallest difference that shows with power 0.8"));
    EXPECT_THAT(text, HasSubstr("failed    threshold: mean of tuned & red"));
    EXPECT_THAT(text, HasSubstr("lost p0000  1 -> 0"));
    EXPECT_THAT(text, HasSubstr("and 12 more (--json lists all)"));
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(JsonOutput, NamesEachFiguresMethod) {
    const auto object = to_json(example());
    const auto& pair = object.at("pairs").at(0);
    EXPECT_EQ(object.at("variants").at(0).at("mean").at("method"), "wilson");
    EXPECT_EQ(pair.at("difference").at("method"), "newcombe_paired");
    EXPECT_EQ(pair.at("p").at("method"), "mcnemar_exact");
    EXPECT_EQ(pair.at("p").at("adjusted_method"), "holm");
    EXPECT_EQ(pair.at("power").at("method"), "connor_1987");
    EXPECT_EQ(pair.at("claim"), "better");
    EXPECT_EQ(pair.at("changed").as_array().size(), 22);
    EXPECT_EQ(pair.at("categories").at(0).at("exploratory"), false);
    EXPECT_EQ(pair.at("categories").at(1).at("exploratory"), true);
    EXPECT_TRUE(pair.at("categories").at(1).at("p").at("adjusted").is_null());
    EXPECT_EQ(object.at("unanswered"), true);
}

TEST(MarkdownOutput, KeepsOthersTextInItsCell) {
    const auto comparison = example();
    const auto text = to_markdown(comparison, example_gates(comparison));
    EXPECT_THAT(text, HasSubstr("b\\|&lt;c>"));
    EXPECT_THAT(text, HasSubstr("**tuned & red: 3 of 63"));
    EXPECT_THAT(text, HasSubstr("<details><summary>22 changed prompts</summary>"));
    EXPECT_THAT(text, HasSubstr("- failed threshold"));
}

TEST(JunitOutput, HasFailuresAndErrorsApart) {
    const auto comparison = example();
    const auto text = to_junit(comparison, example_gates(comparison));
    // threshold failed; the category held; 1 variant without answers; 2 lost prompts
    EXPECT_THAT(text, HasSubstr("tests=\"5\" failures=\"1\" errors=\"1\" skipped=\"2\""));
    EXPECT_THAT(text, HasSubstr("<error message=\"3 prompts or samples have no answer"));
    EXPECT_THAT(text, HasSubstr("name=\"answers of tuned &amp; red\""));
    EXPECT_THAT(text, HasSubstr("one prompt decides nothing"));
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(JunitOutput, FailsTheLostPromptsOfARegression) {
    auto base = passing("base", 60, 60);
    for (auto& score : base.scores) score.category = "all";
    const auto comparison =
        compare_variants({base, changed(base, "bad", 30, 0)}, {.named_categories = {"all"}})
            .value();
    const auto text = to_junit(comparison, judge_gates(comparison, {.no_regression = {"all"}}));
    EXPECT_THAT(text, HasSubstr("tests=\"31\" failures=\"31\" errors=\"0\" skipped=\"0\""));
    EXPECT_THAT(text, HasSubstr("name=\"p0000 (bad)\"><failure message=\"lost: 1 before, 0 after"));
}

struct PText {
    double p;
    std::string text;
};

class PTextTest : public testing::TestWithParam<PText> {};

TEST_P(PTextTest, NeverRoundsAcrossTheLevel) {
    EXPECT_EQ(p_text(GetParam().p), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    PTextTest,
    testing::Values(
        PText{1e-30, "p < 0.0001"},
        PText{0.000123, "p = 0.000123"},
        PText{0.0499, "p = 0.0499"},
        PText{0.0501, "p = 0.0501"},
        PText{0.076812744, "p = 0.0768"},
        PText{1, "p = 1"}
    )
);

TEST(Points, HaveASignUnlessTheyAreNone) {
    EXPECT_EQ(points(0.12), "+12.0");
    EXPECT_EQ(points(-0.0049), "-0.5");
    EXPECT_EQ(points(0.0001), "0.0");
    EXPECT_EQ(points(-0.0001), "0.0");
}

}  // namespace
}  // namespace punie::compare
