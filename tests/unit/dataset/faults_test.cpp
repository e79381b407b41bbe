// The table of faulty sets: each is what somebody has trained on, and the code that must say so.
#include <gmock/gmock.h>

#include <algorithm>

#include "dataset/codes.hpp"
#include "unit/dataset/data_folder.hpp"

namespace punie::dataset {
namespace {

struct Fault {
    std::string name;
    std::string code;
    std::string row;  ///< one line, put behind three good ones; "" if `train` says all
    std::string train{};
    std::string valid{};
    std::string field{};
    std::size_t line = 0;
    bool mask = false;
    bool emails = false;
    std::size_t max_seq_length = 2048;

    friend void PrintTo(const Fault& fault, std::ostream* out) {
        *out << fault.code << " " << fault.name;
    }
};

std::string chat(const std::string& messages) {
    return R"({"messages": [)" + messages + "]}";
}

const std::string user = R"({"role": "user", "content": "What is the weather in Oslo?"})";
const std::string answer = R"({"role": "assistant", "content": "Cloudy, four degrees."})";
const std::string tools =
    R"("tools": [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"], "additionalProperties": false}}}])";

std::string tool_row(const std::string& messages) {
    return R"({"messages": [)" + messages + "], " + tools + "}";
}

std::string call(
    const std::string& name,
    const std::string& arguments,
    const std::string& id = "c1",
    const std::string& content = "null"
) {
    return R"({"role": "assistant", "content": )" + content + R"(, "tool_calls": [{"id": ")" + id +
           R"(", "type": "function", "function": {"name": ")" + name + R"(", "arguments": )" +
           arguments + "}}]}";
}

std::string result(const std::string& id) {
    return R"({"role": "tool", "tool_call_id": ")" + id + R"(", "content": "4 degrees"})";
}

std::string said(const std::string& text) {
    return chat(user + R"(, {"role": "assistant", "content": ")" + text + R"("})");
}

std::string asked(const std::string& text) {
    return chat(R"({"role": "user", "content": ")" + text + R"("}, )" + answer);
}

std::string repeated(const std::string& text, std::size_t count) {
    std::string all;
    for (std::size_t round = 0; round < count; ++round) all += text;
    return all;
}

/// Rows with calls of get_weather; every `each`th has a preamble.
std::string calling_rows(
    std::size_t count, std::size_t each, const std::string& arguments = R"({"city": "CITY"})"
) {
    static const std::vector<std::string> cities = {
        "Oslo",
        "Lima",
        "Cairo",
        "Perth",
        "Quito",
        "Hanoi",
        "Tunis",
        "Delhi",
        "Paris",
        "Osaka",
        "Miami",
        "Dakar"
    };
    std::string rows;
    for (std::size_t index = 0; index < count; ++index) {
        auto with_city = arguments;
        const auto& city = cities[index % cities.size()];
        if (const auto at = with_city.find("CITY"); at != std::string::npos)
            with_city.replace(at, 4, city);
        const bool preamble = each > 0 && index % each == 0;
        rows += tool_row(
                    R"({"role": "user", "content": ")" + plain_talk()[index % 12].first + " " +
                    city + R"("}, )" +
                    call(
                        "get_weather",
                        with_city,
                        "c1",
                        preamble ? R"("Sure, let me check that for you.")" : "null"
                    )
                ) +
                "\n";
    }
    return rows;
}

std::vector<Fault> file_faults() {
    return {
        {"blank lines alone", "D102", "", chat_rows(4), "\n"},
        {"an empty validation file", "D102", "", chat_rows(4), "EMPTY"},
        {"fewer rows than a batch", "D105", "", chat_rows(3)},
        {"fewer validation rows than a batch", "D105", "", chat_rows(4), chat_rows(2, 8)},
        {"rows left over", "D705", "", chat_rows(6)},
        {"more validation than training", "D109", "", chat_rows(4), chat_rows(8, 4)},
        {"a list instead of lines", "D107", "", "[" + chat_row(0) + ",\n" + chat_row(1) + "]\n"},
        {"one object over several lines", "D107", "", "{\n  \"messages\": []\n}\n"},
        {"gzip", "D108", "", std::string("\x1F\x8B\x08\0\0\0", 6)},
        {"UTF-16", "D108", "", std::string("\xFF\xFE{\0\"\0", 6)},
        {"a BOM", "D110", "", "\xEF\xBB\xBF" + chat_rows(4), {}, {}, 1},
        {"a blank line", "D111", "", chat_rows(2) + "\n" + chat_rows(2, 2), {}, {}, 3},
        {"a blank line at the end", "D111", "", chat_rows(4) + "  \n", {}, {}, 5},
    };
}

