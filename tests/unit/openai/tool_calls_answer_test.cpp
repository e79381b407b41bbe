// Messages and responses: structured calls, thinking, what servers leave in the text, hostile text.
#include <gmock/gmock.h>

#include <array>
#include <chrono>

#include "tool_calls_rows.hpp"

namespace punie::openai {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct ThinkingRow {
    std::string_view text;
    std::string_view visible;
    std::string_view thinking;
    bool cut = false;
};

constexpr std::array<ThinkingRow, 30> thinking_rows = {{
    {"<think>\nhm\n</think>\n\nParis.", "Paris.", "hm"},
    {"<think>\n\n</think>\n\nParis.", "Paris.", ""},
    {"hm, so\n</think>\n\nParis.", "Paris.", "hm, so"},
    {"<think>hm", "", "hm", true},
    {"\n <think>", "", "", true},
    {"Well.\n<think>hm", "Well.", "hm", true},
    {"<thinking>hm</thinking>Paris.", "Paris.", "hm"},
    {"<thought>hm</thought>Paris.", "Paris.", "hm"},
    {"<reasoning>hm</reasoning>Paris.", "Paris.", "hm"},
    {"[THINK]hm[/THINK]Paris.", "Paris.", "hm"},
    {"[THINK]hm", "", "hm", true},
    {"◁think▷hm◁/think▷Paris.", "Paris.", "hm"},
    {"<seed:think>hm</seed:think>Paris.", "Paris.", "hm"},
    {"<longcat_think>hm</longcat_think>Paris.", "Paris.", "hm"},
    {"<|channel>thought\nhm<channel|>Paris.", "Paris.", "hm"},
    {"<unused94>thought\nhm<unused95>Paris.", "Paris.", "hm"},
    {"<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>Paris.<|END_RESPONSE|>", "Paris.", "hm"
    },
    {"<|begin_of_thought|>hm<|end_of_thought|><|begin_of_solution|>Paris.<|end_of_solution|>",
     "Paris.",
     "hm"},
    {"<|channel|>analysis<|message|>hm", "", "hm", true},
    {"<think>a</think>b<think>c</think>d", "bd", "a\nc"},
    {"Use the `<think>` tag.", "Use the `<think>` tag.", ""},
    {"Use `</think>` to end.", "Use `</think>` to end.", ""},
    {"The <think> tag opens it.", "The <think> tag opens it.", ""},
    {"<think>a</think>\nb\n</think>\nc", "b\n\nc", "a"},
    {"<think>a <tool_call>{\"name\":\"x\"}</tool_call></think>No.",
     "No.",
     "a <tool_call>{\"name\":\"x\"}</tool_call>"},
    {"a <tool_call>{\"name\":\"x\"}</tool_call></think>No.",
     "No.",
     "a <tool_call>{\"name\":\"x\"}</tool_call>"},
    {"<think>a <tool_call>{\"name\":\"x\"", "", "a <tool_call>{\"name\":\"x\"", true},
    {"Paris.<|im_end|>", "Paris.", ""},
    {"Paris.</s><|im_end|>\n", "Paris.", ""},
    {"<|begin_of_box|>42<|end_of_box|>", "42", ""},
}};

TEST(AnswerTest, ThinkingIsSetAside) {
    for (const auto& row : thinking_rows) {
        const auto answer = read_text_answer(row.text);
        EXPECT_EQ(answer.text, row.visible) << row.text;
        EXPECT_EQ(answer.thinking, row.thinking) << row.text;
        EXPECT_EQ(answer.thinking_cut, row.cut) << row.text;
        EXPECT_THAT(answer.calls, IsEmpty()) << row.text;
    }
}

/// Prose, code and JSON that mean no call.
constexpr std::array<std::string_view, 17> no_calls = {
    "Paris is the capital of France.",
    "Use JSON like {\"name\": \"x\", \"arguments\": {}} for it.",
    "```json\n{\"a\": 1}\n```",
    "```python\nget_weather(city=\"Paris\")\n```",
    "In Python: [f(x) for x in range(5)]",
    "[1, 2, 3]",
    "[\"a\", \"b\"]",
    "{\"name\": \"Bob\", \"age\": 5}",
    "{\"city\": \"Paris\"}",
    "A < B and [x] `y`",
    "The tag <tool_call> begins a call.",
    "The token [TOOL_CALLS] begins a call.",
    "A <function_call> is what follows.",
    "<|python_end|>",
    "</tool_call>",
    "functools is a module",
    "",
};

TEST(AnswerTest, ProseIsNoCall) {
    for (const auto text : no_calls) {
        const auto answer = read_text_answer(text);
        EXPECT_THAT(answer.calls, IsEmpty()) << text << "\n" << calls_of(answer);
        EXPECT_EQ(answer.text, text);
        EXPECT_EQ(answer.calls_path, "");
    }
}

Answer message(std::string_view text, std::string_view reason = "stop") {
    return read_answer(json::parse(text), reason);
}

TEST(AnswerTest, StructuredCallsWin) {
    const auto answer = message(
        R"({"content":"I look. <tool_call>{\"name\":\"b\"}</tool_call>","tool_calls":[
            {"id":"1","type":"function","function":{"name":"a","arguments":"{\"x\": 1}"}}]})",
        "tool_calls"
    );
    EXPECT_EQ(calls_of(answer), R"(a {"x":1})");
    EXPECT_EQ(answer.calls_path, "structured");
    EXPECT_EQ(answer.text, R"(I look. <tool_call>{"name":"b"}</tool_call>)");
    EXPECT_EQ(answer.calls.front().raw_arguments, R"({"x": 1})");
    EXPECT_FALSE(answer.lost_calls);
}

