// Formats of their own grammar: Qwen-Coder, GLM, MiniMax, Gemma, harmony, pythonic, plain JSON.
#include <array>

#include "tool_calls_rows.hpp"

namespace punie::openai {

namespace {

constexpr std::array<CallRow, 20> qwen_xml = {{
    {"normal",
     "<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n</function>\n</"
     "tool_call>",
     R"(get_weather {"city":"Paris"})"},
    {"two parameters",
     "<tool_call>\n<function=a>\n<parameter=x>\n1\n</parameter>\n<parameter=y>\n2\n</parameter>\n"
     "</function>\n</tool_call>",
     R"(a {"x":"1","y":"2"})"},
    {"two calls",
     "<tool_call>\n<function=a>\n</function>\n</tool_call>\n<tool_call>\n<function=b>\n</"
     "function>\n"
     "</tool_call>",
     "a {}; b {}"},
    {"two in one",
     "<tool_call>\n<function=a>\n</function>\n<function=b>\n</function>\n</tool_call>",
     "a {}; b {}"},
    {"without the outer tag",
     "<function=a>\n<parameter=x>\n1\n</parameter>\n</function>",
     R"(a {"x":"1"})"},
    {"on one line",
     "<tool_call><function=a><parameter=x>1</parameter></function></tool_call>",
     R"(a {"x":"1"})"},
    {"inner end left out",
     "<tool_call>\n<function=a>\n<parameter=x>\n1\n</parameter>\n</tool_call>",
     R"(a {"x":"1"})"},
    {"several lines",
     "<function=a>\n<parameter=code>\nif x:\n    y\n\n</parameter>\n</function>",
     R"(a {"code":"if x:\n    y\n"})"},
    {"JSON in a value stays text",
     "<function=a>\n<parameter=o>\n{\"l\": [1]}\n</parameter>\n</function>",
     R"(a {"o":"{\"l\": [1]}"})"},
    {"unicode",
     "<function=a>\n<parameter=c>\nKöln 🏠\n</parameter>\n</function>",
     R"(a {"c":"Köln 🏠"})"},
    {"an end inside a value",
     "<function=a>\n<parameter=t>\nwrite </parameter> here\n</parameter>\n</function>",
     R"(a {"t":"write </parameter> here"})"},
    {"the call's end inside a value",
     "<tool_call>\n<function=a>\n<parameter=t>\n</tool_call>\n</parameter>\n</function>\n"
     "</tool_call>",
     R"(a {"t":"</tool_call>"})"},
    {"007", "<function=a>\n<parameter=n>\n007\n</parameter>\n</function>", R"(a {"n":"007"})"},
    {"text around",
     "I look.\n<tool_call>\n<function=a>\n</function>\n</tool_call>\nDone.",
     "a {}",
     "I look.\n\nDone."},
    {"cut in a value",
     "<tool_call>\n<function=get_weather>\n<parameter=city>\nPar",
     "get_weather !cut off"},
    {"cut between parameters",
     "<tool_call>\n<function=a>\n<parameter=x>\n1\n</parameter>\n",
     "a !cut off"},
    {"cut in the name", "<tool_call>\n<function=get_wea", "get_wea !cut off"},
    {"cut in a key", "<tool_call>\n<function=a>\n<parameter=ci", "a !cut off"},
    {"something else inside",
     "<tool_call>\n<function=a>\nhello\n</function>\n</tool_call>",
     "a !a parameter or </function> was expected",
     "hello\n</function>\n</tool_call>"},
    {"a sentence", "Write <function= and a name.", "", "Write <function= and a name."},
}};

constexpr std::array<CallRow, 19> glm = {{
    {"4.5",
     "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n</tool_call>",
     R"(get_weather {"city":"Paris"})"},
    {"4.7",
     "<tool_call>get_weather<arg_key>city</arg_key><arg_value>Paris</arg_value></tool_call>",
     R"(get_weather {"city":"Paris"})"},
    {"two arguments",
     "<tool_call>a\n<arg_key>x</arg_key>\n<arg_value>1</arg_value>\n<arg_key>y</arg_key>\n"
     "<arg_value>true</arg_value>\n</tool_call>",
     R"(a {"x":1,"y":true})"},
    {"two calls",
     "<tool_call>a\n</tool_call>\n<tool_call>b\n<arg_key>x</arg_key>\n<arg_value>1</arg_value>\n</"
     "tool_call>",
     R"(a {}; b {"x":1})"},
    {"no arguments", "<tool_call>get_time</tool_call>", "get_time {}"},
    {"nested",
     "<tool_call>a<arg_key>o</arg_key><arg_value>{\"l\": [1, {\"x\": "
     "null}]}</arg_value></tool_call>",
     R"(a {"o":{"l":[1,{"x":null}]}})"},
    {"Python's literals",
     "<tool_call>a<arg_key>l</arg_key><arg_value>['x', True]</arg_value></tool_call>",
     R"(a {"l":["x",true]})"},
    {"unicode",
     "<tool_call>a<arg_key>c</arg_key><arg_value>北京</arg_value></tool_call>",
     R"(a {"c":"北京"})"},
    {"007 stays",
     "<tool_call>a<arg_key>n</arg_key><arg_value>007</arg_value></tool_call>",
     R"(a {"n":"007"})"},
    {"digits stay",
     "<tool_call>a<arg_key>n</arg_key><arg_value>9007199254740993</arg_value></tool_call>",
     R"(a {"n":9007199254740993})"},
    {"a quoted number is text",
     "<tool_call>a<arg_key>n</arg_key><arg_value>\"5\"</arg_value></tool_call>",
     R"(a {"n":"5"})"},
    {"an end inside a value",
     "<tool_call>a<arg_key>t</arg_key><arg_value>x </arg_value> y</arg_value></tool_call>",
     R"(a {"t":"x </arg_value> y"})"},
    {"the call's end inside a value",
     "<tool_call>a<arg_key>t</arg_key><arg_value>x </tool_call> y</arg_value>"
     "</tool_call>",
     R"(a {"t":"x </tool_call> y"})"},
    {"text around", "I look.<tool_call>a\n</tool_call>Done.", "a {}", "I look.Done."},
    {"thinking before", "<think>hm</think>\n<tool_call>a\n</tool_call>", "a {}", "", "hm"},
    {"cut in a value",
     "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Par",
     "get_weather !cut off"},
    {"cut in the name", "<tool_call>get_wea", "get_wea !cut off"},
    {"cut between arguments",
     "<tool_call>a\n<arg_key>x</arg_key>\n<arg_value>1</arg_value>\n",
     "a !cut off"},
    {"something else behind",
     "<tool_call>a\n<arg_key>x</arg_key>\n<arg_value>1</arg_value>\n<tool_call>b</tool_call>",
     "a !cut off"},
}};

constexpr std::array<CallRow, 16> minimax = {{
    {"normal",
     "<minimax:tool_call>\n<invoke name=\"get_weather\">\n<parameter "
     "name=\"city\">Paris</parameter>\n"
     "</invoke>\n</minimax:tool_call>",
     R"(get_weather {"city":"Paris"})"},
    {"two",
     "<minimax:tool_call>\n<invoke name=\"a\">\n</invoke>\n<invoke name=\"b\">\n<parameter "
     "name=\"x\">1</parameter>\n"
     "</invoke>\n</minimax:tool_call>",
     R"(a {}; b {"x":"1"})"},
    {"without quotes",
     "<minimax:tool_call><invoke name=a><parameter "
     "name=x>1</parameter></invoke></minimax:tool_call>",
     R"(a {"x":"1"})"},
    {"function_calls",
     "<function_calls>\n<invoke name=\"a\">\n<parameter name=\"x\">1</parameter>\n</invoke>\n"
     "</function_calls>",
     R"(a {"x":"1"})"},
    {"another prefix",
     "<atem:function_calls><atem:invoke name=\"a\"><atem:parameter name=\"x\">1</atem:parameter>"
     "</atem:invoke></atem:function_calls>",
     R"(a {"x":"1"})"},
    {"JSON in a value stays text",
     "<minimax:tool_call><invoke name=\"a\"><parameter name=\"o\">{\"l\":[1]}</parameter>"
     "</invoke></minimax:tool_call>",
     R"(a {"o":"{\"l\":[1]}"})"},
    {"unicode",
     "<minimax:tool_call><invoke name=\"a\"><parameter name=\"c\">東京</parameter></invoke>"
     "</minimax:tool_call>",
     R"(a {"c":"東京"})"},
    {"an end inside a value",
     "<minimax:tool_call><invoke name=\"a\"><parameter name=\"t\">x </parameter> y</parameter>"
     "</invoke></minimax:tool_call>",
     R"(a {"t":"x </parameter> y"})"},
    {"the outer end inside a value",
     "<minimax:tool_call><invoke name=\"a\"><parameter name=\"t\">"
     "</minimax:tool_call></parameter></invoke></minimax:tool_call>",
     R"(a {"t":"</minimax:tool_call>"})"},
    {"text around",
     "So.<minimax:tool_call><invoke name=\"a\"></invoke></minimax:tool_call>Done.",
     "a {}",
     "So.Done."},
    {"thinking before",
     "<think>\nhm\n</think>\n\n<minimax:tool_call><invoke name=\"a\"></invoke></minimax:tool_call>",
     "a {}",
     "",
     "hm"},
    {"cut in a value",
     "<minimax:tool_call>\n<invoke name=\"get_weather\">\n<parameter name=\"city\">Par",
     "get_weather !cut off"},
    {"cut behind a parameter",
     "<minimax:tool_call><invoke name=\"a\"><parameter name=\"x\">1</parameter>",
     "a !cut off"},
    {"cut at once", "<minimax:tool_call>\n", " !cut off"},
    {"a parameter without a name",
     "<minimax:tool_call><invoke name=\"a\"><parameter "
     "nn>1</parameter></invoke></minimax:tool_call>",
     "a !one of its parameters has no name"},
    {"no name", "<minimax:tool_call><invoke></invoke></minimax:tool_call>", " !it has no name"},
}};

constexpr std::array<CallRow, 25> gemma = {{
    {"FunctionGemma",
     "<start_function_call>call:get_weather{city:<escape>Paris<escape>}<end_function_call>",
     R"(get_weather {"city":"Paris"})"},
    {"FunctionGemma, kinds",
     "<start_function_call>call:a{x:1,y:2.5,z:true,n:null,w:plain}<end_function_call>",
     R"(a {"x":1,"y":2.5E0,"z":true,"n":null,"w":"plain"})"},
    {"FunctionGemma, two",
     "<start_function_call>call:a{}<end_function_call><start_function_call>call:b{x:1}"
     "<end_function_call>",
     R"(a {}; b {"x":1})"},
    {"FunctionGemma, braces in text",
     "<start_function_call>call:a{t:<escape>{a: b}, c<escape>}<end_function_call>",
     R"(a {"t":"{a: b}, c"})"},
    {"Gemma 4",
     "<|tool_call>call:get_weather{city:<|\"|>Paris<|\"|>}<tool_call|>",
     R"(get_weather {"city":"Paris"})"},
    {"Gemma 4, nested",
     "<|tool_call>call:a{o:{l:[1,<|\"|>x<|\"|>,{y:true}],e:{}},n:-1.5}<tool_call|>",
     R"(a {"o":{"l":[1,"x",{"y":true}],"e":{}},"n":-1.5E0})"},
    {"Gemma 4, two",
     "<|tool_call>call:a{}<tool_call|><|tool_call>call:b{x:1}<tool_call|>",
     R"(a {}; b {"x":1})"},
    {"Gemma 4, two in one", "<|tool_call>call:a{}call:b{x:1}<tool_call|>", R"(a {}; b {"x":1})"},
    {"Gemma 4, an end inside a string",
     "<|tool_call>call:a{t:<|\"|><tool_call|><|\"|>}<tool_call|>",
     R"(a {"t":"<tool_call|>"})"},
    {"Gemma 4, a dash in the name", "<|tool_call>call:get-weather{}<tool_call|>", "get-weather {}"},
    {"Gemma 4, unicode, digits",
     "<|tool_call>call:a{c:<|\"|>Zürich<|\"|>,n:9007199254740993}<tool_call|>",
     R"(a {"c":"Zürich","n":9007199254740993})"},
    {"Gemma 4, 007",
     "<|tool_call>call:a{q:<|\"|>007<|\"|>,b:007}<tool_call|>",
     R"(a {"q":"007","b":"007"})"},
    {"Gemma 4, thinking",
     "<|channel>thought\nI look.<channel|><|tool_call>call:a{}<tool_call|>",
     "a {}",
     "",
     "I look."},
    {"Gemma 4, text around", "So.<|tool_call>call:a{}<tool_call|>Done.", "a {}", "So.Done."},
    {"Gemma 4, not closed", "<|tool_call>call:a{x:1}", R"(a {"x":1})"},
    {"Gemma 4, cut in a string",
     "<|tool_call>call:get_weather{city:<|\"|>Par",
     "get_weather !cut off"},
    {"Gemma 4, cut in the name", "<|tool_call>call:get_we", "get_we !cut off"},
    {"Gemma 4, cut in a bare value", "<|tool_call>call:a{x:12", "a !cut off"},
    {"Gemma 4, broken", "<|tool_call>call:a{x:1;y}}<tool_call|>", "a !more text"},
    {"Gemma 4, a map is missing", "<|tool_call>call:a(x)<tool_call|>", "a !no { behind its name"},
    {"Gemma 3", "```tool_code\nget_weather(city=\"Paris\")\n```", R"(get_weather {"city":"Paris"})"
    },
    {"Gemma 3, printed",
     "```tool_code\nprint(default_api.get_weather(city=\"Paris\"))\n```",
     R"(get_weather {"city":"Paris"})"},
    {"Gemma 3, two", "Okay:\n```tool_code\na(x=1)\nb()\n```", R"(a {"x":1}; b {})", "Okay:"},
    {"Gemma 3, cut", "```tool_code\nget_weather(city=\"Par", "get_weather !cut off"},
    {"Gemma 3, other code", "```tool_code\nx = 5\n```", " !its code is no call"},
}};

constexpr std::array<CallRow, 18> harmony = {{
    {"final",
     "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Paris.<|"
     "return|>",
     "",
     "Paris.",
     "hm"},
    {"call",
     "<|channel|>commentary to=functions.get_weather "
     "<|constrain|>json<|message|>{\"city\":\"Paris\"}<|call|>",
     R"(get_weather {"city":"Paris"})"},
    {"thinking and call",
     "<|channel|>analysis<|message|>I look.<|end|><|start|>assistant<|channel|>commentary "
     "to=functions.a <|constrain|>json<|message|>{}<|call|>",
     "a {}",
     "",
     "I look."},
    {"recipient in the role",
     "<|start|>assistant to=functions.a<|channel|>commentary json<|message|>{\"x\":1}<|call|>",
     R"(a {"x":1})"},
    {"in the analysis channel", "<|channel|>analysis to=functions.a<|message|>{}<|call|>", "a {}"},
    {"preamble",
     "<|channel|>commentary<|message|>I call two.<|end|><|start|>assistant<|channel|>commentary "
     "to=functions.a<|message|>{}<|call|>",
     "a {}",
     "I call two."},
    {"two calls",
     "<|channel|>commentary "
     "to=functions.a<|message|>{}<|call|><|start|>assistant<|channel|>commentary "
     "to=functions.b<|message|>{\"x\":1}<|call|>",
     R"(a {}; b {"x":1})"},
    {"built-in",
     "<|channel|>analysis to=browser.search code<|message|>{\"query\":\"x\"}<|call|>",
     R"(browser.search {"query":"x"})"},
    {"nested, unicode",
     "<|channel|>commentary to=functions.a<|message|>{\"o\":{\"l\":[\"ø\",{}]}}<|call|>",
     R"(a {"o":{"l":["ø",{}]}})"},
    {"an end inside a string",
     "<|channel|>commentary to=functions.a<|message|>{\"t\":\"<|call|>\"}<|call|>",
     R"(a {"t":"<|call|>"})"},
    {"a call inside the thinking",
     "<|channel|>analysis<|message|>I could <tool_call>{\"name\":\"a\"}</tool_call>.<|end|>"
     "<|start|>assistant<|channel|>final<|message|>No.<|return|>",
     "",
     "No.",
     "I could <tool_call>{\"name\":\"a\"}</tool_call>."},
    {"without the end", "<|channel|>commentary to=functions.a<|message|>{\"x\":1}", R"(a {"x":1})"},
    {"cut in the arguments",
     "<|channel|>commentary to=functions.a <|constrain|>json<|message|>{\"city\":\"Pa",
     "a !cut off"},
    {"cut in the head", "<|channel|>commentary to=functions.a <|constr", "a !cut off"},
    {"broken", "<|channel|>commentary to=functions.a<|message|>{x}<|call|>", "a !its JSON is broken"
    },
    {"no JSON", "<|channel|>commentary to=functions.a<|message|>hello<|call|>", "a !no JSON"},
    {"no arguments", "<|channel|>commentary to=functions.a<|message|><|call|>", "a {}"},
    {"text behind the arguments",
     "<|channel|>commentary to=functions.a<|message|>{} so<|call|>",
     "a !more text"},
}};

constexpr std::array<CallRow, 30> pythonic = {{
    {"normal", "[get_weather(city=\"Paris\")]", R"(get_weather {"city":"Paris"})"},
    {"two", "[a(x=1), b(y='z')]", R"(a {"x":1}; b {"y":"z"})"},
    {"no arguments", "[get_time()]", "get_time {}"},
    {"kinds",
     "[a(b=True, n=None, f=-1.5, i=1_000, e=1e3, l=[1, 'x'], t=(1, 2), d={'k': False})]",
     R"(a {"b":true,"n":null,"f":-1.5E0,"i":1000,"e":1E3,"l":[1,"x"],"t":[1,2],"d":{"k":false}})"},
    {"JSON's words", "[a(b=true, c=false, n=null)]", R"(a {"b":true,"c":false,"n":null})"},
    {"escapes",
     R"([a(s="a\"b\n\u00e9\x41\ud83c\udfe0", r='it\'s')])",
     R"(a {"s":"a\"b\néA🏠","r":"it's"})"},
    {"unicode", "[a(c=\"東京\")]", R"(a {"c":"東京"})"},
    {"strings side by side, three quotes",
     "[a(s=\"x\" 'y', t=\"\"\"p\"q\"\"\")]",
     R"(a {"s":"xy","t":"p\"q"})"},
    {"brackets inside a string", "[a(s=\"b(c=1)]\")]", R"(a {"s":"b(c=1)]"})"},
    {"a dotted name", "[tools.a(x=1)]", R"(tools.a {"x":1})"},
    {"lines", "[\n  a(\n    x=1,\n  ),\n  b(),\n]", R"(a {"x":1}; b {})"},
    {"digits stay",
     "[a(n=9007199254740993, u=18446744073709551615)]",
     R"(a {"n":9007199254740993,"u":18446744073709551615})"},
    {"007 stays", "[a(n=\"007\", m=007)]", R"(a {"n":"007","m":"007"})"},
    {"tokens", "<|tool_call_start|>[a(x=1)]<|tool_call_end|>", R"(a {"x":1})"},
    {"tokens, text around",
     "So. <|tool_call_start|>[a(x=1), b()]<|tool_call_end|>Done.",
     R"(a {"x":1}; b {})",
     "So. Done."},
    {"Llama 4's tokens", "<|python_start|>[a(x=1)]<|python_end|><|eot_id|>", R"(a {"x":1})"},
    {"a token inside a string",
     "<|tool_call_start|>[a(t=\"<|tool_call_end|>\")]<|tool_call_end|>",
     R"(a {"t":"<|tool_call_end|>"})"},
    {"tokens around something else",
     "<|tool_call_start|>[1, 2]<|tool_call_end|>",
     " !no list of calls"},
    {"tokens, cut", "<|tool_call_start|>[get_weather(city=\"Par", "get_weather !cut off"},
    {"cut", "[get_weather(city=\"Par", "get_weather !cut off"},
    {"cut between calls", "[a(x=1), ", R"(a {"x":1};  !cut off)"},
    {"cut before the last bracket", "[a(x=1)", R"(a {"x":1};  !cut off)"},
    {"a list of numbers", "[1, 2, 3]", "", "[1, 2, 3]"},
    {"a list of strings", "['a', 'b']", "", "['a', 'b']"},
    {"arguments without names", "[range(5)]", "", "[range(5)]"},
    {"a comprehension", "[f(x) for x in y]", "", "[f(x) for x in y]"},
    {"a call without brackets", "get_weather(city=\"Paris\")", "", "get_weather(city=\"Paris\")"},
    {"text behind", "[a(x=1)] is how.", "", "[a(x=1)] is how."},
    {"text before", "Write [a(x=1)]", "", "Write [a(x=1)]"},
    {"an expression", "[a(x=1+1)]", "", "[a(x=1+1)]"},
}};

