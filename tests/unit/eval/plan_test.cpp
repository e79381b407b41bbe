// A suite and options made into requests.

#include "eval/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <string>
#include <vector>

#include "unit/eval/made_suite.hpp"

namespace punie::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Plan planned(const Suite& suite, const PlanOptions& options = {}) {
    auto plan = make_plan(suite, options);
    EXPECT_TRUE(plan) << plan.error().message();
    return plan ? *plan : Plan{};
}

/// "id/sample" of each request.
std::vector<std::string> asked(const Suite& suite, const Plan& plan) {
    std::vector<std::string> words;
    words.reserve(plan.requests.size());
    for (const auto& request : plan.requests)
        words.push_back(fmt::format("{}/{}", suite.prompts[request.prompt].id, request.sample));
    return words;
}

TEST(Plan, WhatIsNotSaidIsSaidHere) {
    const auto plan = planned(made_suite(1), {.model = "m"});
    ASSERT_EQ(plan.requests.size(), 1U);
    EXPECT_EQ(
        to_text(plan.requests[0].body),
        R"({"model":"m","messages":[{"role":"user","content":"Say p000."}],)"
        R"("temperature":0E0,"max_tokens":512})"
    );
}

TEST(Plan, NoModelNameNoMember) {
    EXPECT_FALSE(planned(made_suite(1)).requests[0].body.contains("model"));
}

TEST(Plan, EverySamplingFieldIsSent) {
    auto suite = made_suite(1);
    suite.prompts[0].sampling = {
        .temperature = 0.5,
        .top_p = 0.25,
        .top_k = 40,
        .min_p = 0.125,
        .repetition_penalty = 1.5,
        .max_tokens = 7,
        .seed = 9,
        .stop = {"a", "b"},
        .extra = {{"logit_bias", json::object{{"1", 2}}}}
    };
    auto body = planned(suite).requests[0].body;
    body.erase("messages");
    EXPECT_EQ(
        json::value(body), *parse_json(R"({"temperature":0.5,"top_p":0.25,"top_k":40,"min_p":0.125,
            "repetition_penalty":1.5,"max_tokens":7,"seed":9,"stop":["a","b"],
            "logit_bias":{"1":2}})")
    );
}

TEST(Plan, OptionsComeBeforeTheSuite) {
    auto suite = made_suite(1);
    suite.prompts[0].sampling = {.temperature = 0.5, .max_tokens = 7, .seed = 9};
    suite.prompts[0].repeats = 3;
    const auto plan =
        planned(suite, {.repeats = 1, .max_tokens = 11, .temperature = 0.25, .seed = 100});
    ASSERT_EQ(plan.requests.size(), 1U);
    const auto& body = plan.requests[0].body;
    EXPECT_EQ(body.at("temperature"), 0.25);
    EXPECT_EQ(body.at("max_tokens"), 11);
    EXPECT_EQ(body.at("seed"), 100);
}

TEST(Plan, DefaultsFillOnlyWhatIsMissing) {
    auto suite = made_suite(1);
    suite.prompts[0].sampling.top_p = 0.5;
    const auto plan = planned(
        suite,
        {.request_defaults = {{"top_p", "0.9"}, {"repetition_penalty", "1.1"}, {"stop", "[\"x\"]"}}}
    );
    const auto& body = plan.requests[0].body;
    EXPECT_EQ(body.at("top_p"), 0.5);
    EXPECT_EQ(body.at("repetition_penalty"), 1.1);
    EXPECT_EQ(body.at("stop"), *parse_json("[\"x\"]"));
}

TEST(Plan, ToolsGoAlong) {
    auto suite = made_suite(2);
    suite.prompts[1].tools = {json::object{{"type", "function"}}};
    const auto plan = planned(suite);
    EXPECT_FALSE(plan.requests[0].body.contains("tools"));
    EXPECT_EQ(plan.requests[1].body.at("tools"), *parse_json(R"([{"type":"function"}])"));
}

// Seeds.

std::vector<std::string> seeds(const Plan& plan) {
    std::vector<std::string> all;
    all.reserve(plan.requests.size());
    for (const auto& request : plan.requests) {
        const auto* seed = request.body.if_contains("seed");
        all.push_back(seed == nullptr ? "none" : to_text(*seed));
    }
    return all;
}

