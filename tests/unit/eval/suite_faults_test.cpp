// What is said about suites that are wrong: one row, one fault.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "base/text.hpp"
#include "eval/suite.hpp"
#include "suite_texts.hpp"

namespace punie::eval {

namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Bad {
    std::string_view name;
    std::string_view text;
    std::string_view place;  ///< "line:column"
    std::string_view words;
};

constexpr std::array bad_yaml = {
    Bad{"empty", "", "1:1", "nothing in the file"},
    Bad{"comment_only", "# suite\n", "1:1", "nothing in the file"},
    Bad{"scalar", "hello", "1:1", "expected a suite"},
    Bad{"no_prompts", "suite: x\n", "1:1", "a suite needs `prompts`"},
    Bad{"null_prompts", "prompts:\n", "1:1", "a suite needs `prompts`"},
    Bad{"prompts_map", "prompts: {a: 1}\n", "1:10", "expected a list of prompts, found a mapping"},
    Bad{"prompt_text", "prompts: [hello]\n", "1:11", "expected a prompt (a mapping)"},
    Bad{"unknown_top", "promts: []\n", "1:1", "unknown key `promts`; did you mean `prompts`?"},
    Bad{"providers", "providers: [x]\nprompts: []\n", "1:12", "punie eval SUITE --model M"},
    Bad{"unknown_key",
        "prompts: [{id: a, prompt: x, expext: {contains: a}}]",
        "1:30",
        "did you mean `expect`?"},
    Bad{"key_twice",
        "prompts: [{id: a, id: b, prompt: x, expect: {contains: a}}]",
        "1:19",
        "`id` stands twice"},
    Bad{"nothing_asked", "prompts: [{id: a, expect: {contains: a}}]", "1:11", "nothing to ask"},
    Bad{"asked_twice",
        "prompts: [{id: a, prompt: x, input: y, expect: {contains: a}}]",
        "1:11",
        "write one of them"},
    Bad{"empty_prompt",
        "prompts: [{id: a, prompt: \" \", expect: {contains: a}}]",
        "1:27",
        "the prompt is empty"},
    Bad{"number_prompt",
        "prompts: [{id: a, prompt: 42, expect: {contains: a}}]",
        "1:27",
        "the number 42 (put it in quotes)"},
    Bad{"true_prompt",
        "prompts: [{id: a, prompt: true, expect: {contains: a}}]",
        "1:27",
        "found true"},
    Bad{"nothing_expected", "prompts: [{id: a, prompt: x}]", "1:11", "nothing is expected"},
    Bad{"empty_expect", "prompts: [{id: a, prompt: x, expect: []}]", "1:38", "the list is empty"},
    Bad{"text_expect",
        "prompts: [{id: a, prompt: x, expect: Paris}]",
        "1:38",
        "expected a scorer with its value"},
    Bad{"unknown_scorer",
        "prompts: [{id: a, prompt: x, expect: [{contain: a}]}]",
        "1:40",
        "unknown scorer `contain`; did you mean `contains`?"},
    Bad{"two_scorers",
        "prompts: [{id: a, prompt: x, expect: [{contains: a, equals: b}]}]",
        "1:53",
        "contains and equals in one expectation"},
    Bad{"weight",
        "prompts: [{id: a, prompt: x, expect: [{contains: a, weight: 0}]}]",
        "1:61",
        "expected a number from above 0"},
    Bad{"weight_only",
        "prompts: [{id: a, prompt: x, expect: [{weight: 1}]}]",
        "1:40",
        "unknown scorer `weight`"},
    Bad{"grader",
        "prompts: [{id: a, prompt: x, assert: [{type: llm-rubric, value: b}]}]",
        "1:46",
        "asks another model"},
    Bad{"javascript",
        "prompts: [{id: a, prompt: x, assert: [{type: javascript, value: b}]}]",
        "1:46",
        "runs code"},
    Bad{"same_id",
        "prompts: [{id: a, prompt: x, expect: {contains: a}}, {id: a, prompt: y, expect: "
        "{contains: a}}]",
        "1:59",
        "a second prompt \"a\""},
    Bad{"same_prompt",
        "prompts: [{prompt: x, expect: {contains: a}}, {prompt: x, expect: {contains: b}}]",
        "1:47",
        "this prompt stands twice"},
    Bad{"empty_id",
        "prompts: [{id: \"\", prompt: x, expect: {contains: a}}]",
        "1:16",
        "the id is empty"},
    Bad{"same_id_rows",
        "prompts: [{id: a, prompt: \"{{x}}\", vars: [{x: b}, {x: c}], expect: {contains: a}}]",
        "1:16",
        "the id needs one of them"},
    Bad{"temperature",
        "defaults: {temperature: 3}\nprompts: []",
        "1:25",
        "a number from 0 to 2, found the number 3"},
    Bad{"temperature_text",
        "defaults: {temperature: \"0\"}\nprompts: []",
        "1:25",
        "found the text \"0\""},
    Bad{"max_tokens", "defaults: {max_tokens: 0}\nprompts: []", "1:24", "a whole number from 1"},
    Bad{"max_tokens_1e3", "defaults: {max_tokens: 1e3}\nprompts: []", "1:24", "a whole number"},
    Bad{"top_p", "defaults: {top_p: 0}\nprompts: []", "1:19", "above 0 to 1"},
    Bad{"repeats",
        "prompts: [{id: a, prompt: x, repeats: 0, expect: {contains: a}}]",
        "1:39",
        "a whole number from 1 to 10000"},
    Bad{"seed", "defaults: {seed: -1}\nprompts: []", "1:18", "0 up"},
    Bad{"stop", "defaults: {stop: [1]}\nprompts: []", "1:18", "a list of texts"},
    Bad{"extra_own",
        "defaults: {extra: {temperature: 1}}\nprompts: []",
        "1:33",
        "a field of its own"},
    Bad{"extra_taken", "defaults: {extra: {messages: []}}\nprompts: []", "1:30", "is set by Punie"},
    Bad{"defaults_list", "defaults: []\nprompts: []", "1:11", "expected a mapping"},
    Bad{"defaults_unknown",
        "defaults: {temprature: 1}\nprompts: []",
        "1:12",
        "did you mean `temperature`?"},
    Bad{"defaults_vars", "defaults: {vars: [{a: 1}]}\nprompts: []", "1:18", "belong to a prompt"},
    Bad{"role",
        "prompts: [{id: a, messages: [{role: usr, content: x}], expect: {contains: a}}]",
        "1:37",
        "did you mean `user`?"},
    Bad{"no_role",
        "prompts: [{id: a, messages: [{content: x}], expect: {contains: a}}]",
        "1:30",
        "needs a `role`"},
    Bad{"no_content",
        "prompts: [{id: a, messages: [{role: user}], expect: {contains: a}}]",
        "1:30",
        "has no content"},
    Bad{"content_number",
        "prompts: [{id: a, messages: [{role: user, content: 5}], expect: {contains: a}}]",
        "1:52",
        "put it in quotes"},
    Bad{"no_messages",
        "prompts: [{id: a, messages: [], expect: {contains: a}}]",
        "1:29",
        "an empty one"},
    Bad{"last_is_assistant",
        "prompts: [{id: a, messages: [{role: assistant, content: x}], expect: {contains: a}}]",
        "1:30",
        "the last message is the assistant's"},
    Bad{"message_key",
        "prompts: [{id: a, messages: [{role: user, contents: x}], expect: {contains: a}}]",
        "1:43",
        "did you mean `content`?"},
    Bad{"bad_call",
        "prompts: [{id: a, messages: [{role: assistant, tool_calls: [{name: x}]}, {role: user, "
        "content: x}], expect: {contains: a}}]",
        "1:61",
        "expected a call"},
    Bad{"tools_map", "defaults: {tools: {name: x}}\nprompts: []", "1:19", "expected a list of tools"
    },
    Bad{"tool_number", "defaults: {tools: [5]}\nprompts: []", "1:20", "expected a tool"},
    Bad{"tool_no_name",
        "defaults: {tools: [{description: x}]}\nprompts: []",
        "1:20",
        "a tool needs a `name`"},
    Bad{"tool_name",
        "defaults: {tools: [{name: \"a b\"}]}\nprompts: []",
        "1:27",
        "is no name of a function"},
    Bad{"tool_twice",
        "defaults: {tools: [{name: a}, {name: a}]}\nprompts: []",
        "1:38",
        "a second tool a"},
    Bad{"tool_key",
        "defaults: {tools: [{name: a, params: {}}]}\nprompts: []",
        "1:30",
        "unknown key `params`"},
    Bad{"tool_type",
        "defaults: {tools: [{type: web, function: {name: a}}]}\nprompts: []",
        "1:27",
        "expected function"},
    Bad{"tool_parameters",
        "defaults: {tools: [{name: a, parameters: []}]}\nprompts: []",
        "1:42",
        "a JSON Schema"},
    Bad{"tool_schema",
        "defaults: {tools: [{name: a, parameters: {type: objekt}}]}\nprompts: []",
        "1:42",
        "not a JSON Schema"},
    Bad{"tool_picked",
        "defaults: {tools: [{name: get_time}]}\nprompts: [{id: a, prompt: x, tools: [get_tim], "
        "expect: {contains: a}}]",
        "2:38",
        "did you mean `get_time`?"},
    Bad{"tool_picked_of_none",
        "prompts: [{id: a, prompt: x, tools: [get_time], expect: {contains: a}}]",
        "1:38",
        "`defaults` has no tools"},
    Bad{"gate_text",
        "prompts: [{id: a, prompt: x, expect: {contains: a}}]\ngates: {accuracy: \"> 0.8\"}",
        "2:19",
        "\">= 0.8 at lower bound\""},
    Bad{"gate_percent",
        "prompts: [{id: a, prompt: x, expect: {contains: a}}]\ngates: {accuracy: 80}",
        "2:19",
        "(0 to 1)"},
    Bad{"gate_nan",
        "prompts: [{id: a, prompt: x, expect: {contains: a}}]\ngates: {accuracy: \">= nan\"}",
        "2:19",
        "(0 to 1)"},
    Bad{"gate_unknown",
        "prompts: [{id: a, prompt: x, expect: {contains: a}}]\ngates: {acuracy: \">= 0.8\"}",
        "2:9",
        "did you mean `accuracy`?"},
    Bad{"gate_category",
        "prompts: [{id: a, category: single, prompt: x, expect: {contains: a}}]\ngates: "
        "{no_regression: [singel]}",
        "2:24",
        "did you mean `single`?"},
    Bad{"gate_no_categories",
        "prompts: [{id: a, prompt: x, expect: {contains: a}}]\ngates: {no_regression: [x]}",
        "2:24",
        "no prompt has a category"},
    Bad{"unknown_variable",
        "prompts: [{id: a, prompt: \"{{rom}}\", vars: [{room: b}], expect: {contains: a}}]",
        "1:27",
        "did you mean {{room}}?"},
    Bad{"no_variables",
        "prompts: [{id: a, prompt: \"{{room}}\", expect: {contains: a}}]",
        "1:27",
        "this prompt has no `vars`"},
    Bad{"logic",
        "prompts: [{id: a, prompt: \"{{ x | upper }}\", vars: [{x: b}], expect: {contains: a}}]",
        "1:27",
        "there is no logic"},
    Bad{"open_braces",
        "prompts: [{id: a, prompt: \"a {{x\", vars: [{x: b}], expect: {contains: a}}]",
        "1:27",
        "begins a variable"},
    Bad{"list_in_text",
        "prompts: [{id: a, prompt: \"a {{x}}\", vars: [{x: [1]}], expect: {contains: a}}]",
        "1:27",
        "is a list"},
    Bad{"braces_unquoted",
        "prompts: [{id: a, prompt: {{x}}, expect: {contains: a}}]",
        "1:28",
        "must stand in quotes"},
    Bad{"rows_text",
        "prompts: [{id: a, prompt: x, vars: rooms.jsonl, expect: {contains: a}}]",
        "1:36",
        "file://NAME.jsonl"},
    Bad{"rows_empty",
        "prompts: [{id: a, prompt: x, vars: [], expect: {contains: a}}]",
        "1:36",
        "found none"},
    Bad{"row_text",
        "prompts: [{id: a, prompt: x, vars: [b], expect: {contains: a}}]",
        "1:37",
        "expected a row"},
    Bad{"combinations",
        "prompts: [{id: a, prompt: x, vars: {b: [1, 2]}, expect: {contains: a}}]",
        "1:40",
        "write a list of rows"},
    Bad{"absolute",
        "defaults: {tools: file:///etc/passwd}\nprompts: []",
        "1:19",
        "outside of the suite's folder"},
    Bad{"parent",
        "defaults: {tools: file://../tools.json}\nprompts: []",
        "1:19",
        "outside of the suite's folder"},
    Bad{"inner_parent",
        "defaults: {tools: file://a/../../tools.json}\nprompts: []",
        "1:19",
        "outside of the suite's folder"},
    Bad{"missing_file",
        "defaults: {tools: file://no-such-tools.json}\nprompts: []",
        "1:19",
        "there is no file"},
    Bad{"tab", "prompts:\n\t- id: a\n", "2:2", "a tab in the indentation"},
    Bad{"second_colon",
        "prompts:\n  - id: a\n    prompt: Say: hi: now\n",
        "3:16",
        "must stand in quotes"},
    Bad{"flow_text",
        "prompts: [{id: a, prompt: Why?, expect: {contains: a}}]",
        "1:30",
        "must stand in quotes"},
    Bad{"open_quote", "suite: \"x\nprompts: []\n", "1:8", "a quote opens here and never closes"},
    Bad{"second_document", "prompts: []\n---\nprompts: []\n", "2:1", "a second document"},
    Bad{"tag", "suite: !!int 3\nprompts: []\n", "1:8", "the tag !!int is not used here"},
    Bad{"merge", "defaults: &d {system: x}\nprompts:\n  - <<: *d\n", "3:5", "merge keys"},
    Bad{"alias_cycle", "prompts: &p [*p]\n", "1:14", "never ends"},
    Bad{"list_key", "? [a]\n: b\n", "1:3", "a key must be text"},
};

class BadYaml : public testing::TestWithParam<Bad> {};

TEST_P(BadYaml, IsSaidWithItsPlace) {
    const auto message = faults_of(GetParam().text);
    const auto first = message.substr(0, message.find('\n'));
    EXPECT_THAT(first, HasSubstr(fmt::format("s.yaml:{}: ", GetParam().place))) << message;
    EXPECT_THAT(first, HasSubstr(std::string(GetParam().words))) << message;
}

INSTANTIATE_TEST_SUITE_P(All, BadYaml, testing::ValuesIn(bad_yaml), [](const auto& info) {
    return std::string(info.param.name);
});

constexpr std::array bad_lines = {
    Bad{"empty", "", "s.jsonl", "no prompts"},
    Bad{"not_json", "{\"id\":\"a\"\n", "1:10", "it ends in the middle of a value"},
    Bad{"single_quotes", "\n{'id': 1}\n", "2:2", "not valid JSON"},
    Bad{"two_values", "{} {}\n", "1:4", "text after the end"},
    Bad{"key_twice",
        R"({"id":"a","id":"b","prompt":"x","expect":{"contains":"a"}})",
        "1:11",
        "`id` stands twice"},
    Bad{"a_list", "[]\n", "1:1", "expected a prompt (a mapping), found a list"},
    Bad{"unknown_key",
        R"({"id":"a","question":"x","expect":{"contains":"a"}})",
        "1:11",
        "unknown key `question`"},
    Bad{"second_line",
        "{\"prompt\":\"x\",\"expect\":{\"contains\":\"a\"}}\n{\"prompt\":5}\n",
        "2:11",
        "expected text"},
    Bad{"too_deep",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        "1:33",
        "not valid JSON"},
};

class BadLines : public testing::TestWithParam<Bad> {};

TEST_P(BadLines, AreSaidWithTheirPlace) {
    const auto message = faults_of(GetParam().text, "s.jsonl");
    const auto first = message.substr(0, message.find('\n'));
    EXPECT_THAT(
        first,
        AllOf(HasSubstr(std::string(GetParam().place)), HasSubstr(std::string(GetParam().words)))
    ) << message;
}

INSTANTIATE_TEST_SUITE_P(All, BadLines, testing::ValuesIn(bad_lines), [](const auto& info) {
    return std::string(info.param.name);
});

TEST(SuiteFaults, AreAllSaidAtOnce) {
    const auto message = faults_of(R"(suite: x
provider: y
defaults: {temprature: 0, tools: file:///tools.json}
prompts:
  - {id: a, prompt: 42, expect: {contain: x}}
  - {id: a, prompt: x, expect: [{contains: a}]}
)");
    EXPECT_THAT(
        message,
        AllOf(
            HasSubstr("s.yaml:2:1: unknown key `provider`"),
            HasSubstr("s.yaml:3:12: defaults: unknown key `temprature`"),
            HasSubstr("s.yaml:3:34: defaults.tools: "),
            HasSubstr("s.yaml:5:21: prompts[0].prompt: "),
            HasSubstr("s.yaml:5:34: prompts[0].expect: "),
            HasSubstr("s.yaml:6:10: prompts[1].id: ")
        )
    );
}

TEST(SuiteFaults, AreTwentyAtMost) {
    std::string text = "prompts:\n";
    for (int i = 0; i < 100; ++i)
        text += fmt::format("  - {{id: p{}, prompt: {}, expect: {{contains: a}}}}\n", i, i);
    const auto lines = split_lines(faults_of(text));
    ASSERT_EQ(lines.size(), 21U);
    EXPECT_THAT(lines.front(), HasSubstr("s.yaml:2:"));
    EXPECT_THAT(lines.back(), HasSubstr("and more"));
}

TEST(SuiteFaults, OfATemplateAreSaidOnceWithTheFirstRow) {
    const auto message = faults_of(
        "prompts: [{id: \"{{n}}\", prompt: \"{{m}}\", vars: [{n: a}, {n: b}, {n: c}], expect: "
        "{contains: a}}]"
    );
    EXPECT_THAT(
        message, HasSubstr("unknown variable {{m}}; did you mean {{n}}? (with the row of s.yaml:1)")
    );
    EXPECT_EQ(message.find("{{m}}"), message.rfind("{{m}}")) << message;
}

TEST(SuiteFaults, ShowNoControlCharactersOfTheFile) {
    const auto message = faults_of("prompts: [{id: a, prompt: x, expect: {\"\\e[31mred\": 1}}]");
    EXPECT_THAT(message, AllOf(HasSubstr("unknown scorer `red`"), Not(HasSubstr("\x1b"))));
}

TEST(SuiteFaults, ShowNoControlCharactersOfRepeatedKeysEither) {
    const auto message = faults_of("{\"\x1b[31mred\": 1, \"\x1b[31mred\": 2, prompts: []}");
    EXPECT_THAT(message, AllOf(HasSubstr("the key `red` stands twice"), Not(HasSubstr("\x1b"))));
    const auto path = faults_of(
        "prompts: [{id: a, prompt: x, expect: {tool_call: {name: f, arguments: {\"\x1b[31mred\": "
        "\"{{q}}\"}}}}]"
    );
    EXPECT_THAT(path, AllOf(HasSubstr("arguments.red"), Not(HasSubstr("\x1b"))));
}

TEST(SuiteFaults, AnAliasBombIsStopped) {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 30; ++i) {
        const auto alias = fmt::format("*a{}", i - 1);
        text += fmt::format(
            "a{}: &a{} [{}, {}, {}, {}, {}, {}, {}, {}]\n",
            i,
            i,
            alias,
            alias,
            alias,
            alias,
            alias,
            alias,
            alias,
            alias
        );
    }
    EXPECT_THAT(faults_of(text), HasSubstr("aliases counted as often as they are used"));
}

TEST(SuiteFaults, DeepNestingIsStopped) {
    EXPECT_THAT(faults_of(fmt::format("- {}", std::string(100'000, '['))), HasSubstr("s.yaml:1:"));
    EXPECT_THAT(faults_of(std::string(100'000, '['), "s.json"), HasSubstr("not valid JSON"));
    std::string blocks;
    for (int i = 0; i < 1000; ++i)
        blocks += fmt::format("{}a:\n", std::string(static_cast<std::size_t>(i), ' '));
    EXPECT_THAT(faults_of(blocks), HasSubstr("nested"));
}

TEST(SuiteBytes, MustBeUtf8) {
    EXPECT_THAT(
        faults_of("prompts:\n  - id: \"\xE9t\xE9\"\n"),
        HasSubstr("s.yaml:2:10: a byte that is not UTF-8")
    );
    EXPECT_THAT(faults_of(std::string_view("a: b\0", 5)), HasSubstr("s.yaml:1:5: a zero byte"));
    EXPECT_THAT(
        faults_of(std::string_view(
            "\xFF\xFE"
            "a\0",
            4
        )),
        HasSubstr("this is UTF-16")
    );
}

TEST(SuiteBytes, MayBeginWithAMark) {
    EXPECT_EQ(
        suite_from("\xEF\xBB\xBFprompts: [{id: a, prompt: x, expect: {contains: a}}]\r\n")
            .prompts.size(),
        1U
    );
}

class SuiteFile : public SuiteFolder {};

TEST_F(SuiteFile, ThatIsMissingIsNotFound) {
    const auto suite = read_suite(path("none.yaml"));
    ASSERT_FALSE(suite);
    EXPECT_EQ(suite.error().code(), ErrorCode::not_found);
}

TEST_F(SuiteFile, DoesNotFollowALinkOutOfItsFolder) {
    write("outside/tools.json", "[]");
    std::filesystem::create_directory(path("inside"));
    std::filesystem::create_symlink(path("outside/tools.json"), path("inside/tools.json"));
    const auto file = write(
        "inside/s.yaml",
        "defaults: {tools: file://tools.json}\nprompts: [{id: a, prompt: x, expect: {contains: "
        "a}}]\n"
    );
    const auto suite = read_suite(file);
    ASSERT_FALSE(suite);
    EXPECT_THAT(suite.error().message(), HasSubstr("outside of the suite's folder"));
}

TEST_F(SuiteFile, MayItselfBeALink) {
    write("real/tools.json", "[{\"name\":\"t\"}]");
    write(
        "real/s.yaml",
        "defaults: {tools: file://tools.json}\nprompts: [{id: a, prompt: x, expect: {contains: "
        "a}}]\n"
    );
    std::filesystem::create_directory_symlink(path("real"), path("link"));
    const auto suite = read_suite(path("link/s.yaml"));
    EXPECT_TRUE(suite) << suite.error().describe();
}

TEST_F(SuiteFile, FaultsOfItsFilesNameThoseFiles) {
    write("rows.jsonl", "{\"x\":1}\n{\"x\":}\n");
    const auto suite = read_suite(write(
        "s.yaml",
        "prompts: [{id: \"{{x}}\", prompt: \"{{x}}\", vars: file://rows.jsonl, expect: {contains: "
        "a}}]\n"
    ));
    ASSERT_FALSE(suite);
    EXPECT_THAT(suite.error().message(), HasSubstr("rows.jsonl:2:6: not valid JSON"));
}

}  // namespace

}  // namespace punie::eval
