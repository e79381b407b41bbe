// What a suite means when nothing is wrong with it.

#include "eval/suite.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "suite_texts.hpp"

namespace punie::eval {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class WholeSuite : public SuiteFolder {
protected:
    Suite home() {
        write(
            "tools.json",
            R"([{"name": "set_light", "parameters": {"type": "object", "properties": {"room": {"type": "string"}, "on": {"type": "boolean"}}}},
                {"type": "function", "function": {"name": "set_blinds", "parameters": {"type": "object", "properties": {"room": {"type": "string"}, "closed": {"type": "boolean"}}}}},
                {"name": "get_time"}])"
        );
        write("rooms.jsonl", "{\"room\": \"attic\"}\n{\"room\": \"hall\"}\n");
        const auto file = write("home.yaml", R"(suite: home-tools
version: 3
defaults: {system: "You control a house.", temperature: 0, max_tokens: 400, tools: file://tools.json}
prompts:
  - id: light-on
    group: lights
    category: single-call
    prompt: Turn on the light in the kitchen.
    expect:
      - tool_call: {name: set_light, arguments: {room: kitchen, on: true}}
  - id: blinds-{{room}}
    group: blinds
    vars: file://rooms.jsonl
    messages: [{role: user, content: "Close the blinds in the {{room}} and tell me the time."}]
    expect:
      - tool_call:
          calls: [{name: set_blinds, arguments: {room: "{{room}}", closed: true}}, {name: get_time}]
          order: any
          extra: forbid
  - id: no-tool-needed
    category: restraint
    prompt: What is a dimmer?
    expect: [{no_tool_call: true}, {contains: dimmer, weight: 0.5}]
  - id: bill
    category: reasoning
    prompt: 3 lamps of 9 W burn for 5 hours. How many Wh? End with the number.
    expect: [{number: 135, tolerance: 0}]
    repeats: 4
gates: {accuracy: ">= 0.8 at lower bound", no_regression: [single-call]}
)");
        auto suite = read_suite(file);
        EXPECT_TRUE(suite) << suite.error().describe();
        return suite ? *std::move(suite) : Suite{};
    }
};

TEST_F(WholeSuite, HasItsHead) {
    const auto suite = home();
    EXPECT_EQ(suite.name, "home-tools");
    EXPECT_EQ(suite.version, 3);
    ASSERT_EQ(suite.gates.size(), 1U);
    EXPECT_EQ(suite.gates[0].metric, "accuracy");
    EXPECT_DOUBLE_EQ(suite.gates[0].at_least, 0.8);
    EXPECT_TRUE(suite.gates[0].lower_bound);
    EXPECT_THAT(suite.no_regression, ElementsAre("single-call"));
    EXPECT_EQ(suite.hash.size(), 64U);
    EXPECT_EQ(suite.asked_hash.size(), 64U);
    EXPECT_NE(suite.hash, suite.asked_hash);
}

TEST_F(WholeSuite, HasAPromptForEachRowWithItsOwnMessagesAndExpectations) {
    const auto suite = home();
    std::vector<std::string> ids;
    for (const auto& prompt : suite.prompts) ids.push_back(prompt.id);
    EXPECT_THAT(
        ids, ElementsAre("light-on", "blinds-attic", "blinds-hall", "no-tool-needed", "bill")
    );
    const auto& attic = suite.prompts[1];
    EXPECT_EQ(attic.group, "blinds");
    EXPECT_EQ(content_of(attic, 0), "You control a house.");
    EXPECT_EQ(content_of(attic, 1), "Close the blinds in the attic and tell me the time.");
    EXPECT_EQ(
        attic.expect[0].parameters.at("calls").at(0).at("arguments").at("room").as_string(), "attic"
    );
    EXPECT_EQ(attic.line, 11);
}

TEST_F(WholeSuite, TakesDefaultsAndBothFormsOfTools) {
    const auto suite = home();
    for (const auto& prompt : suite.prompts) {
        EXPECT_EQ(prompt.sampling.temperature, 0.0);
        EXPECT_EQ(prompt.sampling.max_tokens, 400);
        EXPECT_FALSE(prompt.sampling.top_p);
        ASSERT_EQ(prompt.tools.size(), 3U);
        for (const auto& tool : prompt.tools) {
            EXPECT_EQ(tool.at("type").as_string(), "function");
            EXPECT_TRUE(tool.at("function").at("parameters").is_object());
        }
    }
    EXPECT_EQ(suite.prompts[4].repeats, 4);
    EXPECT_EQ(suite.prompts[0].repeats, 1);
}

TEST_F(WholeSuite, KeepsOnAsAKeyAndTrueAsABoolean) {
    const auto suite = home();
    const auto& arguments = suite.prompts[0].expect[0].parameters.at("arguments");
    EXPECT_TRUE(arguments.at("on").as_bool());
}

