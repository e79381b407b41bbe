// Defects sown into suites, and what lint says of them.

#include "eval/suite_lint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "suite_texts.hpp"

namespace punie::eval {

namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// "code prompt" of each finding.
std::vector<std::string> found_in(
    std::string_view text, const std::vector<std::filesystem::path>& against = {}
) {
    const auto read = parse_suite_with_notes(text, "s.yaml");
    EXPECT_TRUE(read) << read.error().describe();
    if (!read) return {};
    const auto findings = lint_suite(*read, against);
    EXPECT_TRUE(findings) << findings.error().describe();
    std::vector<std::string> words;
    for (const auto& finding : *findings) words.push_back(finding.code + " " + finding.prompt);
    return words;
}

/// A suite of enough prompts in enough groups, and this one more.
std::string sound_with(std::string_view prompt) {
    constexpr std::array towns = {"Rome", "Oslo", "Lima", "Cairo", "Quito"};
    constexpr std::array questions = {
        "Name the river that flows through {}.",
        "Which language do most people of {} speak at home?",
        "When was the oldest church of {} built, roughly?",
        "Tell a tourist in one sentence why {} is worth a visit."
    };
    std::string text = "prompts:\n";
    for (const auto* town : towns) {
        int number = 0;
        for (const auto* question : questions)
            text += fmt::format(
                "  - {{id: {}-{}, group: {}, prompt: \"{}\", expect: {{contains: \"!\"}}}}\n",
                town,
                ++number,
                town,
                fmt::format(fmt::runtime(question), town)
            );
    }
    return text + std::string(prompt);
}

TEST(SuiteLint, SaysNothingOfASoundSuite) {
    EXPECT_THAT(found_in(sound_with("")), IsEmpty());
}

struct Defect {
    std::string_view name;
    std::string_view prompt;
    std::string_view finding;
};

class LintDefect : public testing::TestWithParam<Defect> {};

TEST_P(LintDefect, IsFound) {
    EXPECT_THAT(
        found_in(sound_with(GetParam().prompt)), ElementsAre(std::string(GetParam().finding))
    );
}

INSTANTIATE_TEST_SUITE_P(
    All,
    LintDefect,
    testing::Values(
        Defect{
            "both_calls",
            "  - {id: a, group: g, prompt: x, tools: [{name: f}], expect: [{tool_call: {name: f}}, "
            "{no_tool_call: true}]}",
            "unmeetable a"
        },
        Defect{
            "contradiction",
            "  - {id: a, group: g, prompt: x, expect: [{equals: Paris}, {contains: London}]}",
            "unmeetable a"
        },
        Defect{
            "one_of_several_meets",
            "  - {id: a, group: g, prompt: x, temperature: 1, expect: [{equals: [Paris, London]}, "
            "{contains: London}]}",
            "sampled-once a"
        },
        Defect{
            "no_tools",
            "  - {id: a, group: g, prompt: x, expect: {tool_call: {name: f}}}",
            "no-tools a"
        },
        Defect{
            "empty_answer",
            "  - {id: a, group: g, prompt: x, tools: [{name: f}], expect: {no_tool_call: true}}",
            "trivial a"
        },
        Defect{
            "echo",
            "  - {id: a, group: g, prompt: \"What is a dimmer?\", expect: {contains: dimmer}}",
            "echo a"
        },
        Defect{
            "duplicate",
            "  - {id: a, group: g, prompt: \"Name the river that flows through Rome.\", expect: "
            "{contains: \"!\"}}",
            "duplicate a"
        },
        Defect{
            "near_duplicate",
            "  - {id: a, group: g, prompt: \"name THE river that flows -- through Rome\", expect: "
            "{contains: \"!\"}}",
            "near-duplicate a"
        },
        Defect{
            "sampled_once",
            "  - {id: a, group: g, prompt: x, temperature: 0.7, expect: {contains: \"!\"}}",
            "sampled-once a"
        },
        Defect{"no_group", "  - {id: a, prompt: x, expect: {contains: \"!\"}}", "some-groups "},
        Defect{"word", "  - {id: a, group: g, prompt: x, expect: {equals: yes}}", "yaml-word "}
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

TEST(SuiteLint, RelatedPromptsOfAGroupMayBeAlike) {
    EXPECT_THAT(
        found_in(sound_with("  - {id: a, group: Rome, prompt: \"name THE river that flows -- "
                            "through Rome\", expect: {contains: \"!\"}}")),
        IsEmpty()
    );
}

TEST(SuiteLint, CountsPromptsAndGroups) {
    EXPECT_THAT(
        found_in("prompts: [{id: a, prompt: x, expect: {contains: \"!\"}}]"),
        ElementsAre("few-prompts ", "no-groups ")
    );
    EXPECT_THAT(
        found_in("prompts: [{id: a, group: g, prompt: x, expect: {contains: \"!\"}}]"),
        ElementsAre("few-groups ", "few-prompts ")
    );
}

class LintAgainst : public SuiteFolder {
protected:
    static constexpr std::string_view long_question =
        "A farmer has seventeen sheep and all but nine of them run away over the hill, how many "
        "are left?";

    std::vector<std::string> leaks(std::string_view rows) {
        write("data/train.jsonl", rows);
        return found_in(
            sound_with(fmt::format(
                "  - {{id: short, group: g, prompt: \"What is a dimmer?\", expect: {{contains: "
                "\"!\"}}}}\n"
                "  - {{id: long, group: g, prompt: \"{}\", expect: {{number: 9}}}}",
                long_question
            )),
            {path("data")}
        );
    }
};

TEST_F(LintAgainst, FindsAQuestionToTheLetter) {
    EXPECT_THAT(
        leaks("{\"messages\":[{\"role\":\"user\",\"content\":\"What is a "
              "dimmer?\"},{\"role\":\"assistant\",\"content\":\"A\"}]}\n"),
        ElementsAre("leak-exact short")
    );
    EXPECT_THAT(
        leaks("{\"prompt\":\"What is a dimmer?\",\"completion\":\"A\"}\n"),
        ElementsAre("leak-exact short")
    );
    EXPECT_THAT(leaks("{\"text\":\"What is a dimmer?\"}\n"), ElementsAre("leak-exact short"));
}

TEST_F(LintAgainst, FindsAQuestionButForCaseAndPunctuation) {
    EXPECT_THAT(
        leaks("{\"prompt\":\"what  is a DIMMER\"}\n"), ElementsAre("leak-normalised short")
    );
}

TEST_F(LintAgainst, FindsThirteenWordsInARow) {
    EXPECT_THAT(
        leaks("{\"text\":\"Q: a farmer has seventeen sheep, and all but nine of them run away. A: "
              "nine\"}\n"),
        ElementsAre("leak-words long")
    );
    EXPECT_THAT(
        leaks("{\"text\":\"a farmer has seventeen sheep and all but nine of them\"}\n"), IsEmpty()
    ) << "twelve words";
}

TEST_F(LintAgainst, SaysNothingOfOtherRowsAnswersAndBrokenLines) {
    EXPECT_THAT(
        leaks("not json\n{\"prompt\":\"What is a lamp?\"}\n[]\n"
              "{\"messages\":[{\"role\":\"assistant\",\"content\":\"What is a dimmer?\"}]}\n"),
        IsEmpty()
    );
}

TEST_F(LintAgainst, NamesTheFirstRowAndCountsTheOthers) {
    write(
        "t.jsonl", "{\"prompt\":\"x\"}\n{\"prompt\":\"Hi there!\"}\n{\"prompt\":\"Hi there!\"}\n"
    );
    const auto suite =
        suite_from("prompts: [{id: a, prompt: \"Hi there!\", expect: {contains: q}}]");
    const auto leaks = find_leaks(suite, {path("t.jsonl")});
    ASSERT_TRUE(leaks);
    ASSERT_EQ(leaks->size(), 1U);
    EXPECT_THAT(leaks->front().message, HasSubstr("t.jsonl:2 and 1 more rows"));
}

TEST_F(LintAgainst, NeedsTheFiles) {
    const auto suite = suite_from("prompts: [{id: a, prompt: x, expect: {contains: q}}]");
    EXPECT_EQ(find_leaks(suite, {path("none.jsonl")}).error().code(), ErrorCode::not_found);
    std::filesystem::create_directory(path("empty"));
    EXPECT_EQ(find_leaks(suite, {path("empty")}).error().code(), ErrorCode::not_found);
}

struct ShippedSuite {
    const char* file;
    const char* training;  ///< what is trained on before it is asked, or ""
};

class LintOfShipped : public testing::TestWithParam<ShippedSuite> {};

TEST_P(LintOfShipped, HasNothingToPutRight) {
    const std::filesystem::path root = PUNIE_SOURCE_DIR;
    const auto read = read_suite_with_notes(root / GetParam().file);
    ASSERT_TRUE(read) << read.error().describe();
    std::vector<std::filesystem::path> against;
    if (*GetParam().training != '\0') against.push_back(root / GetParam().training);
    const auto findings = lint_suite(*read, against);
    ASSERT_TRUE(findings) << findings.error().describe();
    for (const auto& finding : *findings)
        EXPECT_EQ(finding.severity, LintSeverity::note)
            << finding.line << " " << finding.prompt << ": " << finding.message;
}

INSTANTIATE_TEST_SUITE_P(
    All,
    LintOfShipped,
    testing::Values(
        ShippedSuite{"suites/baseline.yaml", ""},
        ShippedSuite{"suites/tools.yaml", ""},
        ShippedSuite{"examples/quickstart/suite.yaml", "examples/quickstart/data"},
        ShippedSuite{"examples/quickstart/smollm2/suite.yaml", "examples/quickstart/smollm2/data"}
    )
);

}  // namespace

}  // namespace punie::eval
