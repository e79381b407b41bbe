// Sets that are as they should be: a check that cries wolf is switched off.
#include <gmock/gmock.h>

#include "unit/dataset/data_folder.hpp"

namespace punie::dataset {
namespace {

struct Clean {
    std::string name;
    std::vector<std::string> rows;  ///< the last ones of eight; the first are plain talk

    friend void PrintTo(const Clean& clean, std::ostream* out) { *out << clean.name; }
};

const std::string tools =
    R"("tools": [{"type": "function", "function": {"name": "get_weather", "description": "The weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}, {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}}}}])";

std::string tool_row(const std::string& messages) {
    return R"({"messages": [)" + messages + "], " + tools + "}";
}

std::vector<Clean> clean_sets() {
    return {
        {"plain talk", {}},
        {"languages",
         {chat_row("Какая столица Норвегии?", "Осло, город на юге страны."),
          chat_row("挪威的首都是哪里？", "奥斯陆。它位于该国南部。"),
          chat_row("ノルウェーの首都はどこですか。", "オスロです。"),
          chat_row("ما هي عاصمة النرويج؟", "أوسلو\u200F، في جنوب البلاد."),
          chat_row("पानी का रासायनिक सूत्र क्या है?", "पानी का सूत्र H\u2082O है, क्\u200Dष भी देखिए।"),
          chat_row("می\u200Cخواهم بدانم", "می\u200Cدانم."),
          chat_row(
              "Où est la gare d'Étampes ?", "« À côté de la mairie », dit-il ; l'été, ça va. CAFÉ»"
          ),
          chat_row("Was heißt Größe auf Englisch?", "Size; „Größe“ ist ein Substantiv … natürlich.")
         }},
        {"emoji and signs",
         {chat_row(
              "A family emoji please",
              "👨\u200D👩\u200D👧 and a flag "
              "🏴\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F"
          ),
          chat_row("How hot was it?", "It was 35\u00A0°C — “too hot”, she said… that’s £5 ± 2 %.")}
        },
        {"code",
         {chat_row(
              "Write a C++ template",
              R"(```cpp\ntemplate <typename T>\nT max(T a, T b) { return a < b ? b : a; }\n```)"
          ),
          chat_row("F# please", R"(Use `x |> f` or `f <| x`; a list is [1; 2], arr[INDEX] too.)"),
          chat_row("HTML with strike", R"(<s>old</s> <b>new</b> <br/> and vec![\"a\"])"),
          chat_row("Print a newline in C", R"(printf(\"a\\n\"); and a regex \\d+\\s*)"),
          chat_row("Indentation alone", R"(    return 1\n    # done)"),
          chat_row(
              "A Jinja template",
              R"({{ user.name }} and {% if x %}y{% endif %} {\"a\": {\"b\": []}})"
          ),
          chat_row(
              "A hash?", "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
          ),
          chat_row(
              "Where is my key?",
              "Put sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxx or YOUR_API_KEY there; see "
              "https://user@example.com/a?b=c"
          )}},
        {"system prompts, turns and escapes",
         {chat_row(
              "Tell me \\\"more\\\"",
              "Line one\\nLine two\\n\\n- a\\n- b\\tc \\u00e9 \\ud83d\\ude00"
          ),
          R"({"messages": [{"role": "user", "content": "Are you there?"}, {"role": "assistant", "content": "Yes."}, {"role": "user", "content": "Good. And now?"}, {"role": "assistant", "content": "Still here."}], "id": 7, "source": "test", "meta": {"a": null}})"
         }},
        {"tools",
         {tool_row(
              R"({"role": "user", "content": "Weather in Oslo?"}, {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "Oslo"}}}]}, {"role": "tool", "tool_call_id": "1", "content": "{\"t\": 4}"}, {"role": "assistant", "content": "Four degrees."})"
          ),
          tool_row(
              R"({"role": "user", "content": "Time and weather in Lima now?"}, {"role": "assistant", "content": "", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "Lima"}}}, {"id": "2", "type": "function", "function": {"name": "get_time", "arguments": {}}}]}, {"role": "tool", "tool_call_id": "2", "content": "noon"}, {"role": "tool", "tool_call_id": "1", "content": "sun"}, {"role": "assistant", "content": "Noon, and the sun shines."})"
          ),
          tool_row(
              R"({"role": "user", "content": "What time is it in UTC?"}, {"role": "assistant", "tool_calls": [{"type": "function", "function": {"name": "get_time", "arguments": {"zone": "UTC"}}}]})"
          ),
          tool_row(
              R"({"role": "user", "content": "Thank you very much indeed!"}, {"role": "assistant", "content": "You are welcome."})"
          )}},
    };
}

class CleanSet : public testing::TestWithParam<Clean> {};

TEST_P(CleanSet, IsSilent) {
    const TestFolder folder;
    const auto& rows = GetParam().rows;
    std::string train = chat_rows(8 - rows.size());
    for (const auto& row : rows) train += row + "\n";
    folder.write("train.jsonl", train);
    folder.write("valid.jsonl", chat_rows(4, 8));
    for (const bool mask : {false, true}) {
        const auto report = validate_data(folder.path(), {.mask_prompt = mask});
        ASSERT_TRUE(report) << report.error().describe();
        for (const auto& finding : report->findings)
            ADD_FAILURE() << finding.code << " line " << finding.line << " " << finding.field
                          << ": " << finding.message;
        EXPECT_TRUE(report->usable());
        EXPECT_EQ(report->train()->rows, 8U);
    }
}

INSTANTIATE_TEST_SUITE_P(Sets, CleanSet, testing::ValuesIn(clean_sets()));

TEST(CleanSets, OtherFormatsAreSilentToo) {
    const TestFolder folder;
    std::string rows;
    for (const auto& [question, answer] : plain_talk())
        rows += fmt::format("{{\"prompt\": \"{}\", \"completion\": \"{}\"}}\r\n", question, answer);
    folder.write("train.jsonl", rows);
    const auto completions = validate_data(folder.path() / "train.jsonl", {});
    ASSERT_TRUE(completions);
    EXPECT_TRUE(completions->findings.empty()) << completions->findings.front().message;
    EXPECT_EQ(completions->splits.front().format, "prompt/completion");

    rows.clear();
    for (const auto& [question, answer] : plain_talk())
        rows += fmt::format(
            "{{\"text\": \"<|im_start|>user\\n{}<|im_end|>\\n{}\\n\"}}\n", question, answer
        );
    folder.write("train.jsonl", rows);
    const auto texts = validate_data(folder.path() / "train.jsonl", {});
    ASSERT_TRUE(texts);
    EXPECT_TRUE(texts->findings.empty()) << texts->findings.front().message;
    EXPECT_EQ(texts->splits.front().format, "text");
}

}  // namespace
}  // namespace punie::dataset
