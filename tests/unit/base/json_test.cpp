#include "base/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace punie {
namespace {

using testing::HasSubstr;

TEST(ParseJson, TakesAnyValueAndBlanksAround) {
    for (const auto* text :
         {"{}", "[]", " {\"a\": 1} \r\n", "1", "-0.5e3", "\"x\"", "null", "true", "\t[1,2]\n"}) {
        EXPECT_TRUE(parse_json(text)) << text;
    }
}

struct Bad {
    const char* name;
    std::string text;
    const char* place;
};

class BadJson : public testing::TestWithParam<Bad> {};

TEST_P(BadJson, IsRefusedWithItsPlace) {
    const auto value = parse_json(GetParam().text);
    ASSERT_FALSE(value) << to_text(*value);
    EXPECT_EQ(value.error().code(), ErrorCode::protocol);
    EXPECT_THAT(value.error().message(), HasSubstr(GetParam().place));
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    BadJson,
    testing::Values(
        Bad{"Empty", "", "line 1, column 1"},
        Bad{"OnlyBlanks", " \n ", "line 2, column 2"},
        Bad{"CutObject", "{\"a\": 1", "line 1, column 8"},
        Bad{"CutText", "\"abc", "line 1"},
        Bad{"BadWord", "{\n  \"a\": nul\n}", "line 2, column 8"},
        Bad{"TrailingComma", "[1,]", "line 1, column 4"},
        Bad{"SecondLine", "{\n \"a\": }", "line 2, column 7"},
        Bad{"TextBehind", "{} x", "line 1, column 4"},
        Bad{"TwoValues", "{}\n{}", "line 2, column 1"},
        Bad{"SingleQuotes", "{'a': 1}", "line 1, column 2"},
        Bad{"NaN", "NaN", "line 1, column 1"},
        Bad{"BadUtf8", "\"\xff\"", "line 1"},
        Bad{"TooDeep", std::string(100'000, '['), "line 1"},
        Bad{"Html", "<html>", "line 1, column 1"}
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

TEST(JsonMembers, NeverThrow) {
    const auto value =
        parse_json(R"({"s": "x", "i": 3, "d": 2.5, "b": true, "n": null, "o": {"p": 1}})").value();
    EXPECT_EQ(string_member(value, "s"), "x");
    EXPECT_EQ(integer_member(value, "i"), 3);
    EXPECT_EQ(number_member(value, "i"), 3.0);
    EXPECT_EQ(number_member(value, "d"), 2.5);
    EXPECT_EQ(bool_member(value, "b"), true);
    EXPECT_NE(member(value, "n"), nullptr);
    EXPECT_EQ(integer_member(*member(value, "o"), "p"), 1);
    EXPECT_EQ(string_member(value, "i"), std::nullopt);
    EXPECT_EQ(integer_member(value, "d"), std::nullopt);
    EXPECT_EQ(number_member(value, "s"), std::nullopt);
    EXPECT_EQ(bool_member(value, "i"), std::nullopt);
    EXPECT_EQ(member(value, "none"), nullptr);
    for (const auto* other : {"[]", "1", "null", "\"s\""}) {
        EXPECT_EQ(member(parse_json(other).value(), "s"), nullptr) << other;
    }
}

TEST(JsonMembers, TakeLargeNumbersAsTheyCanBeHeld) {
    const auto value =
        parse_json(R"({"u": 18446744073709551615, "m": 9223372036854775807, "w": 3.0})").value();
    EXPECT_EQ(integer_member(value, "u"), std::nullopt) << "beyond 63 bits";
    EXPECT_EQ(integer_member(value, "m"), 9223372036854775807LL);
    EXPECT_EQ(number_member(value, "u"), 18446744073709551615.0);
    EXPECT_EQ(number_member(value, "w"), 3.0);
}

TEST(ToText, IsOneLine) {
    EXPECT_EQ(to_text(parse_json("{\n \"a\": [1, \"x\\n\"]\n}").value()), R"({"a":[1,"x\n"]})");
}

}  // namespace
}  // namespace punie