constexpr std::array<CallRow, 20> plain = {{
    {"a list",
     R"([{"name": "get_weather", "arguments": {"city": "Paris"}}])",
     R"(get_weather {"city":"Paris"})"},
    {"two",
     R"([{"name":"a","arguments":{}},{"name":"b","arguments":{"x":1}}])",
     R"(a {}; b {"x":1})"},
    {"an object", R"({"name":"a","arguments":{"x":1}})", R"(a {"x":1})"},
    {"in a fence", "```json\n[{\"name\":\"a\",\"arguments\":{\"x\":1}}]\n```", R"(a {"x":1})"},
    {"in a fence without a word", "```\n{\"name\":\"a\",\"arguments\":{}}\n```", "a {}"},
    {"OpenAI's wrapping",
     R"({"tool_calls":[{"id":"1","type":"function","function":{"name":"a","arguments":"{\"x\":1}"}}]})",
     R"(a {"x":1})"},
    {"a function member", R"({"function":"a","arguments":{"x":1}})", R"(a {"x":1})"},
    {"nested, unicode",
     R"([{"name":"a","arguments":{"o":{"l":["é",{}]}}}])",
     R"(a {"o":{"l":["é",{}]}})"},
    {"a fence inside a string", R"([{"name":"a","arguments":{"t":"```"}}])", R"(a {"t":"```"})"},
    {"thinking before", "<think>hm</think>[{\"name\":\"a\",\"arguments\":{}}]", "a {}", "", "hm"},
    {"cut", R"([{"name": "get_weather", "arguments": {"city": "Par)", "get_weather !cut off"},
    {"cut in a fence",
     "```json\n[{\"name\": \"get_weather\", \"arguments\": {\"ci",
     "get_weather !cut off"},
    {"text around a fence: an answer",
     "Like so:\n```json\n{\"name\":\"a\",\"arguments\":{}}\n```",
     "",
     "Like so:\n```json\n{\"name\":\"a\",\"arguments\":{}}\n```"},
    {"text behind a fence: an answer",
     "```json\n{\"name\":\"a\",\"arguments\":{}}\n```\nThat is it.",
     "",
     "```json\n{\"name\":\"a\",\"arguments\":{}}\n```\nThat is it."},
    {"other members: an answer", R"([{"name":"Bob","age":5}])", "", R"([{"name":"Bob","age":5}])"},
    {"one of two is none: an answer",
     R"([{"name":"a","arguments":{}},{"x":1}])",
     "",
     R"([{"name":"a","arguments":{}},{"x":1}])"},
    {"an empty list", "[]", "", "[]"},
    {"arguments that are a number: an answer",
     R"({"name":"a","arguments":5})",
     "",
     R"({"name":"a","arguments":5})"},
    {"broken: an answer",
     R"([{"name":"a","arguments":{x}}])",
     "",
     R"([{"name":"a","arguments":{x}}])"},
    {"two fences: an answer",
     "```json\n{\"name\":\"a\",\"arguments\":{}}\n```\n```\nx\n```",
     "",
     "```json\n{\"name\":\"a\",\"arguments\":{}}\n```\n```\nx\n```"},
}};

TEST(ToolCallsTest, QwenXml) {
    check_rows(qwen_xml, "qwen_xml");
}

TEST(ToolCallsTest, Glm) {
    check_rows(glm, "glm");
}

TEST(ToolCallsTest, MiniMax) {
    check_rows(minimax, "minimax");
}

TEST(ToolCallsTest, Gemma) {
    check_rows(gemma, "gemma");
}

TEST(ToolCallsTest, Harmony) {
    check_rows(harmony, "harmony");
}

TEST(ToolCallsTest, Pythonic) {
    check_rows(pythonic, "pythonic");
}

TEST(ToolCallsTest, PlainJson) {
    check_rows(plain, "json");
}

}  // namespace

}  // namespace punie::openai
