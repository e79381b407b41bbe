#include "base/json_equal.hpp"

#include <gtest/gtest.h>

#include <array>
#include <boost/json.hpp>

namespace punie {

namespace {

struct Pair {
    std::string_view left;
    std::string_view right;
    int order;  ///< below 0: left comes first
};

constexpr std::array<Pair, 22> pairs = {{
    {"1", "1.0", 0},
    {"1", "2", -1},
    {"-1", "1", -1},
    {"-2", "-1", -1},
    {"1", "1.5", -1},
    {"-1", "-1.5", 1},
    {"9007199254740993", "9007199254740992.0", 1},
    {"9223372036854775807", "9223372036854775808", -1},
    {"18446744073709551615", "18446744073709551616.0", -1},
    {"-9223372036854775808", "-9223372036854775808.0", 0},
    {"-9223372036854775808", "-1e300", 1},
    {"1", "1e300", -1},
    {"\"5\"", "5", 1},
    {"null", "false", -1},
    {"true", "1", -1},
    {"\"a\"", "\"b\"", -1},
    {"[1,2]", "[1,2.0]", 0},
    {"[1]", "[1,2]", -1},
    {R"({"a":1,"b":2})", R"({"b":2.0,"a":1})", 0},
    {R"({"a":1})", R"({"a":1,"b":2})", -1},
    {R"({"a":1})", R"({"a":2})", -1},
    {R"({"a":1})", R"({"b":1})", -1},
}};

TEST(JsonEqualTest, ComparesByValue) {
    for (const auto& [left, right, order] : pairs) {
        const auto a = json::parse(left);
        const auto b = json::parse(right);
        const auto found = compare_json(a, b);
        EXPECT_EQ(found < 0, order < 0) << left << " " << right;
        EXPECT_EQ(found > 0, order > 0) << left << " " << right;
        EXPECT_EQ(compare_json(b, a) < 0, order > 0) << right << " " << left;
        EXPECT_EQ(same_json(a, b), order == 0) << left << " " << right;
    }
}

TEST(JsonEqualTest, CutsBetweenCharacters) {
    EXPECT_EQ(shortened("abc", 3), "abc");
    EXPECT_EQ(shortened("aéb", 2), "a...");
    EXPECT_EQ(short_json(json::value("aééé"), 4), R"("aé...")");
    EXPECT_EQ(pointer_token("a/b~c"), "a~1b~0c");
    EXPECT_EQ(describe_json(json::parse("1.0")), "the number 1");
}

}  // namespace

}  // namespace punie
