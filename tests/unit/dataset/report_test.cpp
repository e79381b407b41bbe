// Codes, JSON, SARIF, baseline, limits, the renderer's findings.
#include "dataset/report_json.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "base/json.hpp"
#include "dataset/codes.hpp"
#include "unit/dataset/data_folder.hpp"

namespace punie::dataset {
namespace {

TEST(Codes, AreSortedUniqueAndExplained) {
    std::string before;
    for (const auto& info : all_codes()) {
        EXPECT_GT(std::string(info.code), before);
        before = info.code;
        EXPECT_EQ(info.code.size(), 4U);
        EXPECT_FALSE(info.title.empty() || info.why.empty() || info.fix.empty()) << info.code;
        EXPECT_EQ(&code_info(info.code), &info);
    }
}

TEST(Codes, AreThoseOfTheDocumentation) {
    const auto page = read_text(PUNIE_SOURCE_DIR "/docs/dataset-findings.md");
    ASSERT_TRUE(page);
    EXPECT_EQ(*page, codes_as_markdown())
        << "the table and the page differ: take what is expected here";
}

class Report : public testing::Test {
protected:
    Report() {
        folder_.write(
            "train.jsonl", chat_rows(3) + "{\"mesages\": []}\n" + "{\n" + chat_rows(3, 3)
        );
        folder_.write("valid.jsonl", chat_rows(4, 8));
    }

    DataReport check(ValidateOptions options = {}) const {
        auto report = validate_data(folder_.path(), options);
        EXPECT_TRUE(report);
        return *std::move(report);
    }

    TestFolder folder_;
};

TEST_F(Report, CountsAndSorts) {
    const auto report = check();
    EXPECT_EQ(report.errors, 2U);
    EXPECT_FALSE(report.usable());
    ASSERT_EQ(report.findings.size(), 3U);
    EXPECT_EQ(report.findings[0].code, "D705");
    EXPECT_EQ(report.findings[1].code, "D204");
    EXPECT_EQ(report.findings[1].line, 4U);
    EXPECT_EQ(report.findings[2].code, "D120");
    EXPECT_EQ(report.findings[2].line, 5U);
    EXPECT_EQ(report.findings[2].column, 2U);
    EXPECT_EQ(report.train()->bad_rows, 1U);
    EXPECT_EQ(report.train()->rows, 7U);
}

TEST_F(Report, AsJson) {
    const auto value = *parse_json(to_text(report_as_json(check())));
    EXPECT_EQ(bool_member(value, "ok"), false);
    const auto& finding = member(value, "findings")->as_array().at(1);
    for (const auto* name :
         {"code", "severity", "file", "field", "message", "why", "fix", "fingerprint"})
        EXPECT_TRUE(string_member(finding, name)) << name;
    EXPECT_EQ(integer_member(*member(value, "counts"), "D204"), 1);
    EXPECT_EQ(member(value, "splits")->as_array().size(), 2U);
}

TEST_F(Report, AsSarif) {
    const auto value = parse_json(report_as_sarif(check(), "my data/set"));
    ASSERT_TRUE(value);
    EXPECT_EQ(string_member(*value, "version"), "2.1.0");
    const auto& run = member(*value, "runs")->as_array().front();
    const auto& driver = *member(*member(run, "tool"), "driver");
    const auto& rules = member(driver, "rules")->as_array();
    const auto& results = member(run, "results")->as_array();
    ASSERT_EQ(results.size(), 3U);
    for (const auto& result : results) {
        const auto index = integer_member(result, "ruleIndex").value();
        EXPECT_EQ(
            string_member(rules.at(static_cast<std::size_t>(index)), "id"),
            string_member(result, "ruleId")
        );
        EXPECT_THAT(
            string_member(result, "level").value(), testing::AnyOf("error", "warning", "note")
        );
        EXPECT_FALSE(string_member(*member(result, "message"), "text").value().empty());
    }
    const auto& place =
        *member(member(results[1], "locations")->as_array().front(), "physicalLocation");
    EXPECT_EQ(
        string_member(*member(place, "artifactLocation"), "uri"), "my%20data/set/train.jsonl"
    );
    EXPECT_EQ(integer_member(*member(place, "region"), "startLine"), 4);
}

TEST_F(Report, ABaselineSilencesWhatIsKnownAndFollowsMovedRows) {
    folder_.write("known.json", baseline_text(check()));
    const auto known = read_baseline(folder_.path() / "known.json");
    ASSERT_TRUE(known);
    EXPECT_EQ(known->size(), 3U);
    // The bad rows move, and a new one comes.
    folder_.write(
        "train.jsonl", "[1]x\n" + chat_rows(3) + "{\"mesages\": []}\n{\n" + chat_rows(3, 3)
    );
    folder_.write(
        "train.jsonl",
        chat_rows(4) + "{\"mesages\": []}\n{\n" + chat_rows(2, 4) + "{\"promt\": 1}\n"
    );
    const auto report = check({.accepted = *known});
    EXPECT_EQ(report.errors, 1U);
    EXPECT_EQ(report.accepted, 2U);
    EXPECT_THAT(report.counts, testing::ElementsAre(testing::Pair("D204", 1U)));
}

TEST_F(Report, WhatIsNoBaselineIsRefused) {
    folder_.write("other.json", "{\"findings\": []}");
    EXPECT_EQ(
        read_baseline(folder_.path() / "other.json").error().code(), ErrorCode::invalid_argument
    );
    EXPECT_EQ(read_baseline(folder_.path() / "none.json").error().code(), ErrorCode::not_found);
}

TEST_F(Report, MoreFindingsThanAreKeptAreCounted) {
    std::string rows = chat_rows(4);
    for (int row = 0; row < 50; ++row) rows += "{\"mesages\": []}\n";
    folder_.write("train.jsonl", rows);
    const auto report = check({.max_findings = 5});
    EXPECT_EQ(report.counts.at("D204"), 50U);
    EXPECT_EQ(std::ranges::count(report.findings, "D204", &Finding::code), 5);
    EXPECT_EQ(check({.max_findings = 0}).findings.size(), 51U) << "and the rows left over";
}

TEST_F(Report, AFolderOrFileThatIsNotThere) {
    EXPECT_EQ(validate_data(folder_.path() / "none").error().code(), ErrorCode::not_found);
    const TestFolder empty;
    const auto report = validate_data(empty.path());
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->counts.contains("D101"));
}

TEST_F(Report, MisnamedFilesAreNamed) {
    const TestFolder other;
    other.write("train.jsonl", chat_rows(4));
    other.write("val.jsonl", chat_rows(4, 4));
    other.write("Test.json", "[]");
    other.write("notes.txt", "x");
    const auto report = validate_data(other.path());
    ASSERT_TRUE(report);
    EXPECT_EQ(report->counts.at("D103"), 2U);
    EXPECT_EQ(report->counts.at("D104"), 1U);
    EXPECT_THAT(report->findings.back().message, testing::HasSubstr("mlx_lm reads"));
}

TEST_F(Report, ACheckCanBeStopped) {
    std::string rows;
    for (int round = 0; round < 100; ++round) rows += chat_rows(12);
    folder_.write("train.jsonl", rows);
    std::stop_source stop;
    stop.request_stop();
    const auto report = validate_data(folder_.path(), {.stop = stop.get_token()});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), ErrorCode::cancelled);
}

