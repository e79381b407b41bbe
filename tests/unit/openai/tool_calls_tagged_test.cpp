// Formats that put JSON between tags or tokens: Hermes, Mistral, Kimi, DeepSeek, Granite, Phi,
// Command R, Llama.
#include <array>

#include "tool_calls_rows.hpp"

namespace punie::openai {

namespace {

constexpr std::array<CallRow, 30> hermes = {{
    {"normal",
     "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>",
     R"(get_weather {"city":"Paris"})"},
    {"two calls",
     "<tool_call>\n{\"name\": \"a\", \"arguments\": {\"x\": 1}}\n</tool_call>\n<tool_call>\n"
     "{\"name\": \"b\", \"arguments\": {}}\n</tool_call>",
     R"(a {"x":1}; b {})"},
    {"two in one",
     "<tool_call>\n{\"name\":\"a\",\"arguments\":{}}\n{\"name\":\"b\",\"arguments\":{}}\n</"
     "tool_call>",
     "a {}; b {}"},
    {"a list",
     R"(<tool_call>[{"name":"a","arguments":{}},{"name":"b","arguments":{}}]</tool_call>)",
     "a {}; b {}"},
    {"nested",
     R"(<tool_call>{"name":"a","arguments":{"o":{"l":[1,{"x":null}],"b":true}}}</tool_call>)",
     R"(a {"o":{"l":[1,{"x":null}],"b":true}})"},
    {"unicode",
     R"(<tool_call>{"name":"a","arguments":{"c":"Köln \u00e9 🏠"}}</tool_call>)",
     R"(a {"c":"Köln é 🏠"})"},
    {"text around",
     "I look.\n<tool_call>{\"name\":\"a\",\"arguments\":{}}</tool_call>\nDone.",
     "a {}",
     "I look.\n\nDone."},
    {"closing tag inside a string",
     R"(<tool_call>{"name":"write","arguments":{"text":"a </tool_call> b"}}</tool_call>)",
     R"(write {"text":"a </tool_call> b"})"},
    {"opening tag inside a string",
     R"(<tool_call>{"name":"write","arguments":{"text":"<tool_call>{\"name\":\"x\"}"}}</tool_call>)",
     R"(write {"text":"<tool_call>{\"name\":\"x\"}"})"},
    {"think tags inside a string",
     R"(<tool_call>{"name":"write","arguments":{"text":"<think>no</think>"}}</tool_call>)",
     R"(write {"text":"<think>no</think>"})"},
    {"cut in an argument",
     R"(<tool_call>{"name":"get_weather","arguments":{"city":"Par)",
     "get_weather !cut off in the middle"},
    {"cut before the arguments", R"(<tool_call>{"name":"get_w)", "get_w !cut off in the middle"},
    {"cut behind the tag", "<tool_call>\n", " !cut off in the middle"},
    {"cut: the last brace is missing", R"(<tool_call>{"name":"a","arguments":{"x":1})", "a !cut off"
    },
    {"whole but not closed", R"(<tool_call>{"name":"a","arguments":{"x":1}})", R"(a {"x":1})"},
    {"closing tag left out between",
     "<tool_call>{\"name\":\"a\",\"arguments\":{}}\n<tool_call>"
     "{\"name\":\"b\",\"arguments\":{}}</tool_call>",
     "a {}; b {}"},
    {"single quotes",
     "<tool_call>{'name': 'a', 'arguments': {}}</tool_call>",
     " !its JSON is broken"},
    {"a brace too many",
     R"(<tool_call>{"name":"a","arguments":{}}}</tool_call>)",
     "a !more text behind its JSON"},
    {"broken, then whole",
     R"(<tool_call>{"name":"a","arguments":{x}}</tool_call><tool_call>{"name":"b"}</tool_call>)",
     "a !its JSON is broken"},
    {"no JSON on its own line", "<tool_call>\n please\n</tool_call>", " !no JSON between its tags"},
    {"the tag in a sentence",
     "Use the <tool_call> tag to call and </tool_call> to end.",
     "",
     "Use the <tool_call> tag to call and </tool_call> to end."},
    {"twice encoded",
     R"(<tool_call>{"name":"a","arguments":"{\"x\": 1}"}</tool_call>)",
     R"(a {"x":1})"},
    {"no arguments", R"(<tool_call>{"name":"a"}</tool_call>)", "a {}"},
    {"null arguments", R"(<tool_call>{"name":"a","arguments":null}</tool_call>)", "a {}"},
    {"parameters", R"(<tool_call>{"name":"a","parameters":{"x":1}}</tool_call>)", R"(a {"x":1})"},
    {"arguments that are a list",
     R"(<tool_call>{"name":"a","arguments":[1]}</tool_call>)",
     "a !its arguments are an array, not an object"},
    {"no name", R"(<tool_call>{"arguments":{}}</tool_call>)", " !it has no name"},
    {"007 stays, digits stay",
     R"(<tool_call>{"name":"a","arguments":{"n":"007","big":9007199254740993}}</tool_call>)",
     R"(a {"n":"007","big":9007199254740993})"},
    {"the last of two members counts",
     R"(<tool_call>{"name":"a","arguments":{"x":1,"x":2}}</tool_call>)",
     R"(a {"x":2})"},
    {"OpenAI's wrapping",
     R"(<tool_call>{"type":"function","function":{"name":"a","arguments":{"x":1}}}</tool_call>)",
     R"(a {"x":1})"},
}};