TEST_F(WholeSuite, PutsWhatStandsBesideAScorerIntoItsParameters) {
    const auto suite = home();
    EXPECT_EQ(suite.prompts[4].expect[0].parameters, json::parse(R"({"value":135,"tolerance":0})"));
    ASSERT_EQ(suite.prompts[3].expect.size(), 2U);
    EXPECT_DOUBLE_EQ(suite.prompts[3].expect[1].weight, 0.5);
    EXPECT_EQ(suite.prompts[3].expect[1].parameters, json::value("dimmer"));
    for (const auto& prompt : suite.prompts) {
        for (const auto& expectation : prompt.expect) EXPECT_NE(expectation.judge, nullptr);
    }
}

TEST(SuiteLines, AreASuiteAsTheyAre) {
    const auto suite = suite_from(
        "{\"id\":\"a\",\"prompt\":\"Capital of "
        "{{France}}?\",\"expect\":[{\"equals\":\"Paris\"}],\"group\":\"capitals\"}\n"
        "\n"
        "{\"input\":\"Capital of Peru?\",\"target\":\"Lima\"}\r\n",
        "capitals.jsonl"
    );
    EXPECT_EQ(suite.name, "capitals");
    ASSERT_EQ(suite.prompts.size(), 2U);
    EXPECT_EQ(content_of(suite.prompts[0]), "Capital of {{France}}?")
        << "braces of others are text";
    EXPECT_EQ(suite.prompts[0].group, "capitals");
    EXPECT_THAT(suite.prompts[1].id, StartsWith("capital-of-peru-"));
    EXPECT_EQ(suite.prompts[1].expect[0].scorer, "contains");
    EXPECT_EQ(suite.prompts[1].line, 3);
}

TEST(SuiteLines, MayBeginWithALineForAll) {
    const auto suite = suite_from(
        "{\"suite\":\"x\",\"version\":2,\"defaults\":{\"system\":\"Be short.\",\"max_tokens\":8}}\n"
        "{\"prompt\":\"Hi\",\"expect\":{\"contains\":\"a\"}}\n",
        "s.jsonl"
    );
    EXPECT_EQ(suite.name, "x");
    EXPECT_EQ(suite.prompts.at(0).messages.size(), 2U);
    EXPECT_EQ(suite.prompts.at(0).sampling.max_tokens, 8);
}

TEST(SuiteLines, MayHaveRowsOfVariables) {
    const auto suite = suite_from(
        R"({"id":"{{n}}","prompt":"{{n}}?","vars":[{"n":"x"},{"n":"y"}],"expect":{"contains":"{{n}}"}})",
        "s.jsonl"
    );
    ASSERT_EQ(suite.prompts.size(), 2U);
    EXPECT_EQ(content_of(suite.prompts[1]), "y?");
}

TEST(SuiteJson, IsReadAsAListOrAsYamlIs) {
    EXPECT_EQ(
        suite_from(R"([{"prompt":"Hi","expect":{"contains":"a"}}])", "s.json").prompts.size(), 1U
    );
    const auto suite = suite_from(
        R"({"tests":[{"id":"\ud83d\ude00","prompt":"Hi \"you\"","assert":{"contains":"a"}}]})",
        "s.json"
    );
    EXPECT_EQ(suite.prompts.at(0).id, "\U0001F600");
    EXPECT_EQ(content_of(suite.prompts.at(0)), "Hi \"you\"");
}

TEST(SuitePrompt, TakesItsOwnBeforeTheDefaults) {
    const auto suite = suite_from(R"(
defaults:
  system: Be short.
  category: c
  repeats: 2
  temperature: 0.5
  stop: ["\n"]
  extra: {logprobs: true}
  expect: {contains: ok}
prompts:
  - {id: a, prompt: x}
  - {id: b, prompt: x, system: Be long., category: d, repeats: 1, temperature: 0, top_p: 0.9, top_k: 20, min_p: 0.1,
     repetition_penalty: 1.1, max_tokens: 7, seed: 12345678901, stop: [a, b], extra: {user: me}, expect: {contains: no}}
  - {id: c, prompt: x, system: ""}
  - {id: d, messages: [{role: system, content: Own.}, {role: user, content: x}]}
)");
    const auto& a = suite.prompts.at(0);
    EXPECT_EQ(content_of(a), "Be short.");
    EXPECT_EQ(a.category, "c");
    EXPECT_EQ(a.repeats, 2);
    EXPECT_THAT(a.sampling.stop, ElementsAre("\n"));
    EXPECT_EQ(a.expect.at(0).parameters, json::value("ok"));
    const auto& b = suite.prompts.at(1);
    EXPECT_EQ(content_of(b), "Be long.");
    EXPECT_EQ(b.category, "d");
    EXPECT_EQ(b.repeats, 1);
    EXPECT_EQ(b.sampling.temperature, 0.0);
    EXPECT_EQ(b.sampling.top_p, 0.9);
    EXPECT_EQ(b.sampling.top_k, 20);
    EXPECT_EQ(b.sampling.min_p, 0.1);
    EXPECT_EQ(b.sampling.repetition_penalty, 1.1);
    EXPECT_EQ(b.sampling.max_tokens, 7);
    EXPECT_EQ(b.sampling.seed, 12345678901U);
    EXPECT_THAT(b.sampling.stop, ElementsAre("a", "b"));
    EXPECT_EQ(b.sampling.extra, json::parse(R"({"logprobs":true,"user":"me"})").as_object());
    EXPECT_EQ(b.expect.at(0).parameters, json::value("no"));
    EXPECT_EQ(suite.prompts.at(2).messages.size(), 1U) << "an empty system prompt is none";
    EXPECT_EQ(suite.prompts.at(3).messages.size(), 2U);
    EXPECT_EQ(content_of(suite.prompts.at(3)), "Own.");
}