struct ArgumentsRow {
    std::string_view function;
    std::string_view calls;
};

constexpr std::array<ArgumentsRow, 13> structured = {{
    {R"({"name":"a","arguments":"{\"x\":1}"})", R"(a {"x":1})"},
    {R"({"name":"a","arguments":{"x":1}})", R"(a {"x":1})"},
    {R"({"name":"a","arguments":""})", "a {}"},
    {R"({"name":"a","arguments":null})", "a {}"},
    {R"({"name":"a"})", "a {}"},
    {R"({"name":"a","arguments":"\"{\\\"x\\\":1}\""})", R"(a {"x":1})"},
    {R"({"name":"a","arguments":"{\"x\":\"Par"})", "a !cut off"},
    {R"({"name":"a","arguments":"{x:1}"})", "a !its JSON is broken"},
    {R"({"name":"a","arguments":"Paris"})", "a !its arguments are text, not an object: Paris"},
    {R"({"name":"a","arguments":"[1]"})", "a !its arguments are an array, not an object"},
    {R"({"name":"a","arguments":"{\"x\":1} so"})", "a !more text behind its arguments"},
    {R"({"name":"","arguments":"{}"})", " !it has no name"},
    {R"({"name":"a","arguments":"{\"n\":9007199254740993,\"s\":\"007\"}"})",
     R"(a {"n":9007199254740993,"s":"007"})"},
}};

TEST(AnswerTest, ArgumentsOfStructuredCalls) {
    for (const auto& row : structured) {
        const auto answer = message(
            fmt::format(R"({{"content":null,"tool_calls":[{{"function":{}}}]}})", row.function),
            "tool_calls"
        );
        EXPECT_TRUE(same_calls(calls_of(answer), row.calls)) << row.function << "\n"
                                                             << calls_of(answer);
    }
}

TEST(AnswerTest, OlderFunctionCall) {
    const auto answer = message(R"({"content":"","function_call":{"name":"a","arguments":"{}"}})");
    EXPECT_EQ(calls_of(answer), "a {}");
    EXPECT_EQ(answer.calls_path, "structured");
}

TEST(AnswerTest, LostCallsAreNamed) {
    EXPECT_TRUE(message(R"({"content":null})", "tool_calls").lost_calls);
    EXPECT_TRUE(message(R"({"content":"I look.","tool_calls":[]})", "tool_calls").lost_calls);
    EXPECT_FALSE(
        message(R"({"content":"<tool_call>{\"name\":\"a\"}</tool_call>"})", "tool_calls").lost_calls
    );
    EXPECT_FALSE(message(R"({"content":"Paris."})").lost_calls);
}