constexpr std::array<CallRow, 17> mistral = {{
    {"a list",
     R"([TOOL_CALLS] [{"name": "get_weather", "arguments": {"city": "Paris"}}])",
     R"(get_weather {"city":"Paris"})"},
    {"a list of two",
     R"([TOOL_CALLS][{"name":"a","arguments":{}},{"name":"b","arguments":{"x":1}}])",
     R"(a {}; b {"x":1})"},
    {"named", R"([TOOL_CALLS]get_weather[ARGS]{"city": "Paris"})", R"(get_weather {"city":"Paris"})"
    },
    {"named, twice", R"([TOOL_CALLS]a[ARGS]{"x":1}[TOOL_CALLS]b[ARGS]{})", R"(a {"x":1}; b {})"},
    {"named, without the token between",
     R"([TOOL_CALLS]a[ARGS]{"x":1}b[ARGS]{})",
     R"(a {"x":1}; b {})"},
    {"with an id", R"([TOOL_CALLS]a[CALL_ID]abc123[ARGS]{"x":1})", R"(a {"x":1})"},
    {"without [ARGS]", R"([TOOL_CALLS]a{"x":1})", R"(a {"x":1})"},
    {"an object", R"([TOOL_CALLS]{"name":"a","arguments":{"x":1}})", R"(a {"x":1})"},
    {"nested, unicode",
     R"([TOOL_CALLS]a[ARGS]{"o":{"l":["ü",{"x":[]}]}})",
     R"(a {"o":{"l":["ü",{"x":[]}]}})"},
    {"text before", R"(Let me see.[TOOL_CALLS]a[ARGS]{})", "a {}", "Let me see."},
    {"text behind", "[TOOL_CALLS]a[ARGS]{}\nDone.", "a {}", "Done."},
    {"a token inside a string",
     R"([TOOL_CALLS]a[ARGS]{"t":"[TOOL_CALLS]b[ARGS]{}"})",
     R"(a {"t":"[TOOL_CALLS]b[ARGS]{}"})"},
    {"cut", R"([TOOL_CALLS]get_weather[ARGS]{"city": "Par)", "get_weather !cut off"},
    {"cut in the head", "[TOOL_CALLS]get_weather[AR", "get_weather !cut off"},
    {"cut list",
     R"([TOOL_CALLS] [{"name": "get_weather", "arguments": {"ci)",
     "get_weather !cut off"},
    {"broken", R"([TOOL_CALLS]a[ARGS]{x:1})", "a !its JSON is broken", "x:1}"},
    {"twice encoded",
     R"([TOOL_CALLS] [{"name":"a","arguments":"{\"x\":\"007\"}"}])",
     R"(a {"x":"007"})"},
}};

