// Safe repairs: what they change, and that nothing else changes.
#include "dataset/repair.hpp"

#include <gmock/gmock.h>

#include "unit/dataset/data_folder.hpp"

namespace punie::dataset {
namespace {

struct Mend {
    std::string before;
    std::string after;
    std::string code;
};

std::string said(const std::string& text) {
    return R"({"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": ")" +
           text + R"("}]})";
}

std::string called(const std::string& arguments) {
    return R"({"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": )" +
           arguments + R"(}}]}], "score": 1.50})";
}

TEST(Repair, RowsAreMendedWhereItIsSafe) {
    const std::vector<Mend> mends = {
        {said("Yes."), said("Yes."), ""},
        {said(" Yes. "), said("Yes."), "D504"},
        {said(R"(Yes.\n\n)"), said("Yes."), "D504"},
        {said("    indented"), said("    indented"), ""},
        {said("a\tb"), said(R"(a\tb)"), "D122"},
        {said("Ze\u200Bro"), said("Zero"), "D502"},
        {said("Ze\u200Dro"), said("Zero"), "D502"},
        {said("می\u200Cدانم"), said("می\u200Cدانم"), ""},
        {said(R"(a\r\nb\rc)"), said(R"(a\nb\nc)"), "D507"},
        {said(R"(a\u001b[0mb)"), said("a[0mb"), "D502"},
        {said(R"(\ud800 )"), said(R"(\ud800 )"), ""},
        {called(R"("{\"city\": \"Oslo\", \"n\": 1.0}")"),
         called(R"({"city": "Oslo", "n": 1.0})"),
         "D411"},
        {called(R"("{\n  \"a\": 1\n}")"), called(R"({   "a": 1 })"), "D411"},
        {called(R"("not json")"), called(R"("not json")"), ""},
        {called(R"("[1]")"), called(R"("[1]")"), ""},
        {called(R"({"city": "Oslo"})"), called(R"({"city": "Oslo"})"), ""},
        {R"({"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]})",
         R"({"messages": [{"role": "user", "content": "ab"}]})",
         "D313"},
        {R"({"prompt": "Name it: ", "completion": " Oslo", "x": 1e5})",
         R"({"prompt": "Name it:", "completion": "Oslo", "x": 1e5})",
         "D504"},
        {R"({"text": "  kept as it is "})", R"({"text": "  kept as it is "})", ""},
    };
    RowParser parser;
    for (const auto& mend : mends) {
        const auto* row = parser.parse(mend.before);
        ASSERT_NE(row, nullptr) << mend.before;
        std::map<std::string, std::size_t> repairs;
        EXPECT_EQ(repair_row(parser, *row, repairs), mend.after);
        EXPECT_EQ(repairs.empty(), mend.code.empty()) << mend.before;
        if (!mend.code.empty()) EXPECT_TRUE(repairs.contains(mend.code)) << mend.before;
    }
}

TEST(Repair, FilesBecomeCleanOnes) {
    const TestFolder folder;
    folder.write(
        "train.jsonl",
        "\xEF\xBB\xBF" + chat_row(0) + "\r\n\n" + chat_row(1) + chat_row(2) + "\n" + chat_row(1) +
            "\n" + chat_row("Where is it", " There. ") + "\n{broken\n"
    );
    folder.write("valid.jsonl", chat_rows(4, 8));
    const auto out = folder.path() / "clean";
    const auto report = repair_data(folder.path(), out);
    ASSERT_TRUE(report) << report.error().describe();
    EXPECT_THAT(
        report->repairs,
        testing::ElementsAre(
            testing::Pair("D110", 1U),
            testing::Pair("D111", 1U),
            testing::Pair("D129", 1U),
            testing::Pair("D504", 1U),
            testing::Pair("D605", 1U)
        )
    );
    EXPECT_EQ(
        folder.read("clean/train.jsonl"),
        chat_rows(3) + chat_row("Where is it", "There.") + "\n{broken\n"
    );
    EXPECT_EQ(folder.read("clean/valid.jsonl"), chat_rows(4, 8));
    EXPECT_EQ(report->files.front().rows_out, 5U);
    const auto again = repair_data(out, folder.path() / "again");
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->repairs.empty()) << "a second repair finds nothing";
}

TEST(Repair, NothingIsOverwritten) {
    const TestFolder folder;
    folder.write("train.jsonl", chat_rows(4));
    EXPECT_EQ(
        repair_data(folder.path(), folder.path()).error().code(), ErrorCode::invalid_argument
    );
    EXPECT_EQ(
        repair_data(folder.path() / "train.jsonl", folder.path()).error().code(),
        ErrorCode::invalid_argument
    );
    const auto out = folder.path() / "clean";
    ASSERT_TRUE(repair_data(folder.path(), out));
    EXPECT_EQ(repair_data(folder.path(), out).error().code(), ErrorCode::invalid_argument);
    EXPECT_TRUE(repair_data(folder.path(), out, true));
    EXPECT_EQ(folder.read("train.jsonl"), chat_rows(4));
}

}  // namespace
}  // namespace punie::dataset