TEST(AnswerTest, ReasoningOfTheServer) {
    auto answer = message(R"({"content":"Paris.","reasoning_content":"hm"})");
    EXPECT_EQ(answer.text, "Paris.");
    EXPECT_EQ(answer.thinking, "hm");
    EXPECT_FALSE(answer.thinking_cut);
    answer = message(
        R"({"content":null,"reasoning":"hm, <tool_call>{\"name\":\"a\"}</tool_call>"})", "length"
    );
    EXPECT_TRUE(answer.thinking_cut);
    EXPECT_TRUE(answer.cut);
    EXPECT_THAT(answer.calls, IsEmpty());
    answer = message(R"({"content":"","reasoning":"hm"})", "stop");
    EXPECT_FALSE(answer.thinking_cut);
}

TEST(AnswerTest, ContentInParts) {
    const auto answer = message(
        R"({"content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"Par"},{"type":"text","text":"is."}]})"
    );
    EXPECT_EQ(answer.text, "Paris.");
    EXPECT_EQ(answer.thinking, "hm");
}

TEST(AnswerTest, ResponsesOfAllShapes) {
    const auto chat = read_response(
        json::parse(R"({"choices":[{"message":{"content":"Paris."},"finish_reason":"length"}]})")
    );
    EXPECT_EQ(chat.text, "Paris.");
    EXPECT_EQ(chat.finish_reason, "length");
    EXPECT_TRUE(chat.cut);
    const auto completion =
        read_response(json::parse(R"({"choices":[{"text":" Paris.","finish_reason":"stop"}]})"));
    EXPECT_EQ(completion.text, "Paris.");
    for (const auto* odd :
         {"null",
          "[]",
          "{}",
          R"({"choices":[]})",
          R"({"choices":5})",
          R"({"choices":[{}]})",
          R"({"choices":[{"message":5}]})",
          R"({"choices":[{"message":{"content":5,"tool_calls":7}}]})",
          R"({"choices":[{"message":{"tool_calls":[5,null,{"function":5}]}}]})"}) {
        const auto answer = read_response(json::parse(odd));
        EXPECT_EQ(answer.text, "") << odd;
        for (const auto& call : answer.calls) EXPECT_NE(call.problem, "") << odd;
    }
}

TEST(AnswerTest, FormatsAreNamed) {
    EXPECT_THAT(
        tool_call_formats(),
        ElementsAre(
            "hermes",
            "qwen_xml",
            "glm",
            "mistral",
            "kimi",
            "deepseek",
            "gemma",
            "harmony",
            "minimax",
            "phi",
            "granite",
            "command_r",
            "llama_json",
            "pythonic",
            "json"
        )
    );
    EXPECT_THAT(read_text_answer("[TOOL_CALLS]a[ARGS]{}", "hermes").calls, IsEmpty());
    EXPECT_THAT(read_text_answer("[TOOL_CALLS]a[ARGS]{}", "mistral").calls, SizeIs(1));
}

struct TypedRow {
    std::string_view schema;  ///< of the argument x
    std::string_view text;
    std::string_view value;
};

