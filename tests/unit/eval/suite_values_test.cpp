// How values are typed, variables put in, rows read, and what the hashes depend on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>

#include "eval/suite.hpp"
#include "eval/suite_notes.hpp"
#include "eval/suite_parts.hpp"
#include "eval/suite_source.hpp"
#include "suite_texts.hpp"

namespace punie::eval {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Typed {
    std::string_view yaml;
    std::string_view json;
};

class YamlValue : public testing::TestWithParam<Typed> {};

TEST_P(YamlValue, IsTypedAsJsonWouldTypeIt) {
    Faults faults;
    const auto root = read_yaml(fmt::format("x: {}\n", GetParam().yaml), "s.yaml", faults);
    ASSERT_TRUE(root) << faults.error().message();
    EXPECT_EQ(to_text(to_json(*root->find("x"))), GetParam().json);
}

INSTANTIATE_TEST_SUITE_P(
    All,
    YamlValue,
    testing::Values(
        Typed{"1", "1"},
        Typed{"-1", "-1"},
        Typed{"1.5", "1.5E0"},
        Typed{"1e3", "1E3"},
        Typed{"0", "0"},
        Typed{"007", "\"007\""},
        Typed{"0x1F", "\"0x1F\""},
        Typed{"0o7", "\"0o7\""},
        Typed{"1_000", "\"1_000\""},
        Typed{"+1", "\"+1\""},
        Typed{".5", "\".5\""},
        Typed{"1.", "\"1.\""},
        Typed{".inf", "\".inf\""},
        Typed{"9007199254740993", "9007199254740993"},
        Typed{"18446744073709551615", "18446744073709551615"},
        Typed{"12:30:45", "\"12:30:45\""},
        Typed{"2024-01-31", "\"2024-01-31\""},
        Typed{"yes", "\"yes\""},
        Typed{"No", "\"No\""},
        Typed{"on", "\"on\""},
        Typed{"off", "\"off\""},
        Typed{"y", "\"y\""},
        Typed{"true", "true"},
        Typed{"false", "false"},
        Typed{"True", "\"True\""},
        Typed{"null", "null"},
        Typed{"~", "null"},
        Typed{"", "null"},
        Typed{"Null", "null"},
        Typed{"\"\"", "\"\""},
        Typed{"\"1\"", "\"1\""},
        Typed{"'true'", "\"true\""},
        Typed{"\"null\"", "\"null\""},
        Typed{"!!str 1", "\"1\""},
        Typed{"{on: true, off: [1, a]}", R"({"on":true,"off":[1,"a"]})"},
        Typed{"|\n  a\n  1\n", "\"a\\n1\\n\""},
        Typed{">-\n  a\n  b\n", "\"a b\""}
    )
);

TEST(YamlAliases, StandForTheirValue) {
    Faults faults;
    const auto root = read_yaml("a: &x {b: [1, 2]}\nc: *x\nd: &y text\ne: *y\n", "s.yaml", faults);
    ASSERT_TRUE(root) << faults.error().message();
    EXPECT_EQ(
        to_text(to_json(*root)), R"({"a":{"b":[1,2]},"c":{"b":[1,2]},"d":"text","e":"text"})"
    );
}

TEST(YamlWords, ThatLookLikeBooleansAreNoted) {
    const auto read = parse_suite_with_notes(
        "prompts:\n  - id: a\n    prompt: \"no\"\n    expect:\n      - equals: yes\n", "s.yaml"
    );
    ASSERT_TRUE(read) << read.error().message();
    ASSERT_EQ(read->notes.size(), 1U);
    EXPECT_EQ(read->notes[0].line, 5);
    EXPECT_THAT(read->notes[0].message, HasSubstr("`yes` is text here"));
}

struct Filled {
    std::string_view name;
    std::string_view text;  ///< of the prompt, in YAML's double quotes
    std::string_view result;
};

class Template : public testing::TestWithParam<Filled> {};

TEST_P(Template, IsFilled) {
    const auto suite = suite_from(fmt::format(
        "defaults: {{vars: {{who: you, n: 3}}}}\n"
        "prompts: [{{id: a, prompt: \"{}\", vars: {{n: 1.50, t: x y, yes: true, empty: \"\", "
        "braces: \"{{{{n}}}}\"}}, "
        "expect: {{contains: a}}}}]",
        GetParam().text
    ));
    ASSERT_EQ(suite.prompts.size(), 1U);
    EXPECT_EQ(content_of(suite.prompts[0]), GetParam().result);
}

INSTANTIATE_TEST_SUITE_P(
    All,
    Template,
    testing::Values(
        Filled{"plain", "a } { b", "a } { b"},
        Filled{"middle", "a {{t}} b", "a x y b"},
        Filled{"spaces", "{{  t }}!", "x y!"},
        Filled{"as_written", "cost {{n}}", "cost 1.50"},
        Filled{"boolean", "is {{yes}}", "is true"},
        Filled{"empty", "a{{empty}}b", "ab"},
        Filled{"of_all", "hi {{who}}", "hi you"},
        Filled{"twice", "{{t}}{{t}}", "x yx y"},
        Filled{"escaped", "\\\\{{t}} {{t}}", "{{t}} x y"},
        Filled{"not_again", "v: {{braces}}", "v: {{n}}"}
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

TEST(TemplateValue, ReachesTheDefaultsToo) {
    const auto suite = suite_from(R"(
defaults: {group: "{{room}}", category: "{{kind}}-room", system: "You are in the {{room}}.", prompt: "{{room}}?"}
prompts: [{id: "x-{{room}}", vars: [{room: hall, kind: big}], expect: {contains: a}}]
)");
    EXPECT_EQ(suite.prompts.at(0).group, "hall");
    EXPECT_EQ(suite.prompts.at(0).category, "big-room");
    EXPECT_EQ(content_of(suite.prompts.at(0), 0), "You are in the hall.");
    EXPECT_EQ(content_of(suite.prompts.at(0), 1), "hall?");
}

TEST(TemplateValue, AloneKeepsItsType) {
    const auto suite = suite_from(R"(
prompts:
  - id: "{{n}}"
    prompt: x
    vars: [{n: 7, room: [kitchen, hall], on: true, text: "1"}]
    tools: [{name: f, parameters: {type: object}}]
    expect: {tool_call: {name: f, arguments: {n: "{{n}}", room: "{{room}}", on: "{{on}}", text: "{{text}}"}}}
)");
    EXPECT_EQ(suite.prompts.at(0).id, "7");
    EXPECT_EQ(
        suite.prompts.at(0).expect.at(0).parameters.at("arguments"),
        json::parse(R"({"n":7,"room":["kitchen","hall"],"on":true,"text":"1"})")
    );
}

class Rows : public SuiteFolder {
protected:
    /// The texts of the prompts that a file of rows gives.
    std::vector<std::string> prompts_with(std::string_view name, std::string_view rows) {
        write(name, rows);
        const auto suite = read_suite(write(
            "s.yaml",
            fmt::format(
                "prompts: [{{id: \"{{{{a}}}}\", prompt: \"{{{{a}}}}/{{{{b}}}}\", vars: "
                "\"file://{}\", expect: {{contains: x}}}}]",
                name
            )
        ));
        if (!suite) return {suite.error().message()};
        std::vector<std::string> texts;
        for (const auto& prompt : suite->prompts) texts.push_back(content_of(prompt));
        return texts;
    }
};

TEST_F(Rows, ComeFromEveryFormat) {
    EXPECT_THAT(
        prompts_with("r.jsonl", "{\"a\":1,\"b\":\"x\"}\n\n{\"a\":2,\"b\":\"y\"}"),
        ElementsAre("1/x", "2/y")
    );
    EXPECT_THAT(
        prompts_with("r.json", "[{\"a\":1,\"b\":\"x\"},{\"a\":2,\"b\":\"y\"}]"),
        ElementsAre("1/x", "2/y")
    );
    EXPECT_THAT(
        prompts_with("r.yaml", "- {a: 1, b: x}\n- {a: 2, b: y}\n"), ElementsAre("1/x", "2/y")
    );
    EXPECT_THAT(prompts_with("sub/r.csv", "a,b\n1,x\n2,y\n"), ElementsAre("1/x", "2/y"));
}

TEST_F(Rows, OfCsvFollowItsRules) {
    EXPECT_THAT(
        prompts_with(
            "r.csv",
            "\xEF\xBB\xBF"
            "b,a\r\n\"x, \"\"y\"\"\",007\r\n\"two\nlines\",\"1\"\r\n,empty\r\n\r\n"
        ),
        ElementsAre("007/x, \"y\"", "1/two\nlines", "empty/")
    );
}

TEST_F(Rows, OfCsvThatAreWrongAreNamed) {
    EXPECT_THAT(
        prompts_with("r.csv", "a,b\n1\n"),
        ElementsAre(HasSubstr("r.csv:2:1: 1 fields, but the first line names 2"))
    );
    EXPECT_THAT(
        prompts_with("r.csv", "a,b\n1,\"x\n"),
        ElementsAre(HasSubstr("r.csv:2:3: a quote opens here and never closes"))
    );
    EXPECT_THAT(prompts_with("r.csv", ""), ElementsAre(HasSubstr("found none")));
    EXPECT_THAT(
        prompts_with("r.json", "{\"a\":1}"),
        ElementsAre(HasSubstr("r.json:1:1: expected a list of rows"))
    );
}

/// A suite that differs from the others in one thing.
struct Variation {
    std::string_view name;
    std::string_view from;
    std::string_view to;
    bool asked_changes;
    bool hash_changes;
};

constexpr std::string_view base_suite = R"(suite: x
version: 1
defaults: {temperature: 0, tools: [{name: f, description: d, parameters: {type: object}}]}
prompts:
  - {id: a, group: g, category: c, prompt: One, repeats: 2, expect: [{contains: x, weight: 2}]}
  - {id: b, prompt: Two, max_tokens: 5, expect: [{number: 1}]}
gates: {accuracy: ">= 0.8"}
)";

class Hash : public testing::TestWithParam<Variation> {};

TEST_P(Hash, DependsOnWhatMattersOnly) {
    auto text = std::string(base_suite);
    const auto at = text.find(GetParam().from);
    ASSERT_NE(at, std::string::npos);
    text.replace(at, GetParam().from.size(), GetParam().to);
    const auto before = suite_from(base_suite);
    const auto after = suite_from(text);
    EXPECT_EQ(before.asked_hash != after.asked_hash, GetParam().asked_changes);
    EXPECT_EQ(before.hash != after.hash, GetParam().hash_changes);
}

INSTANTIATE_TEST_SUITE_P(
    All,
    Hash,
    testing::Values(
        Variation{"name", "suite: x", "suite: y", false, false},
        Variation{"version", "version: 1", "version: 2", false, false},
        Variation{"comment", "prompts:", "# hello\nprompts:", false, false},
        Variation{"description", "version: 1", "version: 1\ndescription: z", false, false},
        Variation{"quotes", "prompt: One", "prompt: \"One\"", false, false},
        Variation{"key_order", "{id: a, group: g,", "{group: g, id: a,", false, false},
        Variation{
            "tool_key_order", "{name: f, description: d,", "{description: d, name: f,", false, false
        },
        Variation{"number_form", "temperature: 0,", "temperature: 0.0,", false, false},
        Variation{"parameter_form", "{number: 1}", "{number: 1.0}", false, false},
        Variation{
            "default_written_out", "prompt: Two,", "prompt: Two, temperature: 0,", false, false
        },
        Variation{"prompt", "prompt: One", "prompt: one", true, true},
        Variation{"id", "id: a,", "id: aa,", true, true},
        Variation{"temperature", "temperature: 0,", "temperature: 0.1,", true, true},
        Variation{"max_tokens", "max_tokens: 5", "max_tokens: 6", true, true},
        Variation{"stop", "prompt: Two,", "prompt: Two, stop: x,", true, true},
        Variation{"extra", "prompt: Two,", "prompt: Two, extra: {q: 1},", true, true},
        Variation{"system", "prompt: Two,", "prompt: Two, system: s,", true, true},
        Variation{"tool", "description: d", "description: e", true, true},
        Variation{"no_tool", "prompt: Two,", "prompt: Two, tools: [],", true, true},
        Variation{"group", "group: g", "group: h", false, true},
        Variation{"category", "category: c", "category: d", false, true},
        Variation{"repeats", "repeats: 2", "repeats: 3", false, true},
        Variation{"scorer", "contains: x", "equals: x", false, true},
        Variation{"parameter", "contains: x", "contains: y", false, true},
        Variation{"weight", "weight: 2", "weight: 3", false, true},
        Variation{"type", "{number: 1}", "{contains: \"1\"}", false, true},
        Variation{"gate", ">= 0.8", ">= 0.9", false, true}
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

TEST(HashOfASuite, IsTheSameInEveryFormatAndOrder) {
    const auto yaml = suite_from(
        "prompts: [{id: a, prompt: One, expect: [{contains: x}]}, {id: b, prompt: Two, expect: "
        "[{contains: y}]}]"
    );
    const auto lines = suite_from(
        "{\"expect\":{\"contains\":\"y\"},\"id\":\"b\",\"prompt\":\"Two\"}\n"
        "{\"id\":\"a\",\"messages\":[{\"content\":\"One\",\"role\":\"user\"}],\"expect\":[{"
        "\"contains\":\"x\"}]}\n",
        "other.jsonl"
    );
    EXPECT_EQ(yaml.hash, lines.hash);
    EXPECT_EQ(yaml.asked_hash, lines.asked_hash);
}

TEST(CanonicalJson, IsOneFormForEqualValues) {
    EXPECT_EQ(
        canonical_json(json::parse(R"({"b":[1.0,-0.0,1e2,1.5],"a":{"d":null,"c":"ü\n"}})")),
        "{\"a\":{\"c\":\"ü\\n\",\"d\":null},\"b\":[1,0,100,1.5E0]}"
    );
}

}  // namespace

}  // namespace punie::eval
