// Other tools' rows, statistics, a look at a row.
#include "dataset/convert.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "dataset/show.hpp"
#include "dataset/stats.hpp"
#include "unit/dataset/data_folder.hpp"

namespace punie::dataset {
namespace {

struct Conversion {
    std::string before;
    std::string after;  ///< "" if it is refused
    std::string format;
    ConvertOptions options{};
};

std::vector<Conversion> conversions() {
    const ConvertOptions completion{.to = Target::completion};
    return {
        {R"({"messages": [{"role": "user", "content": "a"}], "id": 1})",
         R"({"messages": [{"role": "user", "content": "a"}], "id": 1})",
         "chat"},
        {R"({"prompt": "a", "completion": "b"})",
         R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})",
         "prompt/completion"},
        {R"({"prompt": "a", "completion": "b"})",
         R"({"prompt": "a", "completion": "b"})",
         "prompt/completion",
         completion},
        {R"({"conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]})",
         R"({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})",
         "ShareGPT"},
        {R"({"system": "s", "tools": "[{\"type\": \"function\"}]", "conversations": [{"from": "human", "value": "a"}, {"from": "function_call", "value": "{\"name\": \"f\", \"arguments\": {\"x\": 1}}"}, {"from": "observation", "value": "2"}]})",
         R"({"tools": [{"type": "function"}], "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}]}, {"role": "tool", "content": "2"}]})",
         "ShareGPT"},
        {R"({"conversations": [{"from": "martian", "value": "a"}]})", "", ""},
        {R"({"instruction": "a", "input": "i", "output": "b", "history": [["q", "r"]]})",
         R"({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "r"}, {"role": "user", "content": "a\n\ni"}, {"role": "assistant", "content": "b"}]})",
         "Alpaca"},
        {R"({"instruction": "a", "input": "", "output": "b"})",
         R"({"prompt": "a", "completion": "b"})",
         "Alpaca",
         completion},
        {R"({"instruction": 1, "output": "b"})", "", ""},
        {R"({"prompt": "a", "chosen": "b", "rejected": "c"})",
         R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})",
         "preference pairs"},
        {R"({"chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "rejected": []})",
         R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})",
         "preference pairs"},
        {R"({"question": "a", "answer": "b"})",
         R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})",
         "question/answer"},
        {R"({"functions": [{"name": "f"}], "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "function_call": {"name": "f", "arguments": "{\"x\": 1}"}}, {"role": "function", "content": "2"}]})",
         R"({"tools": [{"type": "function", "function": {"name": "f"}}], "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}]}, {"role": "tool", "content": "2"}]})",
         "chat"},
        {R"({"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]}]})",
         R"({"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{\"x\":1}"}}]}]})",
         "chat",
         {.arguments = Arguments::string}},
        {R"({"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "oops"}}]}]})",
         "",
         ""},
        {R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]})",
         "",
         "",
         completion},
        {R"({"title": "a"})", "", ""},
    };
}

TEST(Convert, RowsOfOtherTools) {
    for (const auto& conversion : conversions()) {
        std::string format;
        const auto row = convert_row(
            boost::json::parse(conversion.before).as_object(), conversion.options, format
        );
        ASSERT_EQ(row.has_value(), !conversion.after.empty()) << conversion.before;
        if (!row) {
            EXPECT_EQ(row.error().code(), ErrorCode::invalid_argument);
            continue;
        }
        EXPECT_EQ(boost::json::value(*row), boost::json::parse(conversion.after)) << to_text(*row);
        EXPECT_EQ(format, conversion.format);
    }
}

