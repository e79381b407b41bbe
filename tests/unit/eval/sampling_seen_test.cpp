// How answers were drawn, read from their requests: the same hash as the plan's, and what makes a
// score irreproducible said in words.

#include "eval/sampling_seen.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "eval/plan.hpp"
#include "unit/eval/made_suite.hpp"

namespace punie::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SamplingSeen seen_in(const Suite& suite, const PlanOptions& options) {
    SamplingSeen seen;
    const auto plan = make_plan(suite, options);
    EXPECT_TRUE(plan);
    for (const auto& request : plan->requests) {
        const ResponseRecord record{
            .suite_hash = "asked",
            .prompt_id = suite.prompts[request.prompt].id,
            .sample = request.sample,
            .request = request.body,
            .response = *parse_json(R"({"choices":[{"message":{"content":"x"}}]})")
        };
        // as it stands in a file, read again
        auto read = parse_record(to_line(record));
        EXPECT_TRUE(read);
        if (read) seen.add(*read);
    }
    return seen;
}

class HashOfRequests : public testing::TestWithParam<PlanOptions> {};

TEST_P(HashOfRequests, IsThePlans) {
    auto suite = made_suite(3);
    suite.prompts[1].sampling.temperature = 0.5;
    suite.prompts[2].sampling.top_k = 4;
    EXPECT_EQ(
        seen_in(suite, GetParam()).hash(), make_plan(suite, GetParam()).value().sampling_hash
    );
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    HashOfRequests,
    testing::Values(
        PlanOptions{},
        PlanOptions{.model = "m"},
        PlanOptions{.model = "m", .repeats = 3, .temperature = 0.8},
        PlanOptions{.model = "m", .repeats = 3, .temperature = 0.8, .seed = 7},
        PlanOptions{.model = "m", .max_tokens = 9, .request_defaults = {{"top_p", "0.9"}}}
    )
);

SamplingSeen seen(const std::vector<std::string>& requests) {
    SamplingSeen seen;
    int prompt = 0;
    for (const auto& request : requests)
        seen.add(
            {.prompt_id = fmt::format("p{}", prompt++),
             .request = parse_json(request).value().as_object()}
        );
    return seen;
}

TEST(SamplingSeen, TheOrderOfFieldsAndTheFormOfZeroAreNoSampling) {
    const auto one = seen({R"({"model":"a","temperature":0,"max_tokens":5})"}).hash();
    EXPECT_EQ(one, seen({R"({"max_tokens":5,"model":"b","temperature":0.0})"}).hash());
    EXPECT_NE(one, seen({R"({"max_tokens":5,"temperature":0.1})"}).hash());
    EXPECT_NE(one, seen({R"({"max_tokens":5})"}).hash());
}

TEST(SamplingSeen, WithoutEveryRequestNothingIsKnown) {
    EXPECT_EQ(SamplingSeen().hash(), "");
    EXPECT_EQ(seen({R"({"temperature":0})", "{}"}).hash(), "");
    EXPECT_THAT(seen({"{}"}).notes(), IsEmpty()) << "who sent no request may have said anything";
}

TEST(SamplingSeen, GreedyAnswersNeedNoNote) {
    EXPECT_THAT(seen({R"({"temperature":0})", R"({"temperature":0})"}).notes(), IsEmpty());
}

TEST(SamplingSeen, ATemperatureThatNobodySaidIsNamed) {
    EXPECT_THAT(
        seen({R"({"max_tokens":5})", R"({"temperature":0})", R"({"temperature":null})"}).notes(),
        ElementsAre(HasSubstr("2 of 3 requests do not say a temperature"))
    );
}

TEST(SamplingSeen, OneSampleAtATemperatureIsNamedSeveralAreNot) {
    EXPECT_THAT(
        seen_in(made_suite(3), {.temperature = 0.8}).notes(),
        ElementsAre(HasSubstr("3 prompts were sampled once at a temperature of up to 0.8"))
    );
    EXPECT_THAT(seen_in(made_suite(3), {.repeats = 2, .temperature = 0.8}).notes(), IsEmpty());
}

}  // namespace
}  // namespace punie::eval