struct SeedRow {
    const char* name;
    double temperature;
    std::optional<std::uint64_t> of_suite;
    std::optional<std::uint64_t> given;
    std::vector<std::string> seeds;
};

class Seeds : public testing::TestWithParam<SeedRow> {};

TEST_P(Seeds, OfThreeSamples) {
    auto suite = made_suite(1);
    suite.prompts[0].sampling.temperature = GetParam().temperature;
    suite.prompts[0].sampling.seed = GetParam().of_suite;
    EXPECT_EQ(seeds(planned(suite, {.repeats = 3, .seed = GetParam().given})), GetParam().seeds);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    Seeds,
    testing::Values(
        SeedRow{"GreedyNeedsNone", 0, {}, {}, {"none", "none", "none"}},
        SeedRow{"WarmHasOne", 0.7, {}, {}, {"1", "2", "3"}},
        SeedRow{"OfTheSuite", 0.7, 40, {}, {"40", "41", "42"}},
        SeedRow{"Given", 0.7, 40, 7, {"7", "8", "9"}},
        SeedRow{"GivenThoughGreedy", 0, {}, 7, {"7", "8", "9"}},
        SeedRow{"Zero", 0.7, {}, 0, {"0", "1", "2"}}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST(Plan, AGivenTemperatureDecidesWhetherASeedIsNeeded) {
    auto suite = made_suite(1);
    suite.prompts[0].sampling.temperature = 0.7;
    EXPECT_THAT(seeds(planned(suite, {.temperature = 0.0})), ElementsAre("none"));
}

// Which prompts.

TEST(Plan, ByPromptThenBySample) {
    auto suite = made_suite(3);
    suite.prompts[1].repeats = 2;
    const auto plan = planned(suite);
    EXPECT_THAT(asked(suite, plan), ElementsAre("p000/0", "p001/0", "p001/1", "p002/0"));
    EXPECT_EQ(plan.prompts, 3U);
}

struct OnlyRow {
    const char* name;
    std::vector<std::string> only;
    std::vector<std::string> asked;
};

class Only : public testing::TestWithParam<OnlyRow> {};

TEST_P(Only, ChoosesPrompts) {
    auto suite =
        made_suite({made_prompt("light-on"), made_prompt("light-off"), made_prompt("sum")});
    suite.prompts[0].group = "lights";
    suite.prompts[0].category = "tools";
    suite.prompts[1].group = "lights";
    suite.prompts[1].category = "tools";
    suite.prompts[2].category = "maths";
    EXPECT_EQ(asked(suite, planned(suite, {.only = GetParam().only})), GetParam().asked);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    Only,
    testing::Values(
        OnlyRow{"All", {}, {"light-on/0", "light-off/0", "sum/0"}},
        OnlyRow{"Id", {"sum"}, {"sum/0"}},
        OnlyRow{"Group", {"lights"}, {"light-on/0", "light-off/0"}},
        OnlyRow{"Category", {"maths"}, {"sum/0"}},
        OnlyRow{"Several", {"sum", "light-on"}, {"light-on/0", "sum/0"}},
        OnlyRow{"Star", {"*"}, {"light-on/0", "light-off/0", "sum/0"}},
        OnlyRow{"StarBehind", {"light-*"}, {"light-on/0", "light-off/0"}},
        OnlyRow{"StarBefore", {"*-on"}, {"light-on/0"}},
        OnlyRow{"StarInside", {"l*f"}, {"light-off/0"}},
        OnlyRow{"StarForNothing", {"sum*"}, {"sum/0"}},
        OnlyRow{"TwoStars", {"*ight*o*"}, {"light-on/0", "light-off/0"}},
        OnlyRow{"PartsDoNotOverlap", {"light-*-on", "su*um", "sum"}, {"sum/0"}},
        OnlyRow{"FirstThatFits", {"*-o*n"}, {"light-on/0"}}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST(Plan, ManyStarsTakeNoLongTime) {
    auto suite = made_suite({made_prompt(std::string(2000, 'a'))});
    std::string pattern;
    for (int i = 0; i < 200; ++i) pattern += "*a";
    pattern += "*b";
    const auto began = std::chrono::steady_clock::now();
    EXPECT_FALSE(make_plan(suite, {.only = {pattern}}));
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

TEST(Plan, TheLimitCountsPromptsThatAreWanted) {
    auto suite = made_suite(10);
    const auto plan =
        planned(suite, {.repeats = 2, .limit = 2, .only = {"p00[", "p*5", "p*7", "p*9"}});
    EXPECT_THAT(asked(suite, plan), ElementsAre("p005/0", "p005/1", "p007/0", "p007/1"));
    EXPECT_EQ(plan.prompts, 2U);
    EXPECT_EQ(planned(suite, {.limit = 100}).prompts, 10U);
}

// The hash.

TEST(Plan, TheSamplingHashIsThatOfWhatIsSent) {
    const auto suite = made_suite(3);
    const auto hash = planned(suite).sampling_hash;
    EXPECT_EQ(hash.size(), 64U);
    EXPECT_EQ(hash, planned(suite, {.temperature = 0.0}).sampling_hash) << "the same, said aloud";
    EXPECT_EQ(hash, planned(suite, {.max_tokens = 512}).sampling_hash);
    EXPECT_EQ(hash, planned(suite, {.repeats = 5}).sampling_hash) << "repeats are no sampling";
    EXPECT_EQ(hash, planned(suite, {.model = "other"}).sampling_hash);
    EXPECT_NE(hash, planned(suite, {.temperature = 0.1}).sampling_hash);
    EXPECT_NE(hash, planned(suite, {.max_tokens = 513}).sampling_hash);
    EXPECT_NE(hash, planned(suite, {.seed = 1}).sampling_hash);
    EXPECT_NE(hash, planned(suite, {.request_defaults = {{"top_p", "0.9"}}}).sampling_hash);
}

TEST(Plan, TheHashStaysOverVersions) {
    // changing it makes every stored run incomparable with new ones
    EXPECT_EQ(
        planned(made_suite(1)).sampling_hash,
        "f15f7f4c8c021a09776d11d61e915b20e2952dac26f4a527cdafc93cfb4220ea"
    );
}

TEST(Plan, DistinctSamplingsAreListedOnce) {
    auto suite = made_suite(4);
    suite.prompts[3].sampling.temperature = 0.5;
    EXPECT_EQ(
        to_text(planned(suite).samplings),
        R"([{"temperature":0E0,"max_tokens":512},{"temperature":5E-1,"max_tokens":512,"seed":1}])"
    );
}

TEST(Plan, TheOrderOfPromptsDoesNotChangeTheHash) {
    auto suite = made_suite(2);
    suite.prompts[1].sampling.temperature = 0.5;
    const auto hash = planned(suite).sampling_hash;
    std::swap(suite.prompts[0], suite.prompts[1]);
    EXPECT_EQ(planned(suite).sampling_hash, hash);
}

// What is refused.

struct Bad {
    const char* name;
    PlanOptions options;
    std::vector<std::string> words;
};

class RefusedPlan : public testing::TestWithParam<Bad> {};

TEST_P(RefusedPlan, NamesFieldAndValue) {
    const auto plan = make_plan(made_suite(2), GetParam().options);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code(), ErrorCode::invalid_argument);
    for (const auto& word : GetParam().words) EXPECT_THAT(plan.error().describe(), HasSubstr(word));
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    RefusedPlan,
    testing::Values(
        Bad{"NoRepeats", {.repeats = 0}, {"repeats: 0", "1 to 10000"}},
        Bad{"TooManyRepeats", {.repeats = 10'001}, {"repeats: 10001"}},
        Bad{"NoTokens", {.max_tokens = 0}, {"max_tokens: 0"}},
        Bad{"Cold", {.temperature = -0.1}, {"temperature: -0.1"}},
        Bad{"Hot", {.temperature = 2.1}, {"temperature: 2.1"}},
        Bad{"NoNumber", {.temperature = std::nan("")}, {"temperature: nan"}},
        Bad{"NothingMatches", {.only = {"x", "y*"}}, {"only", "x, y*", "made", "punie suite show"}},
        Bad{"NoJson", {.request_defaults = {{"top_p", "much"}}}, {"top_p", "\"much\"", "JSON"}}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST(Plan, ASuiteWithoutPromptsIsToldSo) {
    const auto plan = make_plan(made_suite(0), {});
    ASSERT_FALSE(plan);
    EXPECT_THAT(plan.error().message(), HasSubstr("no prompts"));
}

}  // namespace
}  // namespace punie::eval
