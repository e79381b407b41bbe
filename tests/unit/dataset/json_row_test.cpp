// The parser against Boost.JSON, and where it must go on or stop.
#include "dataset/json_row.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json.hpp>

namespace punie::dataset {
namespace {

std::vector<std::string> codes_of(const RowParser& parser) {
    std::vector<std::string> codes;
    for (const auto& fault : parser.faults()) codes.emplace_back(fault.code);
    return codes;
}

TEST(JsonRow, GivesTheValuesThatBoostGives) {
    const std::vector<std::string> texts = {
        R"({"a": 1, "b": [true, false, null, -2.5e3, "x"], "c": {"d": {}}, "e": []})",
        R"("\"\\\/\b\f\n\r\té€😀")",
        "[]",
        " { } ",
        R"([1, [2, [3, [4]]], {"a": [{"b": "c"}]}])",
        "\"Grüße, 世界 😀\"",
        "0",
        "-0.0",
        "1e-7",
        R"({"long": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"})",
    };
    RowParser parser;
    for (const auto& text : texts) {
        const auto* row = parser.parse(text);
        ASSERT_NE(row, nullptr) << text;
        EXPECT_TRUE(parser.faults().empty()) << text;
        EXPECT_EQ(to_json(*row), boost::json::parse(text)) << text;
    }
}

struct Stop {
    std::string text;
    std::string code;
    std::size_t column;
};

TEST(JsonRow, NamesTheColumnOfWhatStopsIt) {
    const std::vector<Stop> stops = {
        {"", "D120", 1},
        {"{", "D120", 2},
        {"[1, ]", "D120", 5},
        {"[1 2]", "D120", 4},
        {R"({"a" 1})", "D120", 6},
        {R"({"a": })", "D120", 7},
        {"{1: 2}", "D120", 2},
        {R"(["ab)", "D120", 2},
        {R"(["\x"])", "D120", 3},
        {R"(["\u12g4"])", "D120", 3},
        {"[01]", "D120", 2},
        {"[1.]", "D120", 4},
        {"[1e]", "D120", 4},
        {"[-]", "D120", 2},
        {"[.5]", "D120", 2},
        {"nul", "D120", 1},
        {"{} {}", "D129", 4},
        {"{} x", "D120", 4},
        {"[\"\xC3\"]", "D121", 3},
        {"[\"\xC0\xAF\"]", "D121", 3},
        {"[\"\xF5\x80\x80\x80\"]", "D121", 3},
    };
    RowParser parser;
    for (const auto& stop : stops) {
        EXPECT_EQ(parser.parse(stop.text), nullptr) << stop.text;
        ASSERT_FALSE(parser.faults().empty()) << stop.text;
        EXPECT_EQ(parser.faults().back().code, stop.code) << stop.text;
        EXPECT_EQ(parser.faults().back().column, stop.column) << stop.text;
        EXPECT_FALSE(parser.faults().back().message.empty());
    }
}

TEST(JsonRow, GoesOnBehindWhatPythonAcceptsOrARepairMends) {
    RowParser parser;
    const auto* row =
        parser.parse("{\"a\": \"x\ty\", \"a\": NaN, \"b\": [\"\\ud800\", -Infinity]}");
    ASSERT_NE(row, nullptr);
    EXPECT_THAT(
        codes_of(parser), testing::UnorderedElementsAre("D122", "D123", "D124", "D125", "D124")
    );
    EXPECT_EQ(row->child->text, "x\ty");
    EXPECT_EQ(row->find("a")->text, "NaN") << "the last of two equal keys counts";
}

TEST(JsonRow, FindsTwinsAmongManyKeys) {
    std::string text = "{";
    for (int key = 0; key < 100; ++key) text += fmt::format("\"k{}\": {}, ", key, key);
    text += "\"k7\": 1, \"k99\": 2}";
    RowParser parser;
    ASSERT_NE(parser.parse(text), nullptr);
    EXPECT_THAT(codes_of(parser), testing::ElementsAre("D123", "D123"));
}

TEST(JsonRow, KnowsWhereANodeIs) {
    RowParser parser;
    const auto* row = parser.parse(
        R"({"messages": [{"role": "user"}, {"tool_calls": [{"function": {"arguments": {"city": 1}}}]}]})"
    );
    ASSERT_NE(row, nullptr);
    const auto* second = row->find("messages")->child->next;
    const auto* arguments = second->find("tool_calls")->child->find("function")->find("arguments");
    EXPECT_EQ(path_of(*row, *arguments), "messages[1].tool_calls[0].function.arguments");
    EXPECT_EQ(
        path_of(*row, *arguments->find("city")), "messages[1].tool_calls[0].function.arguments.city"
    );
    EXPECT_EQ(path_of(*row, *row), "");
    EXPECT_EQ(parser.raw(*arguments), R"({"city": 1})");
}

TEST(JsonRow, NestingHasAnEnd) {
    RowParser parser;
    EXPECT_NE(parser.parse(std::string(150, '[') + std::string(150, ']')), nullptr);
    EXPECT_EQ(parser.parse(std::string(100'000, '[')), nullptr);
    EXPECT_EQ(parser.faults().back().code, "D126");
}

TEST(JsonRow, OneParserReadsManyRows) {
    RowParser parser;
    for (int round = 0; round < 2000; ++round) {
        const auto text = fmt::format(R"({{"n": {}, "s": "a\n{}", "l": [1, 2, 3]}})", round, round);
        const auto* row = parser.parse(text);
        ASSERT_NE(row, nullptr);
        EXPECT_EQ(row->find("s")->text, fmt::format("a\n{}", round));
    }
}

}  // namespace
}  // namespace punie::dataset
