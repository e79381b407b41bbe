// to_json and report_from_json: nothing is lost on the way, faults are named by their place.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/json.hpp>
#include <cmath>
#include <functional>

#include "report/render.hpp"
#include "unit/report/sample_data.hpp"

namespace punie::report {

namespace {

using testing::HasSubstr;

TEST(ReportData, SurvivesJsonWhole) {
    const auto written = to_json(sample_data());
    const auto read = report_from_json(written);
    ASSERT_TRUE(read) << read.error().describe();
    EXPECT_EQ(to_json(*read), written);
    EXPECT_EQ(read->prompts.front().samples.back().calls.front().path, "hermes");
    EXPECT_EQ(read->differences.front().p_adjusted, 0.0008);
    EXPECT_EQ(read->tone, Tone::good);
}

/// A member that the walk forgets would be lost on both ways and the round trip would not see it.
TEST(ReportData, WritesEveryMember) {
    const auto text = to_text(to_json(sample_data()));
    for (const auto* name :
         {"title",
          "verdict",
          "tone",
          "created",
          "run",
          "punie_version",
          "suite",
          "notes",
          "variants",
          "differences",
          "trainings",
          "prompts",
          "data",
          "findings",
          "environment",
          "commands",
          "what",
          "source",
          "mean",
          "groups",
          "counts",
          "categories",
          "sampling",
          "identity",
          "model_bytes",
          "bits_per_weight",
          "tokens_per_second",
          "baseline",
          "other",
          "exploratory",
          "p_adjusted",
          "p_method",
          "claim",
          "words",
          "smallest_visible",
          "prompts_needed",
          "power_method",
          "won",
          "lost",
          "same",
          "train_loss",
          "valid_loss",
          "memory_gb",
          "best_iteration",
          "kept_iteration",
          "settings",
          "messages",
          "tools",
          "expectations",
          "weight",
          "unparsed",
          "thinking",
          "arguments",
          "path",
          "judgements",
          "extracted",
          "completion_tokens",
          "severity",
          "why",
          "line",
          "code"}) {
        EXPECT_THAT(text, HasSubstr("\"" + std::string(name) + "\":"));
    }
}

TEST(ReportData, LeavesOutWhatIsEmpty) {
    const auto value = to_json(ReportData{});
    EXPECT_EQ(to_text(value), R"({"format":"punie-report","version":1,"tone":"unsure"})");
}

TEST(ReportData, AnEmptyReportCanBeRead) {
    EXPECT_TRUE(report_from_json(to_json(ReportData{})));
}

TEST(ReportData, KeepsALossThatIsNoNumber) {
    auto data = sample_data();
    data.trainings[0].points[1].train_loss = std::nan("");
    const auto value = to_json(data);
    EXPECT_THAT(to_text(value), HasSubstr("\"train_loss\":null"));
    const auto read = report_from_json(value);
    ASSERT_TRUE(read);
    ASSERT_TRUE(read->trainings[0].points[1].train_loss);
    EXPECT_TRUE(std::isnan(*read->trainings[0].points[1].train_loss));
}

TEST(ReportData, IgnoresMembersOfANewerPunie) {
    auto value = to_json(sample_data());
    value.as_object()["tomorrow"] = 1;
    value.at("variants").at(0).as_object()["colour"] = "red";
    EXPECT_TRUE(report_from_json(value));
}

struct Fault {
    const char* name;
    std::function<void(json::value&)> spoil;
    const char* words;
};

class Faults : public testing::TestWithParam<Fault> {};

TEST_P(Faults, AreNamedByTheirPlace) {
    auto value = to_json(sample_data());
    GetParam().spoil(value);
    const auto read = report_from_json(value);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code(), ErrorCode::protocol);
    EXPECT_THAT(read.error().describe(), HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    ReportData,
    Faults,
    testing::Values(
        Fault{"foreign", [](json::value& v) { v = json::object{{"a", 1}}; }, "no report of Punie"},
        Fault{"list", [](json::value& v) { v = json::array{}; }, "no report of Punie"},
        Fault{"version", [](json::value& v) { v.at("version") = 2; }, "version 2"},
        Fault{"title", [](json::value& v) { v.at("title") = 3; }, "/title: expected a text"},
        Fault{"tone", [](json::value& v) { v.at("tone") = "happy"; }, "/tone: expected good, bad"},
        Fault{
            "variants", [](json::value& v) { v.at("variants") = "x"; }, "/variants: expected a list"
        },
        Fault{
            "mean",
            [](json::value& v) { v.at("variants").at(1).at("mean") = 1; },
            "/variants/1/mean: expected an object"
        },
        Fault{
            "count",
            [](json::value& v) { v.at("variants").at(0).at("counts").at("cut") = -1; },
            "/variants/0/counts/cut: expected a whole number"
        },
        Fault{
            "score",
            [](json::value& v) { v.at("prompts").at(0).at("samples").at(0).at("score") = "1"; },
            "/prompts/0/samples/0/score: expected a number"
        },
        Fault{
            "passed",
            [](json::value& v) { v.at("prompts").at(0).at("samples").at(1).at("passed") = 1; },
            "/prompts/0/samples/1/passed: expected true or false"
        },
        Fault{
            "variant of a sample",
            [](json::value& v) { v.at("prompts").at(0).at("samples").at(1).at("variant") = 2; },
            "/prompts/0/samples: names variant 2 of 2"
        },
        Fault{
            "variant of a difference",
            [](json::value& v) { v.at("differences").at(0).at("other") = 9; },
            "/differences/0: names variant 9 of 2"
        }
    ),
    [](const auto& fault) {
        std::string name = fault.param.name;
        std::ranges::replace(name, ' ', '_');
        return name;
    }
);

TEST(ReportData, ReadsText) {
    const auto read = report_from_text(render_json(sample_data()));
    ASSERT_TRUE(read) << read.error().describe();
    EXPECT_EQ(to_json(*read), to_json(sample_data()));
    const auto broken = report_from_text("{\n \"format\": }");
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code(), ErrorCode::protocol);
    EXPECT_THAT(broken.error().describe(), HasSubstr("line 2"));
}

TEST(RenderJson, IsReadableAndTheSameEachTime) {
    const auto text = render_json(sample_data());
    EXPECT_THAT(text, testing::StartsWith("{\n  \"format\": \"punie-report\",\n  \"version\": 1"));
    EXPECT_THAT(text, testing::EndsWith("\n}\n"));
    EXPECT_EQ(text, render_json(sample_data()));
    const auto value = parse_json(text);
    ASSERT_TRUE(value);
    EXPECT_EQ(*value, to_json(sample_data()));
}

}  // namespace

}  // namespace punie::report