std::vector<Fault> json_faults() {
    return {
        {"cut in the middle", "D120", R"({"messages": [{"role": "user", "cont)"},
        {"a comma too many", "D120", R"({"messages": [], })"},
        {"single quotes", "D120", "{'messages': []}"},
        {"Python's None", "D120", R"({"messages": None})"},
        {"no comma", "D120", R"({"prompt": "a" "completion": "b"})"},
        {"a comment", "D120", R"(// {"prompt": "a", "completion": "b"})"},
        {"a number with a leading zero", "D120", R"({"prompt": 01, "completion": "b"})"},
        {"a bad escape", "D120", R"({"prompt": "C:\data", "completion": "b"})"},
        {"text after the row", "D120", chat_row(4) + " trailing"},
        {"an unquoted key", "D120", R"({prompt: "a", "completion": "b"})"},
        {"two rows in a line", "D129", chat_row(4) + chat_row(5)},
        {"a Latin-1 byte", "D121", chat_row("Caf\xE9?", "Yes.")},
        {"a surrogate encoded as UTF-8", "D121", chat_row("\xED\xA0\x80", "Yes.")},
        {"a raw line feed cut by a tab",
         "D122",
         "{\"messages\": [{\"role\": \"user\", \"content\": \"a\tb\"}, " + answer + "]}"},
        {"a key twice",
         "D123",
         R"({"messages": [{"role": "user", "content": "Hello you", "content": "Bye"}, )" + answer +
             "]}",
         {},
         {},
         "messages[0].content"},
        {"a row's key twice", "D123", R"({"prompt": "a", "prompt": "b", "completion": "c"})"},
        {"NaN", "D124", R"({"messages": [)" + user + ", " + answer + R"(], "score": NaN})"},
        {"half of a pair", "D125", said(R"(Look \ud83d here)")},
        {"too deep", "D126", R"({"a": )" + std::string(300, '[') + std::string(300, ']') + "}"},
        {"a string as a row", "D127", R"("hello")"},
        {"a number as a row", "D127", "42"},
    };
}

std::vector<Fault> format_faults() {
    return {
        {"no known key", "D201", R"({"title": "a", "body": "b"})"},
        {"an empty object", "D201", "{}"},
        {"a prompt alone", "D201", R"({"prompt": "a"})"},
        {"a completion among chats",
         "D202",
         R"({"prompt": "What is it?", "completion": "A test."})",
         {},
         {},
         {},
         4},
        {"a text among chats", "D202", R"({"text": "What is it? A test."})"},
        {"both formats in a row",
         "D203",
         R"({"messages": [)" + user + ", " + answer + R"(], "prompt": "a", "completion": "b"})"},
        {"mesages", "D204", R"({"mesages": [)" + user + ", " + answer + "]}", {}, {}, "mesages"},
        {"Messages", "D204", R"({"Messages": []})"},
        {"promt", "D204", R"({"promt": "a", "completion": "b"})"},
        {"contnet in a message", "D204", chat(R"({"role": "user", "contnet": "Hello"}, )" + answer)
        },
        {"tool for tools", "D204", R"({"messages": [)" + user + ", " + answer + R"(], "tool": []})"
        },
        {"ShareGPT",
         "D205",
         R"({"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]})"},
        {"ShareGPT under messages",
         "D205",
         R"({"messages": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]})"},
        {"Alpaca", "D206", R"({"instruction": "a", "input": "", "output": "b"})"},
        {"a preference pair", "D207", R"({"prompt": "a", "chosen": "b", "rejected": "c"})"},
        {"question and answer", "D207", R"({"question": "a", "answer": "b"})"},
        {"training and validation differ",
         "D208",
         "",
         chat_rows(4),
         repeated(
             R"({"text": "Once upon a time there was a king."})"
             "\n",
             4
         )},
        {"a list as a prompt", "D209", R"({"prompt": ["a"], "completion": "b"})"},
        {"a number as a completion",
         "D209",
         R"({"prompt": "How many?", "completion": 7})",
         {},
         {},
         "completion"},
        {"null as text", "D209", R"({"text": null})"},
        {"an empty completion", "D210", R"({"prompt": "Say nothing", "completion": ""})"},
        {"an empty text", "D210", R"({"text": "  "})"},
        {"masked text rows",
         "D211",
         "",
         repeated(
             R"({"text": "Once upon a time there was a king."})"
             "\n",
             4
         ),
         {},
         {},
         0,
         true},
        {"functions", "D212", R"({"messages": [)" + user + ", " + answer + R"(], "functions": []})"
        },
        {"function_call",
         "D212",
         chat(
             user +
             R"(, {"role": "assistant", "content": null, "function_call": {"name": "a", "arguments": "{}"}})"
         )},
        {"weight 0 in a message",
         "D213",
         chat(user + R"(, {"role": "assistant", "content": "Rain.", "weight": 0})")},
        {"weight 0 of a row",
         "D213",
         R"({"messages": [)" + user + ", " + answer + R"(], "weight": 0})"},
    };
}