/// Says of each row what the test wants.
class ScriptedRenderer final : public RowRenderer {
public:
    ModelFacts facts{.name = "model", .has_template = true, .eos_texts = {"<end>"}};
    std::vector<RenderedRow> rows;
    std::optional<Error> failure;

    Result<void> render(const RenderRequest& request, const OnFacts& on_facts, const OnRow& on_row)
        override {
        asked = request;
        if (failure) return std::unexpected(*failure);
        on_facts(facts);
        for (const auto& row : rows) on_row(row);
        return {};
    }

    RenderRequest asked;
};

RenderedRow rendered(std::size_t line, std::size_t tokens, std::size_t trained) {
    RenderedRow row;
    row.line = line;
    row.keys = 1;
    row.tokens = tokens;
    row.trained = trained;
    return row;
}

class Rendered : public testing::Test {
protected:
    Rendered() {
        folder_.write("train.jsonl", chat_rows(4));
        for (std::size_t line = 1; line <= 4; ++line)
            renderer_.rows.push_back(rendered(line, 100, 40));
    }

    DataReport check() {
        auto report = validate_data(
            folder_.path() / "train.jsonl",
            {.max_seq_length = 120, .mask_prompt = true, .renderer = &renderer_}
        );
        EXPECT_TRUE(report);
        return *std::move(report);
    }

    TestFolder folder_;
    ScriptedRenderer renderer_;
};

TEST_F(Rendered, FiguresAreExact) {
    const auto report = check();
    EXPECT_TRUE(report.findings.empty());
    const auto& split = report.splits.front();
    EXPECT_TRUE(split.exact_tokens);
    EXPECT_EQ(split.tokens, 400U);
    EXPECT_EQ(split.trained_tokens, 160U);
    EXPECT_EQ(split.longest, 100U);
    EXPECT_TRUE(renderer_.asked.mask_prompt);
    EXPECT_EQ(renderer_.asked.max_seq_length, 120U);
}

TEST_F(Rendered, EachFaultOfARowHasItsCode) {
    auto& rows = renderer_.rows;
    rows[0].tokens = 150;
    rows[1].trained = 0;
    rows[1].offset = 120;
    rows[2].prompt_differs = true;
    rows[2].training_text = "<think></think>";
    rows[2].serving_text = "<think>";
    rows[2].double_bos = true;
    rows[3].ends_with_eos = false;
    rows[3].last_token = "x";
    rows[3].double_encoded = true;
    rows.push_back({.line = 5, .error = "UndefinedError: no"});
    const auto report = check();
    std::vector<std::string> found;
    for (const auto& finding : report.findings)
        found.push_back(fmt::format("{}:{}", finding.line, finding.code));
    EXPECT_THAT(
        found,
        testing::ElementsAre("1:D701", "2:D702", "3:D902", "3:D907", "4:D903", "4:D906", "5:D901")
    );
    EXPECT_THAT(
        report.findings[2].message,
        testing::AllOf(
            testing::HasSubstr("<think></think>"), testing::HasSubstr("serving sends \"<think>\"")
        )
    );
    EXPECT_EQ(report.splits.front().rows_untrained, 1U);
    EXPECT_EQ(report.splits.front().rows_too_long, 1U);
}

TEST_F(Rendered, TheModelsFaultsAreSaidOnce) {
    renderer_.facts.has_template = false;
    for (auto& row : renderer_.rows) row.error = "no template";
    EXPECT_THAT(check().counts, testing::ElementsAre(testing::Pair("D904", 1U)));
    renderer_.facts = {.name = "model", .has_template = true, .serving_differs = true};
    for (auto& row : renderer_.rows) row.error.clear();
    EXPECT_THAT(check().counts, testing::ElementsAre(testing::Pair("D905", 1U)));
}

TEST_F(Rendered, FailuresComeThrough) {
    renderer_.failure = Error(ErrorCode::program_missing, "no mlx_lm");
    const auto report = validate_data(folder_.path(), {.renderer = &renderer_});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), ErrorCode::program_missing);
}

}  // namespace
}  // namespace punie::dataset