constexpr std::array<CallRow, 16> kimi = {{
    {"normal",
     "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_"
     "begin|>"
     "{\"city\": \"Paris\"}<|tool_call_end|><|tool_calls_section_end|>",
     R"(get_weather {"city":"Paris"})"},
    {"two",
     "<|tool_calls_section_begin|><|tool_call_begin|>functions.a:0<|tool_call_argument_begin|>{}"
     "<|tool_call_end|><|tool_call_begin|>functions.b:1<|tool_call_argument_begin|>{\"x\":1}<|tool_"
     "call_end|>"
     "<|tool_calls_section_end|>",
     R"(a {}; b {"x":1})"},
    {"spaces",
     "<|tool_calls_section_begin|>\n<|tool_call_begin|> functions.a:0 <|tool_call_argument_begin|> "
     "{} <|tool_call_end|>\n<|tool_calls_section_end|>",
     "a {}"},
    {"without the section",
     "<|tool_call_begin|>functions.a:0<|tool_call_argument_begin|>{}<|tool_call_end|>",
     "a {}"},
    {"a name alone", "<|tool_call_begin|>a<|tool_call_argument_begin|>{}<|tool_call_end|>", "a {}"},
    {"a dotted name",
     "<|tool_call_begin|>functions.math.add:12<|tool_call_argument_begin|>{}<|tool_call_end|>",
     "math.add {}"},
    {"text around",
     "First.<|tool_calls_section_begin|><|tool_call_begin|>functions.a:0"
     "<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>Then.",
     "a {}",
     "First.Then."},
    {"an end inside a string",
     "<|tool_call_begin|>functions.a:0<|tool_call_argument_begin|>"
     "{\"t\":\"<|tool_call_end|>\"}<|tool_call_end|>",
     R"(a {"t":"<|tool_call_end|>"})"},
    {"nested, unicode",
     "<|tool_call_begin|>functions.a:0<|tool_call_argument_begin|>{\"o\":{\"l\":[\"é\",{}]}}"
     "<|tool_call_end|>",
     R"(a {"o":{"l":["é",{}]}})"},
    {"thinking before",
     "<think>hm</think><|tool_call_begin|>functions.a:0<|tool_call_argument_begin|>{}"
     "<|tool_call_end|>",
     "a {}",
     "",
     "hm"},
    {"cut in the arguments",
     "<|tool_calls_section_begin|><|tool_call_begin|>functions.a:0"
     "<|tool_call_argument_begin|>{\"city\": \"Pa",
     "a !cut off"},
    {"cut in the head",
     "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_we",
     " !cut off"},
    {"cut behind the section", "<|tool_calls_section_begin|>", " !cut off"},
    {"broken",
     "<|tool_call_begin|>functions.a:0<|tool_call_argument_begin|>{x}<|tool_call_end|>",
     "a !its JSON is broken"},
    {"no arguments", "<|tool_call_begin|>functions.a:0<|tool_call_end|>", "a !it has no arguments"},
    {"text behind the arguments",
     "<|tool_call_begin|>functions.a:0<|tool_call_argument_begin|>{} so"
     "<|tool_call_end|>",
     "a !more text"},
}};