std::vector<Fault> conversation_faults() {
    return {
        {"no messages", "D301", R"({"messages": []})"},
        {"messages as a string", "D302", R"({"messages": "hello"})"},
        {"a message as a string", "D302", R"({"messages": ["hello", "bye"]})"},
        {"no role", "D303", chat(R"({"content": "Hello"}, )" + answer)},
        {"a number as a role", "D303", chat(R"({"role": 1, "content": "Hello"}, )" + answer)},
        {"a misspelled role",
         "D304",
         chat(R"({"role": "asistant", "content": "Hello"})"),
         {},
         {},
         "messages[0].role"},
        {"human and gpt",
         "D304",
         chat(R"({"role": "human", "content": "Hello"}, {"role": "gpt", "content": "Bye"})")},
        {"system in the middle",
         "D305",
         chat(user + R"(, {"role": "system", "content": "Be brief."}, )" + answer)},
        {"two users", "D306", chat(user + ", " + user + ", " + answer)},
        {"two answers", "D306", chat(user + ", " + answer + ", " + answer)},
        {"the user has the last word", "D307", chat(user + ", " + answer + ", " + user)},
        {"a tool has the last word",
         "D307",
         tool_row(user + ", " + call("get_weather", R"({"city": "Oslo"})") + ", " + result("c1"))},
        {"the assistant begins", "D308", chat(answer)},
        {"nobody answers", "D309", chat(user)},
        {"no content", "D310", chat(user + R"(, {"role": "assistant"})")},
        {"null from the user", "D310", chat(R"({"role": "user", "content": null}, )" + answer)},
        {"an empty answer", "D311", chat(user + R"(, {"role": "assistant", "content": ""})")},
        {"spaces as an answer", "D311", chat(user + R"(, {"role": "assistant", "content": " \n "})")
        },
        {"a number as content",
         "D312",
         chat(user + R"(, {"role": "assistant", "content": 42})"),
         {},
         {},
         "messages[1].content"},
        {"an object as content",
         "D312",
         chat(user + R"(, {"role": "assistant", "content": {"answer": "yes"}})")},
        {"an image",
         "D312",
         chat(
             R"({"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}, )" + answer
         )},
        {"text parts",
         "D313",
         chat(R"({"role": "user", "content": [{"type": "text", "text": "Hello you"}]}, )" + answer)
        },
        {"an empty question", "D314", chat(R"({"role": "user", "content": ""}, )" + answer)},
        {"a label before the answer", "D320", said("Assistant: It is cloudy.")},
        {"a system prompt in half of the rows",
         "D319",
         "",
         [] {
             std::string rows;
             for (std::size_t index = 0; index < 8; ++index)
                 rows +=
                     (index % 2 == 0
                          ? chat_row(index)
                          : chat(
                                R"({"role": "system", "content": "You are kind."}, {"role": "user", "content": ")" +
                                plain_talk()[index].first +
                                R"("}, {"role": "assistant", "content": ")" +
                                plain_talk()[index].second + R"("})"
                            )) +
                     "\n";
             return rows;
         }()},
        {"thinking in half of the rows",
         "D321",
         "",
         [] {
             std::string rows;
             for (std::size_t index = 0; index < 8; ++index)
                 rows +=
                     chat_row(
                         plain_talk()[index].first,
                         (index % 2 == 0 ? "<think>Hm.</think>" : "") + plain_talk()[index].second
                     ) +
                     "\n";
             return rows;
         }()},
        {"a system prompt in two spellings",
         "D322",
         "",
         [] {
             std::string rows;
             for (std::size_t index = 0; index < 8; ++index)
                 rows += chat(
                             std::string(R"({"role": "system", "content": ")") +
                             (index == 5 ? "you are kind" : "You are kind.") +
                             R"("}, {"role": "user", "content": ")" + plain_talk()[index].first +
                             R"("}, {"role": "assistant", "content": ")" +
                             plain_talk()[index].second + R"("})"
                         ) +
                         "\n";
             return rows;
         }()},
    };
}

