#include "translate/renamer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace punie::translate {
namespace {

std::string renamed(std::string_view text, std::size_t piece, std::string_view name = "b:x") {
    Renamer renamer(name);
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        out += renamer.feed(text.substr(at, piece));
    }
    return out;
}

struct Row {
    const char* name;
    std::string from;
    std::string to;
};

class Renamed : public testing::TestWithParam<Row> {};

TEST_P(Renamed, HoweverItIsCut) {
    for (std::size_t piece = 1; piece <= GetParam().from.size() + 1; ++piece) {
        EXPECT_EQ(renamed(GetParam().from, piece), GetParam().to) << piece;
    }
}

INSTANTIATE_TEST_SUITE_P(
    All,
    Renamed,
    testing::Values(
        Row{"as_python_writes_it",
            R"({"id": "1", "model": "/a b/\"c", "choices": []})",
            R"({"id": "1", "model": "b:x", "choices": []})"},
        Row{"without_blanks", R"({"model":"/a"})", R"({"model":"b:x"})"},
        Row{"with_many", "{\"model\" \n:\t\"/a\"}", "{\"model\" \n:\t\"b:x\"}"},
        Row{"in_each_event",
            "data: {\"model\": \"/a\"}\n\ndata: {\"model\": \"/a\"}\n\n",
            "data: {\"model\": \"b:x\"}\n\ndata: {\"model\": \"b:x\"}\n\n"},
        Row{"said_by_the_model",
            R"({"content": "{\"model\": \"/a\"}"})",
            R"({"content": "{\"model\": \"/a\"}"})"},
        Row{"as_a_value", R"({"object": "model", "id": "/a"})", R"({"object": "model", "id": "/a"})"
        },
        Row{"no_text", R"({"model": null, "x": "y"})", R"({"model": null, "x": "y"})"},
        Row{"another_member",
            R"({"models": "/a", "model_id": "/b", "a\"model": "/c"})",
            R"({"models": "/a", "model_id": "/b", "a\"model": "/c"})"},
        Row{"escapes", R"({"model": "a\\", "b": "\\"})", R"({"model": "b:x", "b": "\\"})"},
        Row{"quote_before_it",
            R"({"a": "", "":"", "model":"/a"})",
            R"({"a": "", "":"", "model":"b:x"})"}
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

TEST(Renamer, TheNewNameIsJson) {
    EXPECT_EQ(renamed(R"({"model": "/a"})", 3, "q\"\\"), R"({"model": "q\"\\"})");
}

}  // namespace
}  // namespace punie::translate
