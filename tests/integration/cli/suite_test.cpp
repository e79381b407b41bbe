// `punie suite` as a person runs it.

#include <fstream>

#include "cli_fixture.hpp"

namespace punie::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string quickstart = PUNIE_SOURCE_DIR "/examples/quickstart/suite.yaml";

class SuiteCommand : public CliFixture {
protected:
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path() / name) << text;
        return (path() / name).native();
    }
};

TEST_F(SuiteCommand, ShowsThePromptsAsTheyAreSent) {
    auto program = punie({"suite", "show", quickstart, "--only", "cold-Athens"});
    EXPECT_EQ(program.wait(), 0) << program.err();
    EXPECT_THAT(
        program.out(),
        AllOf(
            HasSubstr("120 prompts in 20 groups, categories known-city (60), new-city (60)"),
            HasSubstr("cold-Athens  group Athens, category known-city"),
            HasSubstr("Is it cold today in Athens?"),
            HasSubstr("get_weather, get_time"),
            HasSubstr(R"(sampling  {"max_tokens":48,"temperature":0})"),
            HasSubstr(R"(tool_call {"name":"get_weather","arguments":{"city":"Athens"}})"),
            Not(HasSubstr("Bogota"))
        )
    );
}

TEST_F(SuiteCommand, ShowsThemAsJson) {
    auto program = punie({"suite", "show", quickstart, "--only", "Athens", "--json"});
    EXPECT_EQ(program.wait(), 0) << program.err();
    const auto lines = program.json_lines();
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(string_member(lines[0], "suite"), "quickstart");
    EXPECT_EQ(string_member(lines[0], "hash")->size(), 64U);
    const auto& prompts = lines[0].at("prompts").as_array();
    ASSERT_EQ(prompts.size(), 6U);
    EXPECT_EQ(
        prompts[0].at("request").at("messages").at(0).at("content").as_string(),
        "Is it cold today in Athens?"
    );
    EXPECT_EQ(prompts[0].at("request").at("temperature").to_number<double>(), 0);
}

TEST_F(SuiteCommand, NamesEveryFaultOfASuite) {
    const auto file =
        write("bad.yaml", "promts: []\nprompts: [{prompt: 5, expect: {contain: a}}]\n");
    auto program = punie({"suite", "show", file});
    EXPECT_EQ(program.wait(), 2);
    EXPECT_EQ(program.out(), "");
    EXPECT_THAT(
        program.err(),
        AllOf(
            HasSubstr("bad.yaml:1:1: unknown key `promts`; did you mean `prompts`?"),
            HasSubstr("bad.yaml:2:20: prompts[0].prompt: expected text"),
            HasSubstr("bad.yaml:2:32: prompts[0].expect: unknown scorer `contain`")
        )
    );
}

TEST_F(SuiteCommand, FailsWhenNothingIsMeant) {
    auto program = punie({"suite", "show", quickstart, "--only", "nowhere"});
    EXPECT_EQ(program.wait(), 2);
    EXPECT_THAT(program.err(), HasSubstr("nowhere"));
    auto missing = punie({"suite", "lint", (path() / "none.yaml").native(), "--json"});
    EXPECT_EQ(missing.wait(), 2);
    EXPECT_EQ(string_member(missing.json_lines().at(0), "code"), "not_found");
}

TEST_F(SuiteCommand, LintsAgainstTheTrainingData) {
    auto program = punie(
        {"suite", "lint", quickstart, "--against", PUNIE_SOURCE_DIR "/examples/quickstart/data"}
    );
    EXPECT_EQ(program.wait(), 0) << program.out();
    EXPECT_THAT(program.out(), HasSubstr("nothing to put right"));
}

TEST_F(SuiteCommand, SaysWhatLintFound) {
    const auto file =
        write("s.yaml", "prompts: [{id: a, prompt: What is it, expect: {contains: is}}]\n");
    const auto rows = write("t.jsonl", "{\"prompt\":\"What is it\",\"completion\":\"x\"}\n");
    auto program = punie({"suite", "lint", file, "--against", rows});
    EXPECT_EQ(program.wait(), 1);
    EXPECT_THAT(
        program.out(),
        AllOf(
            HasSubstr("s.yaml:1: error: a: the question stands in the training data"),
            HasSubstr("t.jsonl:1 [leak-exact]"),
            HasSubstr("warning: a: an answer that only repeats the question"),
            HasSubstr("[few-prompts]"),
            HasSubstr("3 to put right")
        )
    );
    auto again = punie({"suite", "lint", file, "--against", rows, "--json"});
    EXPECT_EQ(again.wait(), 1);
    const auto result = again.json_lines().at(0);
    EXPECT_EQ(bool_member(result, "ok"), false);
    EXPECT_EQ(result.at("findings").as_array().size(), 4U);
}

TEST_F(SuiteCommand, PrintsTheSchema) {
    auto program = punie({"suite", "schema"});
    EXPECT_EQ(program.wait(), 0);
    const auto schema = parse_json(program.out());
    ASSERT_TRUE(schema) << schema.error().describe();
    EXPECT_EQ(string_member(*schema, "$schema"), "http://json-schema.org/draft-07/schema#");
    EXPECT_NE(schema->at("definitions").as_object().if_contains("expectation"), nullptr);
    EXPECT_THAT(program.out(), HasSubstr("\n  \"title\": "));
}

TEST_F(SuiteCommand, AloneShowsItsHelp) {
    auto program = punie({"suite"});
    EXPECT_EQ(program.wait(), 2);
    EXPECT_THAT(program.err(), AllOf(HasSubstr("show"), HasSubstr("lint"), HasSubstr("schema")));
}

}  // namespace
}  // namespace punie::cli