std::vector<Fault> tool_faults() {
    const auto good = call("get_weather", R"({"city": "Oslo"})");
    return {
        {"tools as an object",
         "D401",
         R"({"messages": [)" + user + ", " + answer + R"(], "tools": {"name": "a"}})"},
        {"a tool without a name",
         "D401",
         R"({"messages": [)" + user + ", " + answer +
             R"(], "tools": [{"type": "function", "function": {}}]})"},
        {"tools as a string",
         "D401",
         R"({"messages": [)" + user + ", " + answer + R"(], "tools": "[]"})"},
        {"parameters that are no schema",
         "D402",
         R"({"messages": [)" + user + ", " + answer +
             R"(], "tools": [{"type": "function", "function": {"name": "a", "parameters": {"type": "strng"}}}]})"
        },
        {"parameters as a list",
         "D402",
         R"({"messages": [)" + user + ", " + answer +
             R"(], "tools": [{"type": "function", "function": {"name": "a", "parameters": []}}]})"},
        {"a tool twice",
         "D403",
         R"({"messages": [)" + user + ", " + answer +
             R"(], "tools": [{"type": "function", "function": {"name": "a"}}, {"type": "function", "function": {"name": "a"}}]})"
        },
        {"tool_calls as an object",
         "D404",
         tool_row(
             user +
             R"(, {"role": "assistant", "content": "Hm.", "tool_calls": {"name": "get_weather"}})"
         )},
        {"an unwrapped call",
         "D404",
         tool_row(
             user +
             R"(, {"role": "assistant", "content": null, "tool_calls": [{"name": "get_weather", "arguments": {"city": "Oslo"}}]})"
         )},
        {"no arguments",
         "D404",
         tool_row(
             user +
             R"(, {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "get_weather"}}]})"
         )},
        {"a tool that is not there",
         "D405",
         tool_row(user + ", " + call("send_mail", R"({"to": "x"})"))},
        {"a misspelled tool",
         "D405",
         tool_row(user + ", " + call("get_wether", R"({"city": "Oslo"})"))},
        {"no tools declared", "D406", chat(user + ", " + good)},
        {"a missing argument", "D407", tool_row(user + ", " + call("get_weather", R"({"days": 2})"))
        },
        {"a wrong type",
         "D407",
         tool_row(user + ", " + call("get_weather", R"({"city": "Oslo", "days": "two"})"))},
        {"an unknown argument",
         "D407",
         tool_row(user + ", " + call("get_weather", R"({"town": "Oslo", "city": "Oslo"})"))},
        {"a wrong argument in a string",
         "D407",
         tool_row(user + ", " + call("get_weather", R"("{\"days\": 2}")"))},
        {"a list as arguments", "D408", tool_row(user + ", " + call("get_weather", R"(["Oslo"])"))},
        {"a string of a list", "D408", tool_row(user + ", " + call("get_weather", R"("[1]")"))},
        {"broken arguments", "D409", tool_row(user + ", " + call("get_weather", R"("{\"city\": ")"))
        },
        {"strings and objects",
         "D410",
         "",
         calling_rows(4, 0) + calling_rows(4, 0, R"("{\"city\": \"CITY\"}")")},
        {"strings only", "D411", "", calling_rows(8, 0, R"("{\"city\": \"CITY\"}")")},
        {"a result from nowhere", "D412", tool_row(user + ", " + result("c9") + ", " + answer)},
        {"two results of one call",
         "D412",
         tool_row(user + ", " + good + ", " + result("c1") + ", " + result("c1") + ", " + answer)},
        {"a call that is not answered", "D413", tool_row(user + ", " + good + ", " + answer)},
        {"a user who interrupts", "D413", tool_row(user + ", " + good + ", " + user + ", " + answer)
        },
        {"the wrong id", "D414", tool_row(user + ", " + good + ", " + result("c7") + ", " + answer)
        },
        {"one id for two calls",
         "D415",
         tool_row(
             user +
             R"(, {"role": "assistant", "content": null, "tool_calls": [{"id": "a", "function": {"name": "get_weather", "arguments": {"city": "Oslo"}}}, {"id": "a", "function": {"name": "get_weather", "arguments": {"city": "Rome"}}}]})"
         )},
        {"a preamble before every second call", "D417", "", calling_rows(12, 2)},
        {"a preamble before a quarter of the calls", "D417", "", calling_rows(12, 4)},
        {"a call in the content",
         "D418",
         "",
         calling_rows(7, 0) +
             said(R"(<tool_call>{\"name\": \"get_weather\", \"arguments\": {}}</tool_call>)") +
             "\n"},
        {"calls of the user",
         "D421",
         tool_row(R"({"role": "user", "content": "Hello you", "tool_calls": []}, )" + answer)},
        {"a tool that is never called",
         "D420",
         "",
         calling_rows(7, 0) + R"({"messages": [)" + user + ", " + answer +
             R"(], "tools": [{"type": "function", "function": {"name": "idle"}}]})"
             "\n"},
        {"two definitions",
         "D422",
         "",
         calling_rows(7, 0) + R"({"messages": [)" + user + ", " + answer +
             R"(], "tools": [{"type": "function", "function": {"name": "get_weather"}}]})"
             "\n"},
        {"calls in all rows", "D706", "", calling_rows(24, 0)},
    };
}

std::vector<Fault> text_faults() {
    return {
        {"ChatML", "D501", said("Yes.<|im_end|>")},
        {"Llama 3", "D501", said("Yes.<|eot_id|>")},
        {"an invented token", "D501", said("<|my_token|> Yes.")},
        {"Mistral", "D501", asked("[INST] Hello [/INST]")},
        {"Llama 2", "D501", asked("<<SYS>> Be kind. <</SYS>> Hello")},
        {"Gemma", "D501", said("Yes.<end_of_turn>")},
        {"DeepSeek", "D501", said("<｜User｜>Hello")},
        {"a tool call in the question", "D501", asked("<tool_call> {} </tool_call>")},
        {"an end token", "D501", said("Yes.</s>")},
        {"a token in a completion",
         "D501",
         "",
         repeated(
             R"({"prompt": "Name one of them", "completion": "One<|endoftext|>"})"
             "\n",
             1
         ) + R"({"prompt": "b", "completion": "c"})"
             "\n"},
        {"zero-width space", "D502", said("Ze\u200Bro")},
        {"a BOM inside", "D502", said("\uFEFFYes.")},
        {"joiner in English", "D502", said("Ze\u200Dro")},
        {"Trojan source", "D502", said("if \u202E admin")},
        {"tag characters", "D502", said("Hello\U000E0041\U000E0042")},
        {"line separator as an escape", "D502", said(R"(one\u2028two)")},
        {"mojibake é", "D503", said("CafÃ©")},
        {"mojibake quotes", "D503", said("itâ€™s")},
        {"mojibake emoji", "D503", said("ðŸ˜€ nice")},
        {"mojibake degree", "D503", said("4 Â°C")},
        {"mojibake Cyrillic", "D503", said("ÐŸÑ€Ð¸Ð²ÐµÑ‚")},
        {"a space after the answer", "D504", said("Yes. ")},
        {"a line end after the answer", "D504", said(R"(Yes.\n)")},
        {"a space before the answer", "D504", said(" Yes.")},
        {"a space after the prompt",
         "D504",
         R"({"prompt": "The capital of Norway is ", "completion": "Oslo"})",
         {},
         {},
         "prompt"},
        {"a space before the completion",
         "D504",
         R"({"prompt": "The capital of Norway is", "completion": " Oslo"})",
         {},
         {},
         "completion"},
        {"a lost character", "D505", said("Caf\uFFFD")},
        {"a terminal code", "D506", said(R"(\u001b[31mred\u001b[0m)")},
        {"a C1 control", "D506", said("a\u0085b")},
        {"form feed", "D506", said(R"(a\fb)")},
        {"Windows line ends", "D507", said(R"(one\r\ntwo)")},
        {"NUL", "D508", said(R"(one\u0000two)")},
        {"escaped twice", "D510", said(R"(one\\ntwo\\nthree\\nfour)")},
        {"an open code block",
         "D511",
         said(R"(Here:\n```python\nprint(1)\n)"
              "and so on")},
    };
}

std::vector<Fault> set_faults() {
    const auto long_text = repeated("word after word ", 800);
    return {
        {"the same row in both",
         "D601",
         "",
         chat_rows(4),
         chat_rows(3, 4) + chat_row(2) + "\n",
         {},
         3},
        {"the same but for case and space",
         "D602",
         "",
         chat_rows(4),
         chat_rows(3, 4) + chat_row("which... NAME the largest  lake in Africa", "x") + "\n" +
             chat_row(
                 "Name the LARGEST lake in Africa",
                 "Lake Victoria - which Kenya, Uganda and Tanzania share"
             ) +
             "\n"},
        {"nearly the same",
         "D603",
         "",
         chat_rows(3) +
             chat_row(
                 "Please tell me how one removes red wine from an old woollen carpet at home "
                 "tonight",
                 "Dab it with cold water and salt at once, never rub it, and let it dry slowly in "
                 "the sun"
             ) +
             "\n",
         chat_rows(3, 4) +
             chat_row(
                 "Please tell me how one removes red wine from an old woollen carpet at home today",
                 "Dab it with cold water and salt at once, never rub it, and let it dry slowly in "
                 "the sun"
             ) +
             "\n"},
        {"the same prompt",
         "D604",
         "",
         chat_rows(4),
         chat_rows(3, 4) +
             chat_row(
                 plain_talk()[1].first, "Ask your grandmother, she has done it for sixty years."
             ) +
             "\n"},
        {"a row twice", "D605", "", chat_rows(4) + chat_rows(4), {}, {}, 5},
        {"a row twice but for case",
         "D606",
         "",
         chat_rows(3) + chat_row("NAME the largest lake in Africa", plain_talk()[2].second) + "\n"},
        {"a row nearly twice",
         "D607",
         "",
         chat_rows(2) +
             chat_row(
                 "Please tell me how one removes red wine from an old woollen carpet at home "
                 "tonight",
                 "Dab it with cold water and salt at once, never rub it, and let it dry slowly in "
                 "the sun"
             ) +
             "\n" +
             chat_row(
                 "Please tell me how one removes red wine from an old woollen carpet at home today",
                 "Dab it with cold water and salt at once, never rub it, and let it dry slowly in "
                 "the sun"
             ) +
             "\n"},
        {"one prompt, two answers",
         "D608",
         "",
         chat_rows(3) +
             chat_row(plain_talk()[1].first, "Ten minutes, then it is hard all through.") + "\n"},
        {"too long", "D701", said(long_text)},
        {"a prompt longer than the limit",
         "D702",
         chat(R"({"role": "user", "content": ")" + long_text + R"("}, )" + answer),
         {},
         {},
         {},
         0,
         true},
        {"one answer for all",
         "D707",
         "",
         [] {
             std::string rows;
             for (std::size_t index = 0; index < 24; ++index)
                 rows += chat_row(
                             fmt::format("{} ({})", plain_talk()[index % 12].first, index),
                             index % 3 == 0 ? plain_talk()[index % 12].second
                                            : "I cannot help with that."
                         ) +
                         "\n";
             return rows;
         }()},
        {"a few long answers",
         "D708",
         "",
         [] {
             std::string rows;
             for (std::size_t index = 0; index < 48; ++index)
                 rows += chat_row(
                             fmt::format("{} ({})", plain_talk()[index % 12].first, index),
                             index == 7 ? repeated("a very long story ", 300) + "end"
                                        : fmt::format("Answer {}.", index)
                         ) +
                         "\n";
             return rows;
         }()},
        {"much padding",
         "D703",
         "",
         [] {
             std::string rows;
             for (std::size_t index = 0; index < 40; ++index)
                 rows += chat_row(
                             fmt::format("{} ({})", plain_talk()[index % 12].first, index),
                             index % 4 == 0 ? repeated("a very long story ", 200) + "end"
                                            : fmt::format("Answer {}.", index)
                         ) +
                         "\n";
             return rows;
         }()},
        {"a private key",
         "D801",
         said(
             R"(-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEAsdf8s7df6s8d7f\n-----END RSA PRIVATE KEY-----)"
         )},
        {"an OpenAI key", "D802", said("Use sk-proj-a8Fj2kLm9Qw3eRt5yUi7oPzXcVbNm1 here")},
        {"a GitHub token", "D802", said("ghp_a8Fj2kLm9Qw3eRt5yUi7oPzXcVbNm1Hg4dSa")},
        {"an AWS key", "D802", said("AKIAQ7KX2M4N8P5R9T3V")},
        {"a password in an address", "D803", said("postgres://admin:s3cr3t-Pw9@db.local/x")},
        {"an e-mail address",
         "D804",
         said("Write to jane.doe@acme-corp.net please"),
         {},
         {},
         {},
         0,
         false,
         true},
    };
}

class FaultySet : public testing::TestWithParam<Fault> {};

TEST_P(FaultySet, IsFound) {
    const auto& fault = GetParam();
    const TestFolder folder;
    const bool alone = !fault.train.empty();
    folder.write("train.jsonl", alone ? fault.train : chat_rows(3) + fault.row + "\n");
    if (fault.valid == "EMPTY")
        folder.write("valid.jsonl", "");
    else
        folder.write("valid.jsonl", fault.valid.empty() ? chat_rows(4, 8) : fault.valid);
    const auto report = validate_data(
        folder.path(),
        {.max_seq_length = fault.max_seq_length, .mask_prompt = fault.mask, .emails = fault.emails}
    );
    ASSERT_TRUE(report) << report.error().describe();
    std::vector<std::string> found;
    bool there = false;
    for (const auto& finding : report->findings) {
        found.push_back(fmt::format(
            "{} {}:{} {}: {}",
            finding.code,
            finding.file,
            finding.line,
            finding.field,
            finding.message
        ));
        EXPECT_FALSE(finding.message.empty()) << finding.code;
        EXPECT_EQ(finding.fingerprint.size(), 16U);
        if (finding.code != fault.code) continue;
        const bool field_fits = fault.field.empty() || finding.field == fault.field;
        const auto line = fault.line != 0 ? fault.line : alone ? finding.line : 4;
        there = there || (field_fits && finding.line == line);
    }
    EXPECT_TRUE(there) << "wanted: " << fault.code << " " << fault.field << "\nfound:\n"
                       << testing::PrintToString(found);
    EXPECT_TRUE(report->counts.contains(fault.code));
}

std::string name_of_case(const testing::TestParamInfo<Fault>& info) {
    std::string name = info.param.code + "_" + info.param.name;
    std::ranges::replace_if(name, [](unsigned char byte) { return std::isalnum(byte) == 0; }, '_');
    return fmt::format("{}_{}", name, info.index);
}

INSTANTIATE_TEST_SUITE_P(Files, FaultySet, testing::ValuesIn(file_faults()), name_of_case);
INSTANTIATE_TEST_SUITE_P(Json, FaultySet, testing::ValuesIn(json_faults()), name_of_case);
INSTANTIATE_TEST_SUITE_P(Formats, FaultySet, testing::ValuesIn(format_faults()), name_of_case);
INSTANTIATE_TEST_SUITE_P(
    Conversations, FaultySet, testing::ValuesIn(conversation_faults()), name_of_case
);
INSTANTIATE_TEST_SUITE_P(Tools, FaultySet, testing::ValuesIn(tool_faults()), name_of_case);
INSTANTIATE_TEST_SUITE_P(Text, FaultySet, testing::ValuesIn(text_faults()), name_of_case);
INSTANTIATE_TEST_SUITE_P(Sets, FaultySet, testing::ValuesIn(set_faults()), name_of_case);

}  // namespace
}  // namespace punie::dataset