constexpr std::array<TypedRow, 22> typed_rows = {{
    {R"({"type":"integer"})", "5", "5"},
    {R"({"type":"integer"})", "five", R"("five")"},
    {R"({"type":"number"})", "2.5", "2.5E0"},
    {R"({"type":"string"})", "5", R"("5")"},
    {R"({"type":"string"})", "007", R"("007")"},
    {R"({"type":"string"})", "true", R"("true")"},
    {R"({"type":"string"})", "{\"a\": 1}", R"("{\"a\": 1}")"},
    {R"({"type":"boolean"})", "true", "true"},
    {R"({"type":"boolean"})", "True", "true"},
    {R"({"type":"boolean"})", "yes", R"("yes")"},
    {R"({"type":"array"})", "[1, \"a\"]", R"([1,"a"])"},
    {R"({"type":"array"})", "['a']", R"(["a"])"},
    {R"({"type":"object"})", "{\"a\": {\"b\": null}}", R"({"a":{"b":null}})"},
    {R"({"type":["integer","null"]})", "null", "null"},
    {R"({"type":["string","null"]})", "null", "null"},
    {R"({"type":["string","integer"]})", "5", R"("5")"},
    {R"({"anyOf":[{"type":"integer"},{"type":"null"}]})", "5", "5"},
    {R"({"enum":["5","6"]})", "5", R"("5")"},
    {R"({"enum":[5,6]})", "5", "5"},
    {R"({"description":"free"})", "5", R"("5")"},
    {R"({"type":"integer"})", "9007199254740993", "9007199254740993"},
    {R"({"type":"number"})", "1e400", R"("1e400")"},
}};

TEST(AnswerTest, BareTextGetsTheTypesOfTheSchema) {
    for (const auto& row : typed_rows) {
        const auto text =
            fmt::format("<function=a>\n<parameter=x>\n{}\n</parameter>\n</function>", row.text);
        const auto answer = read_text_answer(text);
        ASSERT_THAT(answer.calls, SizeIs(1)) << text;
        const auto schema =
            json::parse(fmt::format(R"({{"type":"object","properties":{{"x":{}}}}})", row.schema));
        const auto typed = typed_arguments(answer.calls.front(), &schema);
        EXPECT_EQ(json::serialize(typed.at("x")), row.value) << row.schema << " " << row.text;
    }
    const auto other =
        read_text_answer(R"(<tool_call>{"name":"a","arguments":{"x":"5"}}</tool_call>)");
    const auto schema = json::parse(R"({"properties":{"x":{"type":"integer"}}})");
    EXPECT_EQ(json::serialize(typed_arguments(other.calls.front(), &schema)), R"({"x":"5"})");
}

TEST(AnswerTest, RawArgumentsStandAsTheyStood) {
    const auto raw = [](std::string_view text) {
        const auto answer = read_text_answer(text);
        return answer.calls.empty() ? "" : answer.calls.front().raw_arguments;
    };
    EXPECT_EQ(
        raw(R"(<tool_call>{"name": "a", "arguments": {"x":  123456789012345678901234567890}}</tool_call>)"
        ),
        R"({"x":  123456789012345678901234567890})"
    );
    EXPECT_EQ(raw(R"([TOOL_CALLS]a[ARGS]{ "x" : 1 })"), R"({ "x" : 1 })");
    EXPECT_EQ(raw("[a(x = 1)]"), "x = 1");
    EXPECT_EQ(raw(R"(<tool_call>{"name":"a","arguments":{"x":"Par)"), R"({"x":"Par)");
}

/// What would take a backtracking or re-scanning reader minutes.
TEST(AnswerTest, HostileTextTakesNoTime) {
    const std::array<std::string_view, 34> pieces = {
        "<tool_call>",
        "<tool_call>{",
        "<tool_call>{\"a\":\"",
        "<tool_call>\n",
        "<tool_call>a",
        "<tool_call>a<arg_key>",
        "<tool_call><function=a>",
        "<function=a><parameter=x>",
        "<parameter=x></parameter>x",
        "<think>",
        "</think>",
        "\n<think>",
        "[TOOL_CALLS]",
        "[TOOL_CALLS]a[ARGS]{",
        "<|tool_call_begin|>",
        "<|tool_calls_section_begin|>",
        "<|tool_call_begin|>a<|tool_call_argument_begin|>{}x",
        "<｜tool▁call▁begin｜>",
        "<|channel|>",
        "<|start|>a<|message|>",
        "<|channel|>analysis<|message|>",
        "<|tool_call>call:a{",
        "<|tool_call>call:a{x:<|\"|>",
        "<start_function_call>",
        "```tool_code\n",
        "<minimax:tool_call>",
        "<invoke name=\"a\"><parameter name=\"x\">",
        "<|python_tag|>",
        "<|tool_call_start|>[",
        "<|tool_call|>[",
        "[",
        "{",
        "\"",
        "<",
    };
    for (const auto piece : pieces) {
        std::string text;
        text.reserve(100'000 + piece.size());
        while (text.size() < 100'000) text += piece;
        const auto start = std::chrono::steady_clock::now();
        const auto answer = read_text_answer(text);
        const auto took = std::chrono::steady_clock::now() - start;
        EXPECT_LT(took, std::chrono::milliseconds(1500))
            << piece;  // sanitizers and busy machines included
        for (const auto& call : answer.calls)
            EXPECT_TRUE(call.arguments.is_object() || !call.problem.empty()) << piece;
    }
}

}  // namespace

}  // namespace punie::openai