constexpr std::array<CallRow, 16> deepseek = {{
    {"V3",
     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n"
     "{\"city\": \"Paris\"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
     R"(get_weather {"city":"Paris"})"},
    {"V3, two",
     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>a\n```json\n{}\n```"
     "<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>b\n```json\n{\"x\":1}\n```"
     "<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
     R"(a {}; b {"x":1})"},
    {"V3.1",
     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{\"city\": \"Paris\"}"
     "<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜>",
     R"(get_weather {"city":"Paris"})"},
    {"V3.1, two",
     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>a<｜tool▁sep｜>{}<｜tool▁call▁end｜>"
     "<｜tool▁call▁begin｜>b<｜tool▁sep｜>{\"x\":1}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
     R"(a {}; b {"x":1})"},
    {"without the section", "<｜tool▁call▁begin｜>a<｜tool▁sep｜>{}<｜tool▁call▁end｜>", "a {}"},
    {"nested, unicode",
     "<｜tool▁call▁begin｜>a<｜tool▁sep｜>{\"o\":{\"l\":[\"日本\",{}]}}<｜tool▁call▁end｜>",
     R"(a {"o":{"l":["日本",{}]}})"},
    {"text before",
     "I look.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>a<｜tool▁sep｜>{}<｜tool▁call▁end｜>"
     "<｜tool▁calls▁end｜>",
     "a {}",
     "I look."},
    {"template opened the thinking",
     "hm</think>\n\n<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>a<｜tool▁sep｜>"
     "{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
     "a {}",
     "",
     "hm"},
    {"an end inside a string",
     "<｜tool▁call▁begin｜>a<｜tool▁sep｜>{\"t\":\"<｜tool▁call▁end｜>\"}"
     "<｜tool▁call▁end｜>",
     "a {\"t\":\"<｜tool▁call▁end｜>\"}"},
    {"a fence inside a string",
     "<｜tool▁call▁begin｜>function<｜tool▁sep｜>a\n```json\n{\"t\":\"```\"}\n```"
     "<｜tool▁call▁end｜>",
     R"(a {"t":"```"})"},
    {"cut",
     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{\"city\": \"Pa",
     "get_weather !cut off"},
    {"cut in the head", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_wea", " !cut off"},
    {"cut V3",
     "<｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{\"ci",
     "get_weather !cut off"},
    {"broken", "<｜tool▁call▁begin｜>a<｜tool▁sep｜>{x}<｜tool▁call▁end｜>", "a !its JSON is broken"
    },
    {"DSML",
     "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"a\">\n<｜DSML｜parameter name=\"s\" "
     "string=\"true\">"
     "007</｜DSML｜parameter>\n<｜DSML｜parameter name=\"n\" string=\"false\">[1, "
     "2]</｜DSML｜parameter>\n"
     "</｜DSML｜invoke>\n</｜DSML｜function_calls>",
     R"(a {"s":"007","n":[1,2]})"},
    {"DSML cut",
     "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"a\">\n<｜DSML｜parameter name=\"s\" "
     "string=\"true\">00",
     "a !cut off"},
}};

constexpr std::array<CallRow, 14> granite = {{
    {"normal",
     R"(<|tool_call|>[{"name": "get_weather", "arguments": {"city": "Paris"}}])",
     R"(get_weather {"city":"Paris"})"},
    {"two",
     R"(<|tool_call|>[{"name":"a","arguments":{}},{"name":"b","arguments":{"x":1}}])",
     R"(a {}; b {"x":1})"},
    {"an object", R"(<|tool_call|> {"name":"a","arguments":{}})", "a {}"},
    {"20B", R"(<function_call> {"name":"a","arguments":{"x":1}})", R"(a {"x":1})"},
    {"20B, closed", R"(<function_call>{"name":"a","arguments":{}}</function_call> ok)", "a {}", "ok"
    },
    {"20B, two", R"(<function_call> {"name":"a"} <function_call> {"name":"b"})", "a {}; b {}"},
    {"functioncall", R"(<functioncall> {"name":"a","arguments":"{\"x\": 1}"})", R"(a {"x":1})"},
    {"nested, unicode",
     R"(<|tool_call|>[{"name":"a","arguments":{"o":{"l":["ß",{}]}}}])",
     R"(a {"o":{"l":["ß",{}]}})"},
    {"text before", R"(Sure. <|tool_call|>[{"name":"a"}])", "a {}", "Sure."},
    {"a token inside a string",
     R"(<|tool_call|>[{"name":"a","arguments":{"t":"<|tool_call|>"}}])",
     R"(a {"t":"<|tool_call|>"})"},
    {"cut", R"(<|tool_call|>[{"name": "get_weather", "arguments": {"ci)", "get_weather !cut off"},
    {"cut at once", "<|tool_call|>", " !cut off"},
    {"broken", R"(<|tool_call|>[{"name":"a",}])", "a !its JSON is broken", "}]"},
    {"no call in the list", "<|tool_call|>[1]", " !the number 1 is no call"},
}};

constexpr std::array<CallRow, 12> phi = {{
    {"tokens", R"(<|tool_call|>[{"name":"a","arguments":{"x":1}}]<|/tool_call|>)", R"(a {"x":1})"},
    {"two", R"(<|tool_call|>[{"name":"a"},{"name":"b"}]<|/tool_call|>)", "a {}; b {}"},
    {"functools",
     R"(functools[{"name": "get_weather", "arguments": {"city": "Paris"}}])",
     R"(get_weather {"city":"Paris"})"},
    {"functools, two",
     R"(functools[{"name":"a","arguments":{}},{"name":"b","arguments":{}}])",
     "a {}; b {}"},
    {"nested, unicode",
     R"(functools[{"name":"a","arguments":{"o":{"l":["ñ",{}]}}}])",
     R"(a {"o":{"l":["ñ",{}]}})"},
    {"text around the tokens",
     R"(Now <|tool_call|>[{"name":"a"}]<|/tool_call|> done)",
     "a {}",
     "Now  done"},
    {"a token inside a string",
     R"(<|tool_call|>[{"name":"a","arguments":{"t":"<|/tool_call|>"}}]<|/tool_call|>)",
     R"(a {"t":"<|/tool_call|>"})"},
    {"functools cut",
     R"(functools[{"name": "get_weather", "arguments": {"ci)",
     "get_weather !cut off"},
    {"functools broken", R"(functools[{"name": get_weather}])", " !its JSON is broken"},
    {"broken", R"(<|tool_call|>[{"name":"a" "b"}]<|/tool_call|>)", "a !its JSON is broken"},
    {"Python's functools", "functools[0] is no list.", "", "functools[0] is no list."},
    {"the module in a sentence", "functools is a module.", "", "functools is a module."},
}};

constexpr std::array<CallRow, 13> command_r = {{
    {"normal",
     "<|START_ACTION|>[{\"tool_call_id\": \"0\", \"tool_name\": \"get_weather\", \"parameters\": "
     "{\"city\": \"Paris\"}}]<|END_ACTION|>",
     R"(get_weather {"city":"Paris"})"},
    {"two",
     "<|START_ACTION|>[\n{\"tool_call_id\":\"0\",\"tool_name\":\"a\",\"parameters\":{}},\n{\"tool_"
     "call_id\":"
     "\"1\",\"tool_name\":\"b\",\"parameters\":{\"x\":1}}\n]<|END_ACTION|>",
     R"(a {}; b {"x":1})"},
    {"thinking before",
     "<|START_THINKING|>I "
     "look.<|END_THINKING|><|START_ACTION|>[{\"tool_name\":\"a\",\"parameters\":"
     "{}}]<|END_ACTION|>",
     "a {}",
     "",
     "I look."},
    {"words only", "<|START_RESPONSE|>Hello.<|END_RESPONSE|>", "", "Hello."},
    {"words and thinking",
     "<|START_THINKING|>So.<|END_THINKING|><|START_RESPONSE|>Hi.<|END_RESPONSE|>",
     "",
     "Hi.",
     "So."},
    {"nested, unicode",
     R"(<|START_ACTION|>[{"tool_name":"a","parameters":{"o":{"l":["ç",{}]}}}]<|END_ACTION|>)",
     R"(a {"o":{"l":["ç",{}]}})"},
    {"an end inside a string",
     R"(<|START_ACTION|>[{"tool_name":"a","parameters":{"t":"<|END_ACTION|>"}}]<|END_ACTION|>)",
     R"(a {"t":"<|END_ACTION|>"})"},
    {"not closed", R"(<|START_ACTION|>[{"tool_name":"a","parameters":{}}])", "a {}"},
    {"cut", R"(<|START_ACTION|>[{"tool_name": "a", "parameters": {"ci)", "a !cut off"},
    {"broken", R"(<|START_ACTION|>[{"tool_name":"a",}]<|END_ACTION|>)", "a !its JSON is broken"},
    {"older",
     "Action: ```json\n[\n  {\"tool_name\": \"a\", \"parameters\": {\"x\": 1}}\n]\n```",
     R"(a {"x":1})"},
    {"older: it answers in words",
     "Action: ```json\n[{\"tool_name\":\"directly-answer\",\"parameters\":{}}]\n```",
     "",
     "Action: ```json\n[{\"tool_name\":\"directly-answer\",\"parameters\":{}}]\n```"},
    {"the word alone", "Action: close the door.", "", "Action: close the door."},
}};

constexpr std::array<CallRow, 21> llama_json = {{
    {"alone",
     R"({"name": "get_weather", "parameters": {"city": "Paris"}})",
     R"(get_weather {"city":"Paris"})"},
    {"with a type",
     R"({"type": "function", "name": "a", "parameters": {"x": "1"}})",
     R"(a {"x":"1"})"},
    {"two",
     R"({"name":"a","parameters":{}}; {"name":"b","parameters":{"x":1}})",
     R"(a {}; b {"x":1})"},
    {"with the tag",
     R"(<|python_tag|>{"name": "a", "parameters": {"x": 1}}<|eom_id|>)",
     R"(a {"x":1})"},
    {"with the tag, two",
     R"(<|python_tag|>{"name":"a","parameters":{}}; {"name":"b","parameters":{}})",
     "a {}; b {}"},
    {"with the tag and arguments",
     R"(<|python_tag|>{"name":"a","arguments":{"x":1}})",
     R"(a {"x":1})"},
    {"built-in tool",
     R"(<|python_tag|>brave_search.call(query="rain in Paris"))",
     R"(brave_search {"query":"rain in Paris"})"},
    {"code", "<|python_tag|>print(1 + 1)", "python {\"code\":\"print(1 + 1)\"}"},
    {"custom", R"(<function=a>{"x": 1}</function>)", R"(a {"x":1})"},
    {"custom, two",
     R"(<function=a>{"x":1}</function><function=b>{}</function>)",
     R"(a {"x":1}; b {})"},
    {"text before the tag", R"(I see. <|python_tag|>{"name":"a","parameters":{}})", "a {}", "I see."
    },
    {"nested, unicode",
     R"({"name":"a","parameters":{"o":{"l":["å",{}]}}})",
     R"(a {"o":{"l":["å",{}]}})"},
    {"an end inside a string",
     R"(<function=a>{"t":"</function>"}</function>)",
     R"(a {"t":"</function>"})"},
    {"cut", R"({"name": "get_weather", "parameters": {"city": "Par)", "get_weather !cut off"},
    {"cut behind the tag", "<|python_tag|>", " !cut off"},
    {"cut before it is a call", R"({"name": "get_wea)", "", R"({"name": "get_wea)"},
    {"text behind: prose",
     R"({"name":"a","parameters":{}} is a call.)",
     "",
     R"({"name":"a","parameters":{}} is a call.)"},
    {"text before: prose",
     R"(Write {"name":"a","parameters":{}})",
     "",
     R"(Write {"name":"a","parameters":{}})"},
    {"JSON that is an answer", R"({"name": "Bob", "age": 5})", "", R"({"name": "Bob", "age": 5})"},
    {"more members: an answer",
     R"({"name":"Bob","parameters":{},"age":5})",
     "",
     R"({"name":"Bob","parameters":{},"age":5})"},
    {"a name with a space: an answer",
     R"({"name":"Bob Ross","parameters":{}})",
     "",
     R"({"name":"Bob Ross","parameters":{}})"},
}};

TEST(ToolCallsTest, Hermes) {
    check_rows(hermes, "hermes");
}

TEST(ToolCallsTest, Mistral) {
    check_rows(mistral, "mistral");
}

TEST(ToolCallsTest, Kimi) {
    check_rows(kimi, "kimi");
}

TEST(ToolCallsTest, DeepSeek) {
    check_rows(deepseek, "deepseek");
}

TEST(ToolCallsTest, Granite) {
    check_rows(granite, "granite");
}

TEST(ToolCallsTest, Phi) {
    check_rows(phi, "phi");
}

TEST(ToolCallsTest, CommandR) {
    check_rows(command_r, "command_r");
}

TEST(ToolCallsTest, LlamaJson) {
    check_rows(llama_json, "llama_json");
}

}  // namespace

}  // namespace punie::openai