TEST(Convert, Files) {
    const TestFolder folder;
    const auto path = folder.path();
    folder.write(
        "list.json", R"([{"instruction": "a", "output": "b"}, {"instruction": "c", "output": "d"}])"
    );
    folder.write(
        "table.csv",
        "\xEF\xBB\xBFquestion,answer\r\n\"Say \"\"hi\"\",\nplease\",hi\r\nplain,two\r\n"
    );
    folder.write(
        "rows.jsonl", "{\"prompt\": \"a\", \"completion\": \"b\"}\n\n{\"prompt\": \"c\"}\n"
    );
    const auto list = convert_data(path / "list.json", path / "list.jsonl", {});
    ASSERT_TRUE(list) << list.error().describe();
    EXPECT_EQ(list->rows, 2U);
    const auto table =
        convert_data(path / "table.csv", path / "table.jsonl", {.to = Target::completion});
    ASSERT_TRUE(table) << table.error().describe();
    EXPECT_EQ(
        folder.read("table.jsonl"),
        "{\"prompt\":\"Say "
        "\\\"hi\\\",\\nplease\",\"completion\":\"hi\"}\n{\"prompt\":\"plain\",\"completion\":"
        "\"two\"}\n"
    );
    const auto rows = convert_data(path / "rows.jsonl", path / "out.jsonl", {});
    ASSERT_FALSE(rows);
    EXPECT_THAT(rows.error().message(), testing::HasSubstr("line 3"));
    EXPECT_FALSE(std::filesystem::exists(path / "out.jsonl")) << "half of a file is no file";
    EXPECT_EQ(
        convert_data(path / "list.json", path / "list.jsonl", {}).error().code(),
        ErrorCode::invalid_argument
    );
    EXPECT_EQ(
        convert_data(path / "none.json", path / "x.jsonl", {}).error().code(), ErrorCode::not_found
    );
    folder.write("bad.csv", "a,b\n1\n");
    EXPECT_THAT(
        convert_data(path / "bad.csv", path / "x.jsonl", {}).error().message(),
        testing::HasSubstr("line 2: 1 fields")
    );
    folder.write("open.csv", "question,answer\n\"never closed,b\n");
    EXPECT_THAT(
        convert_data(path / "open.csv", path / "x.jsonl", {}).error().message(),
        testing::HasSubstr("never closed")
    );
}

TEST(Stats, CountsWhatIsThere) {
    const TestFolder folder;
    folder.write(
        "train.jsonl",
        chat_rows(8) +
            R"({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}], "tools": [{"type": "function", "function": {"name": "f"}}]})"
            "\n{bad\n"
    );
    const auto stats = data_stats(folder.path(), nullptr, false, 2048);
    ASSERT_TRUE(stats);
    const auto& train = stats->front();
    EXPECT_EQ(train.rows, 9U);
    EXPECT_EQ(train.bad_rows, 1U);
    EXPECT_EQ(train.roles.at("assistant"), 9U);
    EXPECT_EQ(train.roles.at("system"), 1U);
    EXPECT_EQ(train.with_system, 1U);
    EXPECT_EQ(train.with_tools, 1U);
    EXPECT_EQ(train.calls.at("f"), 1U);
    EXPECT_EQ(train.turns.most, 3U);
    EXPECT_EQ(train.turns.median, 2U);
    EXPECT_FALSE(train.exact_tokens);
    EXPECT_EQ(train.tokens.count, 9U);
}

TEST(Stats, QuantilesAreOrderStatistics) {
    std::vector<std::uint32_t> values;
    for (std::uint32_t value = 100; value >= 1; --value) values.push_back(value);
    const auto found = distribution_of(values);
    EXPECT_EQ(found.median, 50U);
    EXPECT_EQ(found.p90, 90U);
    EXPECT_EQ(found.p99, 99U);
    EXPECT_EQ(found.most, 100U);
    EXPECT_DOUBLE_EQ(found.mean, 50.5);
    std::size_t rows = 0;
    for (const auto& bin : found.histogram) rows += bin.rows;
    EXPECT_EQ(rows, 100U);
    EXPECT_EQ(distribution_of({}).count, 0U);
    EXPECT_EQ(distribution_of({0, 0, 7}).histogram.front().rows, 2U);
    std::vector<std::uint32_t> wide;
    for (std::uint32_t bit = 0; bit < 31; ++bit) wide.push_back(1U << bit);
    EXPECT_EQ(distribution_of(wide).histogram.size(), 12U);
}

TEST(Show, RowsByNumber) {
    const TestFolder folder;
    folder.write("train.jsonl", chat_row(0) + "\n\n" + chat_row(1) + "\n{bad\n");
    const auto second = show_row(folder.path(), 2, true);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->line, 3U);
    ASSERT_EQ(second->parts.size(), 2U);
    EXPECT_FALSE(second->parts[0].trained);
    EXPECT_TRUE(second->parts[1].trained);
    EXPECT_EQ(second->parts[1].text, plain_talk()[1].second);
    EXPECT_TRUE(show_row(folder.path(), 2, false)->parts[0].trained);
    EXPECT_THAT(
        show_row(folder.path(), 3, false).error().message(), testing::HasSubstr("line 4 column 2")
    );
    EXPECT_THAT(
        show_row(folder.path(), 9, false).error().message(), testing::HasSubstr("has 3 rows")
    );
    EXPECT_EQ(show_row(folder.path() / "x.jsonl", 1, false).error().code(), ErrorCode::not_found);
}

}  // namespace
}  // namespace punie::dataset
