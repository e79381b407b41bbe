// The published schema against the reader: it accepts the suites that come along and refuses what
// the reader refuses.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "base/files.hpp"
#include "base/json_schema.hpp"
#include "eval/suite.hpp"
#include "eval/suite_source.hpp"
#include "suite_texts.hpp"

namespace punie::eval {

namespace {

using testing::IsEmpty;
using testing::Not;

const JsonSchema& schema() {
    static const auto compiled = [] {
        auto result = JsonSchema::compile(suite_schema());
        EXPECT_TRUE(result) << result.error().describe();
        return *std::move(result);
    }();
    return compiled;
}

std::vector<std::string> findings_of(std::string_view yaml) {
    Faults faults;
    const auto root = read_yaml(yaml, "s.yaml", faults);
    EXPECT_TRUE(root) << faults.error().message();
    return root ? schema().check(to_json(*root)) : std::vector<std::string>{"unreadable"};
}

class ShippedForSchema : public testing::TestWithParam<const char*> {};

TEST_P(ShippedForSchema, SuiteFitsTheSchemaAndIsRead) {
    const auto file = std::filesystem::path(PUNIE_SOURCE_DIR) / GetParam();
    const auto text = read_text(file);
    ASSERT_TRUE(text) << text.error().describe();
    EXPECT_THAT(findings_of(*text), IsEmpty());
    const auto suite = read_suite(file);
    ASSERT_TRUE(suite) << suite.error().describe();
    EXPECT_GE(suite->prompts.size(), 20U);
}

INSTANTIATE_TEST_SUITE_P(
    All,
    ShippedForSchema,
    testing::Values(
        "suites/baseline.yaml",
        "suites/tools.yaml",
        "examples/quickstart/suite.yaml",
        "examples/quickstart/smollm2/suite.yaml"
    )
);

struct Form {
    std::string_view name;
    std::string_view yaml;
};

class Accepted : public testing::TestWithParam<Form> {};

TEST_P(Accepted, ByBoth) {
    EXPECT_THAT(findings_of(GetParam().yaml), IsEmpty());
    const auto suite = parse_suite(GetParam().yaml, "s.yaml");
    EXPECT_TRUE(suite) << suite.error().describe();
}

INSTANTIATE_TEST_SUITE_P(
    All,
    Accepted,
    testing::Values(
        Form{"one_expectation", "prompts: [{prompt: x, expect: {contains: a}}]"},
        Form{
            "siblings", "prompts: [{prompt: x, expect: [{number: 1, tolerance: 0.5, weight: 2}]}]"
        },
        Form{"variable", "prompts: [{prompt: x, vars: {n: 1}, expect: [{number: \"{{n}}\"}]}]"},
        Form{"promptfoo", "tests: [{prompt: x, assert: [{type: icontains, value: a, weight: 2}]}]"},
        Form{"target", "prompts: [{id: 7, input: x, target: [a, b], metadata: {q: 1}}]"},
        Form{
            "tools",
            "defaults: {tools: [{name: f}]}\nprompts: [{prompt: x, tools: [f, {type: function, "
            "function: {name: g}}], expect: {no_tool_call: true}}]"
        },
        Form{
            "gates",
            "prompts: [{prompt: x, category: c, expect: {contains: a}}]\ngates: {accuracy: \">= "
            "0.8 at lower bound\", no_regression: [c]}"
        },
        Form{
            "messages",
            "prompts: [{messages: [{role: system, content: s}, {role: user, content: x}], stop: x, "
            "extra: {a: 1}, expect: {regex: a}}]"
        }
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

class Refused : public testing::TestWithParam<Form> {};

TEST_P(Refused, ByBoth) {
    EXPECT_THAT(findings_of(GetParam().yaml), Not(IsEmpty()));
    EXPECT_FALSE(parse_suite(GetParam().yaml, "s.yaml"));
}

INSTANTIATE_TEST_SUITE_P(
    All,
    Refused,
    testing::Values(
        Form{"no_prompts", "suite: x"},
        Form{"empty_prompts", "prompts: []"},
        Form{"unknown_top", "prompts: [{prompt: x, expect: {contains: a}}]\nprovider: x"},
        Form{"unknown_key", "prompts: [{prompt: x, expects: 1, expect: {contains: a}}]"},
        Form{"unknown_scorer", "prompts: [{prompt: x, expect: [{contain: a}]}]"},
        Form{"empty_expect", "prompts: [{prompt: x, expect: []}]"},
        Form{"weight", "prompts: [{prompt: x, expect: [{contains: a, weight: 0}]}]"},
        Form{"temperature", "prompts: [{prompt: x, temperature: 3, expect: {contains: a}}]"},
        Form{
            "max_tokens",
            "defaults: {max_tokens: 1.5}\nprompts: [{prompt: x, expect: {contains: a}}]"
        },
        Form{"role", "prompts: [{messages: [{role: usr, content: x}], expect: {contains: a}}]"},
        Form{"tool_name", "prompts: [{prompt: x, tools: [{name: a b}], expect: {contains: a}}]"},
        Form{
            "absolute_file",
            "defaults: {tools: file:///x}\nprompts: [{prompt: x, expect: {contains: a}}]"
        },
        Form{"gate", "prompts: [{prompt: x, expect: {contains: a}}]\ngates: {accuracy: 80}"},
        Form{"promptfoo_type", "prompts: [{prompt: x, assert: [{type: javascript, value: a}]}]"}
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

}  // namespace

}  // namespace punie::eval
