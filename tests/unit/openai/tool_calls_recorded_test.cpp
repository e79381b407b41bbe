// What mlx_lm 0.32.2's own parsers made of well-formed calls (recorded/record_tool_calls.py),
// beside what is made of them here.
#include <gmock/gmock.h>

#include "base/files.hpp"
#include "tool_calls_rows.hpp"

namespace punie::openai {

namespace {

using ::testing::ElementsAre;

std::string calls_text(const json::value& calls) {
    std::string text;
    for (const auto& call : calls.as_array())
        text += fmt::format(
            "{} {}; ", call.at("name").as_string().c_str(), json::serialize(call.at("arguments"))
        );
    return text;
}

std::string found_text(const json::value& test, const json::value& parameters) {
    const auto answer = read_text_answer(test.at("text").as_string());
    EXPECT_EQ(answer.calls_path, test.at("format").as_string()) << test.at("text");
    EXPECT_EQ(answer.text, "") << test.at("text");
    std::string text;
    for (const auto& call : answer.calls) {
        EXPECT_EQ(call.problem, "") << test.at("text");
        text +=
            fmt::format("{} {}; ", call.name, json::serialize(typed_arguments(call, &parameters)));
    }
    return text;
}

TEST(RecordedToolCallsTest, WhatWasMeantIsFoundAndMlxAgrees) {
    const auto text =
        read_text(PUNIE_SOURCE_DIR "/tests/unit/openai/recorded/tool_calls_mlx_lm.json");
    ASSERT_TRUE(text);
    const auto recorded = json::parse(*text);
    int same = 0;
    std::vector<std::string> differ;
    for (const auto& test : recorded.at("cases").as_array()) {
        const auto found = found_text(test, recorded.at("parameters"));
        EXPECT_EQ(found, calls_text(test.at("meant"))) << test.at("text");
        const auto* theirs = test.as_object().if_contains("calls");
        if (theirs != nullptr && calls_text(*theirs) == found)
            ++same;
        else
            differ.push_back(fmt::format("{}: {}", test.at("parser").as_string().c_str(), found));
    }
    EXPECT_EQ(same, 143);
    // Each of these is a fault of theirs: the JSON or the value cut at a closing tag inside a
    // string, an integer through a double, a grammar without lists and maps.
    EXPECT_THAT(
        differ,
        ElementsAre(
            R"(json_tools: get_weather {"text":"ends </tool_call> early"}; )",
            R"(qwen3_coder: get_weather {"days":9007199254740993}; )",
            R"(qwen3_coder: get_weather {"text":"ends </tool_call> early"}; )",
            R"(glm47: get_weather {"text":"ends </tool_call> early"}; )",
            R"(function_gemma: get_weather {"tags":["a","b c"]}; )",
            R"(function_gemma: get_weather {"opts":{"x":1,"y":[true,null,{"z":"é"}]}}; )",
            R"(function_gemma: get_weather {"text":"one\ntwo \"quoted\" <b> & 'x', {y}: [z]"}; )"
        )
    );
}

}  // namespace

}  // namespace punie::openai
