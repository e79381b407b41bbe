#include "compare/compare.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "compare/gates.hpp"
#include "unit/compare/tables.hpp"

namespace punie::compare {
namespace {

using testing::HasSubstr;

const Difference& overall(const Comparison& comparison) {
    return comparison.pairs.at(0).overall;
}

Comparison compared(const std::vector<ScoreTable>& tables, const CompareOptions& options = {}) {
    auto comparison = compare_variants(tables, options);
    EXPECT_TRUE(comparison) << comparison.error().describe();
    return *std::move(comparison);
}

std::string refusal(const std::vector<ScoreTable>& tables, const CompareOptions& options = {}) {
    const auto comparison = compare_variants(tables, options);
    EXPECT_FALSE(comparison);
    return comparison ? "" : comparison.error().describe();
}

// The traps of the field, one test each.

TEST(Traps, FiveOfFiveIsFiftySevenToAHundred) {
    const auto base = passing("base", 5, 0);
    const auto result = compared({base, passing("tuned", 5, 5)});
    const auto& tuned = result.variants.at(1).mean;
    EXPECT_EQ(tuned.value, 1);
    EXPECT_EQ(tuned.method, "wilson");
    EXPECT_NEAR(tuned.interval.value().low, 0.5655, 1e-4);
    EXPECT_EQ(tuned.interval.value().high, 1);
    EXPECT_EQ(overall(result).claim, Claim::too_few);
    EXPECT_THAT(overall(result).words, HasSubstr("too few to tell: 5 prompts"));
}

TEST(Traps, FewPromptsNeverMakeAClaimWhateverPSays) {
    const auto result = compared({passing("base", 19, 0), passing("tuned", 19, 19)});
    EXPECT_LT(overall(result).p.value(), 1e-5);
    EXPECT_EQ(overall(result).claim, Claim::too_few);
    EXPECT_EQ(
        overall(compared({passing("base", 20, 0), passing("tuned", 20, 20)})).claim, Claim::better
    );
}

TEST(Traps, FourGroupsNeverMakeAClaim) {
    auto base = passing("base", 80, 0);
    auto tuned = passing("tuned", 80, 80);
    for (std::size_t at = 0; at < 80; ++at)
        base.scores[at].group = tuned.scores[at].group = fmt::format("document {}", at % 4);
    const auto result = compared({base, tuned});
    EXPECT_EQ(overall(result).claim, Claim::too_few);
    EXPECT_THAT(overall(result).words, HasSubstr("4 groups of related prompts"));
}

// A normal interval of 0 of 60 is 0 to 0, and of 60 of 60 it is 1 to 1.
TEST(Traps, NothingAgainstEverythingKeepsItsWidth) {
    const auto result = compared({passing("base", 60, 0), passing("tuned", 60, 60)});
    EXPECT_NEAR(result.variants[0].mean.interval.value().high, 0.0602, 1e-4);
    EXPECT_NEAR(result.variants[1].mean.interval.value().low, 0.9398, 1e-4);
    EXPECT_EQ(overall(result).claim, Claim::better);
    EXPECT_NEAR(overall(result).difference.interval.value().low, 0.9149, 1e-4);
    EXPECT_NEAR(overall(result).p.value(), 1.734723475976807e-18, 1e-24);
    EXPECT_THAT(overall(result).words, HasSubstr("tuned is better than base by 100.0 points"));
}

/// 8 documents with 25 questions: three became much better, the rest hardly changed. Made so that
/// 74 prompts are won and 11 lost.
std::pair<ScoreTable, ScoreTable> documents() {
    constexpr std::size_t gained[] = {24, 17, 24, 4, 1, 2, 0, 2};
    constexpr std::size_t lost[] = {0, 0, 0, 1, 2, 4, 3, 1};
    ScoreTable base{.name = "base"};
    ScoreTable tuned{.name = "tuned"};
    for (std::size_t document = 0; document < 8; ++document) {
        for (std::size_t question = 0; question < 25; ++question) {
            const auto name = fmt::format("d{}-q{:02}", document, question);
            const auto group = fmt::format("document {}", document);
            const bool won = question < gained[document];
            const bool lose = !won && question >= 25 - lost[document];
            base.scores.push_back(yes_no(name, !won, group));
            tuned.scores.push_back(yes_no(name, !lose, group));
        }
    }
    return {base, tuned};
}

TEST(Traps, QuestionsOfADocumentAreNotIndependent) {
    auto [base, tuned] = documents();
    const auto grouped = compared({base, tuned});
    EXPECT_EQ(overall(grouped).p_method, "sign_flip_groups");
    EXPECT_EQ(overall(grouped).difference.method, "clustered_cr1");
    EXPECT_NEAR(overall(grouped).p.value(), 46.0 / 256, 1e-12);  // 0.18
    EXPECT_LT(overall(grouped).difference.interval.value().low, 0);
    EXPECT_EQ(overall(grouped).claim, Claim::no_visible_difference);
    for (auto* table : {&base, &tuned}) {
        for (auto& score : table->scores) score.group.clear();
    }
    const auto naive = compared({base, tuned});
    EXPECT_EQ(overall(naive).p_method, "mcnemar_exact");
    EXPECT_NEAR(overall(naive).p.value(), 1.2888315230163817e-12, 1e-20);
}

TEST(Traps, TwelveAgainstFourIsNotMidP) {
    const auto base = passing("base", 200, 104);
    const auto result = compared({base, changed(base, "tuned", 4, 12)});
    EXPECT_EQ(overall(result).p_method, "mcnemar_exact");
    EXPECT_NEAR(overall(result).p.value(), 0.076812744140625, 1e-12);
    EXPECT_EQ(overall(result).claim, Claim::no_visible_difference);
    EXPECT_EQ(overall(result).won, 12);
    EXPECT_EQ(overall(result).lost, 4);
    EXPECT_THAT(overall(result).words, HasSubstr("the interval leaves out 0, but the test"));
}

// Six groups that all lost the same: the test has its smallest p, and yet six groups are few.
TEST(Traps, SixGroupsAlikeAreNotCertain) {
    auto base = passing("base", 24, 24);
    for (std::size_t at = 0; at < 24; ++at) base.scores[at].group = fmt::format("g{}", at / 4);
    auto tuned = base;
    tuned.name = "tuned";
    for (std::size_t at = 0; at < 24; at += 4) tuned.scores[at].score = 0;
    const auto result = compared({base, tuned});
    EXPECT_NEAR(overall(result).p.value(), 0.03125, 1e-12);
    EXPECT_EQ(overall(result).difference.method, "rule_of_three");
    EXPECT_GT(overall(result).difference.interval.value().high, 0);
    EXPECT_EQ(overall(result).claim, Claim::no_visible_difference);
    EXPECT_THAT(overall(result).words, HasSubstr("the interval does not leave out 0"));
}

TEST(Traps, TheOrderOfRowsDoesNotMatter) {
    auto [base, tuned] = documents();
    const auto before = to_text(to_json(compared({base, tuned})));
    std::mt19937 random(1);
    for (int round = 0; round < 3; ++round) {
        std::ranges::shuffle(base.scores, random);
        std::ranges::shuffle(tuned.scores, random);
        EXPECT_EQ(to_text(to_json(compared({base, tuned}))), before);
    }
}

TEST(Traps, AMissingPromptIsRefusedByName) {
    const auto base = passing("base", 40, 20);
    auto tuned = passing("tuned", 40, 30);
    tuned.scores.erase(tuned.scores.begin() + 7);
    const auto words = refusal({base, tuned});
    EXPECT_THAT(words, HasSubstr("not comparable: tuned lacks 1 of 40 prompts (\"p0007\")"));
    EXPECT_THAT(words, HasSubstr("--only-common"));
}

TEST(Traps, OnlyCommonPromptsAreComparedWhenAllowed) {
    const auto base = passing("base", 40, 20);
    auto tuned = passing("tuned", 41, 30);
    tuned.scores.erase(tuned.scores.begin() + 7);
    const auto result = compared({base, tuned}, {.only_common = true});
    EXPECT_EQ(overall(result).prompts, 39);
    EXPECT_EQ(result.pairs[0].left_out, 2);
    ASSERT_EQ(result.pairs[0].notes.size(), 1);
    EXPECT_THAT(result.pairs[0].notes[0], HasSubstr("39 common prompts"));
    EXPECT_THAT(result.pairs[0].notes[0], HasSubstr("base lacks 1 of 40 prompts (\"p0040\")"));
}

/// Each row three times, as if a sample were a prompt.
ScoreTable tripled(const ScoreTable& table, bool as_samples) {
    ScoreTable result = table;
    result.scores.clear();
    for (const auto& score : table.scores) {
        for (int sample = 0; sample < 3; ++sample) {
            auto copy = score;
            if (as_samples)
                copy.sample = sample;
            else
                copy.prompt += fmt::format("-{}", sample);
            result.scores.push_back(copy);
        }
    }
    return result;
}

TEST(Traps, ThreeSamplesAreNotThreePrompts) {
    const auto base = passing("base", 30, 15);
    const auto tuned = changed(base, "tuned", 1, 6);
    const auto once = compared({base, tuned});
    const auto samples = compared({tripled(base, true), tripled(tuned, true)});
    EXPECT_EQ(samples.variants[0].prompts, 30);
    EXPECT_EQ(samples.variants[0].samples, 90);
    EXPECT_NEAR(overall(samples).p.value(), overall(once).p.value(), 1e-12);
    EXPECT_EQ(overall(samples).p_method, "sign_flip_prompts");
    EXPECT_EQ(overall(samples).claim, Claim::no_visible_difference);
    const auto prompts = compared({tripled(base, false), tripled(tuned, false)});
    EXPECT_LT(overall(prompts).p.value(), 0.01);  // what counting samples would have claimed
}

/// A quantised model that fails 4 prompts of every 50 that the full one passes.
ScoreTable quantised(const ScoreTable& full) {
    auto table = full;
    table.name = "4-bit";
    for (std::size_t at = 0; at < table.scores.size(); ++at) {
        auto& score = table.scores[at];
        const bool lost = at % 50 >= 40 && at % 50 < 44;
        if (lost && score.passed) score = yes_no(score.prompt, false);
    }
    return table;
}

TEST(Traps, ALossOfEightPointsHidesInTwentyPrompts) {
    const auto few = passing("full", 20, 20);
    const auto hidden = compared({few, quantised(few)});
    EXPECT_EQ(overall(hidden).difference.value, 0);
    EXPECT_EQ(overall(hidden).claim, Claim::no_visible_difference);
    EXPECT_GT(overall(hidden).detectable.value(), 0.3);
    EXPECT_THAT(
        overall(hidden).words,
        HasSubstr("no difference that this suite could show: 0.0 points seen")
    );
    EXPECT_THAT(overall(hidden).words, HasSubstr("34.8 points or more in 8 of 10 tries"));
    EXPECT_THAT(overall(hidden).words, testing::Not(HasSubstr("equal")));
}

TEST(Traps, ALossOfEightPointsShowsInTwoHundredPrompts) {
    const auto many = passing("full", 200, 200);
    const auto shown = compared({many, quantised(many)});
    EXPECT_NEAR(overall(shown).difference.value, -0.08, 1e-12);
    EXPECT_EQ(overall(shown).claim, Claim::worse);
    EXPECT_THAT(overall(shown).words, HasSubstr("4-bit is worse than full by 8.0 points"));
    EXPECT_LT(overall(shown).difference.interval.value().high, 0);
    EXPECT_EQ(shown.pairs[0].changed.size(), 16);
}

// Methods and families.

TEST(Methods, PartScoresTakeTheSignFlipTest) {
    auto base = passing("base", 30, 15);
    base.scores[3].score = 0.5;
    const auto result = compared({base, passing("tuned", 30, 20)});
    EXPECT_EQ(overall(result).p_method, "sign_flip_prompts");
    EXPECT_EQ(overall(result).p_computed, "convolution");
    EXPECT_EQ(overall(result).difference.method, "student_t");
    EXPECT_EQ(overall(result).power_method, "paired_variance");
    EXPECT_EQ(result.variants[0].mean.method, "student_t");
    EXPECT_EQ(result.variants[1].mean.method, "wilson");
}

TEST(Methods, OneGroupHasNoInterval) {
    auto base = passing("base", 30, 15);
    auto tuned = passing("tuned", 30, 25);
    for (auto* table : {&base, &tuned}) {
        for (auto& score : table->scores) score.group = "one";
    }
    const auto result = compared({base, tuned});
    EXPECT_EQ(result.variants[0].mean.method, "none");
    EXPECT_FALSE(overall(result).difference.interval);
    EXPECT_FALSE(overall(result).p);
    EXPECT_EQ(overall(result).p_method, "none");
    EXPECT_EQ(overall(result).claim, Claim::too_few);
}

TEST(Methods, HolmCorrectsSeveralVariants) {
    const auto base = passing("base", 100, 50);
    const auto result =
        compared({base, changed(base, "b", 2, 11), changed(base, "c", 2, 20), base});
    EXPECT_EQ(result.family, 3);
    const auto& b = result.pairs[0].overall;  // 2 against 11: p = 0.0225 alone
    EXPECT_NEAR(b.p.value(), 0.022460937, 1e-8);
    EXPECT_NEAR(b.p_adjusted.value(), 2 * 0.022460937, 1e-7);
    EXPECT_EQ(b.claim, Claim::better);
    EXPECT_THAT(b.words, HasSubstr("corrected for 3 comparisons"));
    EXPECT_EQ(result.pairs[2].overall.p_adjusted.value(), 1);
}

TEST(Methods, CorrectionCanTakeAClaimBack) {
    const auto base = passing("base", 100, 50);
    const auto candidate = changed(base, "b", 2, 11);
    std::vector<ScoreTable> tables = {base, candidate};
    EXPECT_EQ(overall(compared(tables)).claim, Claim::better);
    for (const auto* name : {"c", "d", "e"}) tables.push_back(changed(base, name, 1, 1));
    EXPECT_EQ(overall(compared(tables)).claim, Claim::no_visible_difference);
}

TEST(Methods, AllPairsAreComparedWhenAsked) {
    const auto base = passing("base", 40, 20);
    const std::vector<ScoreTable> tables = {
        base, changed(base, "b", 1, 3), changed(base, "c", 3, 1)
    };
    EXPECT_EQ(compared(tables).pairs.size(), 2);
    const auto all = compared(tables, {.all_pairs = true});
    ASSERT_EQ(all.pairs.size(), 3);
    EXPECT_EQ(all.pairs[2].baseline, 1);
    EXPECT_EQ(all.pairs[2].other, 2);
}

TEST(Methods, AnotherBaselineTurnsTheSign) {
    const auto base = passing("base", 60, 20);
    const auto tuned = changed(base, "tuned", 0, 20);
    const auto turned = compared({base, tuned}, {.baseline = 1});
    EXPECT_LT(overall(turned).difference.value, 0);
    EXPECT_EQ(overall(turned).claim, Claim::worse);
    EXPECT_EQ(turned.against_baseline(0), &turned.pairs[0]);
    EXPECT_EQ(turned.against_baseline(1), nullptr);
}

ScoreTable with_categories(ScoreTable table) {
    for (std::size_t at = 0; at < table.scores.size(); ++at)
        table.scores[at].category = at % 2 == 0 ? "even" : "odd";
    return table;
}

TEST(Categories, AreExploratoryUnlessNamed) {
    const auto base = with_categories(passing("base", 80, 40));
    const auto tuned = changed(base, "tuned", 0, 12);
    const auto plain = compared({base, tuned});
    ASSERT_EQ(plain.pairs[0].categories.size(), 2);
    EXPECT_FALSE(plain.pairs[0].categories[0].named);
    EXPECT_FALSE(plain.pairs[0].categories[0].result.p_adjusted);
    EXPECT_EQ(plain.family, 1);
    const auto named = compared({base, tuned}, {.named_categories = {"odd"}});
    EXPECT_EQ(named.family, 2);
    EXPECT_TRUE(named.pairs[0].categories[1].named);
    EXPECT_TRUE(named.pairs[0].categories[1].result.p_adjusted);
}

TEST(Categories, AMisspeltOneIsRefused) {
    const auto base = with_categories(passing("base", 80, 40));
    EXPECT_THAT(
        refusal({base, base}, {.named_categories = {"evn"}}), HasSubstr("did you mean \"even\"")
    );
}

TEST(RepeatedPrompts, HavePassAtKAndConsistency) {
    ScoreTable base{.name = "base"};
    for (std::size_t prompt = 0; prompt < 30; ++prompt) {
        for (int sample = 0; sample < 4; ++sample) {
            auto score = yes_no(prompt_name(prompt), static_cast<int>(prompt % 3) * 2 > sample);
            score.sample = sample;
            base.scores.push_back(score);
        }
    }
    auto tuned = base;
    tuned.name = "tuned";
    const auto result = compared({base, tuned});
    const auto& repeats = result.variants[0].repeats.value();
    EXPECT_EQ(repeats.fewest, 4);
    ASSERT_EQ(repeats.pass_at.size(), 3);  // k = 1, 2, 4
    EXPECT_NEAR(repeats.pass_at[0].at_least_one, 0.5, 1e-12);
    EXPECT_NEAR(repeats.pass_at[1].at_least_one, (0 + 5.0 / 6 + 1) / 3, 1e-12);
    EXPECT_NEAR(repeats.pass_at[2].all, 1.0 / 3, 1e-12);
    EXPECT_NEAR(repeats.agreement.value(), (1 + 1.0 / 3 + 1) / 3, 1e-12);
    EXPECT_EQ(repeats.flickering.size(), 10);
    EXPECT_TRUE(repeats.variance);
    EXPECT_EQ(overall(result).p_method, "sign_flip_prompts");
}

TEST(Changed, ListsLostPromptsFirstAndLargestFirst) {
    auto base = passing("base", 30, 30);
    auto tuned = base;
    tuned.name = "tuned";
    base.scores[2].score = 0;
    tuned.scores[5].score = 0.5;
    tuned.scores[9].score = 0;
    const auto changed = compared({base, tuned}).pairs[0].changed;
    ASSERT_EQ(changed.size(), 3);
    EXPECT_EQ(changed[0].prompt, "p0009");
    EXPECT_EQ(changed[1].prompt, "p0005");
    EXPECT_EQ(changed[2].prompt, "p0002");
}

// What is not comparable.

struct IdentityRow {
    std::string Identity::* member;
    std::string words;
    std::string allow;
};

class NotComparable : public testing::TestWithParam<IdentityRow> {};

TEST_P(NotComparable, IsRefusedAndNamed) {
    auto base = passing("base", 30, 15);
    auto tuned = passing("tuned", 30, 20);
    base.identity.*GetParam().member = "aaaaaaaaaaaaaaaaaaaa";
    tuned.identity.*GetParam().member = "bbbbbbbbbbbbbbbbbbbb";
    const auto refused = compare_variants({base, tuned});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::state);
    EXPECT_THAT(refused.error().message(), HasSubstr("not comparable"));
    EXPECT_THAT(refused.error().message(), HasSubstr(GetParam().words));
    EXPECT_FALSE(refused.error().hint().empty());
    const CompareOptions allowed{.allow_different = {"sampling", "template"}};
    const auto again = compare_variants({base, tuned}, allowed);
    EXPECT_EQ(again.has_value(), !GetParam().allow.empty());
    if (again) {
        EXPECT_THAT(again->pairs[0].notes, testing::Contains(HasSubstr(GetParam().words)));
    }
}

INSTANTIATE_TEST_SUITE_P(
    Identities,
    NotComparable,
    testing::Values(
        IdentityRow{&Identity::suite_hash, "tuned has another suite (bbbbbbbbbbbb)", ""},
        IdentityRow{&Identity::sampling_hash, "tuned has another sampling", "sampling"},
        IdentityRow{&Identity::template_hash, "tuned has another chat template", "template"}
    )
);

TEST(Comparable, AnotherBackendIsNamed) {
    auto base = passing("base", 30, 15);
    auto tuned = passing("tuned", 30, 20);
    base.identity.backend = "mlx_lm 0.32.2";
    tuned.identity.backend = "mlx_lm 0.31.0";
    EXPECT_THAT(
        compared({base, tuned}).pairs[0].notes,
        testing::ElementsAre(HasSubstr("mlx_lm 0.32.2, tuned by mlx_lm 0.31.0"))
    );
}

TEST(Comparable, WhatOneSideDoesNotTellIsNamed) {
    auto base = passing("base", 30, 15);
    base.identity.template_hash = "aaaa";
    EXPECT_THAT(
        compared({base, passing("tuned", 30, 20)}).pairs[0].notes,
        testing::ElementsAre(HasSubstr("the chat template of tuned is not known"))
    );
}

TEST(Comparable, AnotherQuestionUnderTheSameNameIsRefused) {
    auto base = passing("base", 30, 15);
    auto tuned = passing("tuned", 30, 20);
    base.scores[4].content = "a";
    tuned.scores[4].content = "b";
    EXPECT_THAT(refusal({base, tuned}), HasSubstr("ask something else: \"p0004\""));
}

TEST(Comparable, AnotherRenderingOfTheSameQuestionIsRefused) {
    auto base = passing("base", 30, 15);
    auto tuned = passing("tuned", 30, 20);
    base.scores[4].rendered = "a";
    tuned.scores[4].rendered = "b";
    EXPECT_THAT(refusal({base, tuned}), HasSubstr("chat template, system prompt or few-shot"));
    EXPECT_EQ(compared({base, tuned}, {.allow_different = {"template"}}).pairs[0].notes.size(), 1);
}

TEST(Comparable, AnotherGroupIsRefused) {
    auto base = passing("base", 30, 15);
    auto tuned = passing("tuned", 30, 20);
    base.scores[4].group = "a";
    EXPECT_TRUE(compare_variants({base, tuned}));  // only one side tells: it counts for both
    tuned.scores[4].group = "b";
    EXPECT_THAT(refusal({base, tuned}), HasSubstr("in group \"a\" in base and in group \"b\""));
}

TEST(Comparable, NothingInCommonIsRefusedEvenIfAllowed) {
    auto base = passing("base", 30, 15);
    auto tuned = base;
    for (auto& score : tuned.scores) score.prompt += "x";
    EXPECT_THAT(refusal({base, tuned}, {.only_common = true}), HasSubstr("no prompt in common"));
}

TEST(Comparable, BadTablesAreRefused) {
    const auto base = passing("base", 30, 15);
    EXPECT_THAT(refusal({base}), HasSubstr("found 1 variant"));
    EXPECT_THAT(refusal({base, passing("none", 0, 0)}), HasSubstr("no judged answers"));
    auto twice = base;
    twice.scores.push_back(twice.scores.front());
    EXPECT_THAT(refusal({base, twice}), HasSubstr("prompt \"p0000\" sample 0 is there twice"));
    auto beyond = base;
    beyond.scores[1].score = 1.5;
    EXPECT_THAT(refusal({base, beyond}), HasSubstr("score 1.5, expected 0 to 1"));
    beyond.scores[1].score = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THAT(refusal({base, beyond}), HasSubstr("expected 0 to 1"));
}

TEST(Unanswered, IsKnownToTheComparison) {
    auto base = passing("base", 30, 15);
    EXPECT_FALSE(compared({base, base}).unanswered());
    auto tuned = base;
    tuned.unanswered = 2;
    EXPECT_TRUE(compared({base, tuned}).unanswered());
}

// Gates.

TEST(Gates, TheThresholdTakesTheMeanOrTheLowerBound) {
    const auto base = passing("base", 40, 20);
    const auto comparison = compared({base, passing("tuned", 40, 34)});  // 85 %, from 70.9 %
    EXPECT_FALSE(any_failed(judge_gates(comparison, {.threshold = 0.85})));
    const auto missed = judge_gates(comparison, {.threshold = 0.8, .at_lower = true});
    ASSERT_TRUE(any_failed(missed));
    EXPECT_EQ(missed[0].message, "mean of tuned: lower bound 70.9 %, required: 80.0 %");
    EXPECT_TRUE(any_failed(judge_gates(comparison, {.threshold = 0.86})));
}

TEST(Gates, NoiseAtTheThresholdDoesNotPassTheLowerBound) {
    const auto five = compared({passing("base", 5, 5), passing("tuned", 5, 5)});
    EXPECT_TRUE(any_failed(judge_gates(five, {.threshold = 0.6, .at_lower = true})));
}

TEST(Gates, TheGainIsOfTheLastVariantOverTheBaseline) {
    const auto base = passing("base", 60, 20);
    const auto comparison = compared({base, changed(base, "tuned", 0, 12)});  // +20 points
    EXPECT_FALSE(any_failed(judge_gates(comparison, {.min_gain = 0.2})));
    EXPECT_TRUE(any_failed(judge_gates(comparison, {.min_gain = 0.21})));
    EXPECT_TRUE(any_failed(judge_gates(comparison, {.min_gain = 0.2, .at_lower = true})));
}

TEST(Gates, ARegressionMustBeShownToFail) {
    const auto base = with_categories(passing("base", 80, 80));
    auto slight = base;
    slight.name = "slight";
    slight.scores[0] = yes_no("p0000", false);
    slight.scores[0].category = "even";
    const CompareOptions named{.named_categories = {"even"}};
    const GateOptions guard{.no_regression = {"even"}};
    const auto noise = judge_gates(compared({base, slight}, named), guard);
    ASSERT_EQ(noise.size(), 1);
    EXPECT_EQ(noise[0].state, GateState::passed);
    const auto broken = judge_gates(compared({base, changed(base, "bad", 40, 0)}, named), guard);
    EXPECT_EQ(broken[0].state, GateState::failed);
    EXPECT_EQ(broken[0].name, "no_regression even (bad)");
}

TEST(Gates, ALossInFewPromptsIsUndecided) {
    auto base = passing("base", 40, 40);
    for (std::size_t at = 0; at < 5; ++at) base.scores[at].category = "rare";
    const auto worse = changed(base, "tuned", 5, 0);
    const auto gates = judge_gates(
        compared({base, worse}, {.named_categories = {"rare"}}), {.no_regression = {"rare"}}
    );
    ASSERT_EQ(gates.size(), 1);
    EXPECT_EQ(gates[0].state, GateState::undecided);
    EXPECT_THAT(gates[0].message, HasSubstr("too few to tell: 5 prompts"));
}

}  // namespace
}  // namespace punie::compare