TEST(SuitePrompt, MayPickFromTheToolsOfAll) {
    const auto suite = suite_from(R"(
defaults: {tools: [{name: x}, {name: y}], expect: {contains: a}}
prompts:
  - {id: a, prompt: p, tools: [y]}
  - {id: b, prompt: p, tools: []}
  - {id: c, prompt: p, tools: [y, {name: z, description: own}]}
)");
    EXPECT_EQ(suite.prompts.at(0).tools.size(), 1U);
    EXPECT_EQ(suite.prompts.at(0).tools.at(0).at("function").at("name").as_string(), "y");
    EXPECT_TRUE(suite.prompts.at(1).tools.empty());
    EXPECT_EQ(suite.prompts.at(2).tools.size(), 2U);
}

TEST(SuitePrompt, MayBeAConversationWithCalls) {
    const auto suite = suite_from(R"(
prompts:
  - id: a
    messages:
      - {role: user, content: "Weather in Rome?"}
      - {role: assistant, tool_calls: [{function: {name: get_weather, arguments: {city: Rome}}}]}
      - {role: tool, tool_call_id: call_1, content: "{\"sky\": \"clear\"}"}
    expect: {contains: clear}
)");
    const auto& call = suite.prompts.at(0).messages.at(1).at("tool_calls").at(0);
    EXPECT_EQ(call.at("id").as_string(), "call_1");
    EXPECT_EQ(call.at("type").as_string(), "function");
    EXPECT_EQ(call.at("function").at("arguments").as_string(), R"({"city":"Rome"})")
        << "OpenAI's form has text there";
}

TEST(SuitePrompt, WithoutIdHasOneThatFollowsItsContent) {
    const auto first = suite_from(
        "prompts: [{prompt: One, expect: {contains: a}}, {prompt: Two, expect: {contains: a}}]"
    );
    const auto moved = suite_from(
        "prompts: [{prompt: Two, expect: {contains: a}}, {prompt: One, expect: {contains: a}}]"
    );
    EXPECT_EQ(first.prompts.at(0).id, moved.prompts.at(1).id);
    EXPECT_EQ(first.prompts.at(1).id, moved.prompts.at(0).id);
    EXPECT_THAT(first.prompts.at(0).id, StartsWith("one-"));
}

struct Assertion {
    std::string_view name;
    std::string_view theirs;
    std::string_view scorer;
};

class Promptfoo : public testing::TestWithParam<Assertion> {};

TEST_P(Promptfoo, AssertionsBecomeScorers) {
    const auto suite = suite_from(fmt::format(
        "tests: [{{id: a, vars: {{x: Paris}}, prompt: \"{{{{x}}}}?\", assert: [{}]}}]",
        GetParam().theirs
    ));
    ASSERT_EQ(suite.prompts.size(), 1U);
    ASSERT_EQ(suite.prompts[0].expect.size(), 1U);
    EXPECT_EQ(suite.prompts[0].expect[0].scorer, GetParam().scorer);
    EXPECT_DOUBLE_EQ(suite.prompts[0].expect[0].weight, 2);
}

INSTANTIATE_TEST_SUITE_P(
    All,
    Promptfoo,
    testing::Values(
        Assertion{"equals", "{type: equals, value: Paris, weight: 2}", "equals"},
        Assertion{"contains", "{type: contains, value: Paris, weight: 2}", "contains"},
        Assertion{"icontains", "{type: icontains, value: paris, weight: 2}", "contains"},
        Assertion{"regex", "{type: regex, value: \"P.*s\", weight: 2}", "regex"},
        Assertion{"is_json", "{type: is-json, weight: 2}", "json"},
        Assertion{"is_json_schema", "{type: is-json, value: {type: object}, weight: 2}", "json"},
        Assertion{"contains_all", "{type: contains-all, value: [a, b], weight: 2}", "keywords"},
        Assertion{"contains_any", "{type: icontains-any, value: [a, b], weight: 2}", "keywords"},
        Assertion{"not_contains", "{type: not-contains, value: London, weight: 2}", "keywords"}
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

}  // namespace

}  // namespace punie::eval
