// Splits: nothing leaks, the same every time.
#include "dataset/split.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "dataset/create.hpp"
#include "unit/dataset/data_folder.hpp"

namespace punie::dataset {
namespace {

std::string numbered(std::size_t index) {
    return chat_row(
               fmt::format("Question number {} of many", index * 7919),
               fmt::format("Answer {}", index)
           ) +
           "\n";
}

std::string many(std::size_t count) {
    std::string rows;
    for (std::size_t index = 0; index < count; ++index) rows += numbered(index);
    return rows;
}

class Split : public testing::Test {
protected:
    SplitResult split(
        const std::string& rows, SplitOptions options = {}, const std::string& out = "out"
    ) const {
        folder_.write("rows.jsonl", rows);
        const auto result =
            split_data(folder_.path() / "rows.jsonl", folder_.path() / out, options);
        EXPECT_TRUE(result) << (result ? "" : result.error().describe());
        return result.value_or(SplitResult{});
    }

    std::vector<std::string> lines(const std::string& file) const {
        return split_lines(folder_.read(file));
    }

    TestFolder folder_;
};

TEST_F(Split, EveryRowGoesSomewhereOnce) {
    const auto result = split(many(200));
    EXPECT_EQ(result.rows, 200U);
    EXPECT_EQ(result.test, 20U);
    EXPECT_EQ(result.valid, 20U);
    EXPECT_EQ(result.train, 160U);
    std::multiset<std::string> all;
    for (const auto* file : {"out/train.jsonl", "out/valid.jsonl", "out/test.jsonl"}) {
        const auto found = lines(file);
        all.insert(found.begin(), found.end());
    }
    const auto wanted = split_lines(many(200));
    EXPECT_EQ(all, std::multiset<std::string>(wanted.begin(), wanted.end()));
}

TEST_F(Split, TheSeedDecidesAndTheOrderOfTheRowsDoesNot) {
    split(many(100), {.seed = 3}, "a");
    split(many(100), {.seed = 3}, "b");
    split(many(100), {.seed = 4}, "c");
    auto turned = split_lines(many(100));
    std::ranges::reverse(turned);
    split(fmt::format("{}\n", fmt::join(turned, "\n")), {.seed = 3}, "d");
    for (const auto* file : {"train.jsonl", "valid.jsonl", "test.jsonl"}) {
        const auto name = std::string("/") + file;
        EXPECT_EQ(folder_.read("a" + name), folder_.read("b" + name));
        EXPECT_NE(folder_.read("a" + name), folder_.read("c" + name));
        EXPECT_EQ(folder_.read("a" + name), folder_.read("d" + name));
    }
}

TEST_F(Split, WhatBelongsTogetherStaysTogether) {
    std::string rows = many(60);
    for (int copy = 0; copy < 3; ++copy) {
        for (std::size_t index = 0; index < 12; ++index)
            rows += chat_row(
                        plain_talk()[index].first,
                        fmt::format("{} ({})", plain_talk()[index].second, copy)
                    ) +
                    "\n";
    }
    const auto result = split(rows, {.valid = 0.2, .test = 0.2});
    EXPECT_EQ(result.groups, 72U);
    EXPECT_EQ(result.largest_group, 3U);
    const auto report = validate_data(folder_.path() / "out");
    ASSERT_TRUE(report);
    for (const auto* leak : {"D601", "D602", "D603", "D604"})
        EXPECT_FALSE(report->counts.contains(leak)) << leak;
}

TEST_F(Split, AFieldKeepsRowsTogether) {
    std::string rows;
    for (int row = 0; row < 100; ++row)
        rows += fmt::format(
            "{{\"prompt\": \"number {}\", \"completion\": \"x{}\", \"meta\": {{\"user\": "
            "\"u{}\"}}}}\n",
            row * 7919,
            row,
            row % 10
        );
    split(rows, {.valid = 0.2, .test = 0.2, .group_by = "meta.user"});
    std::vector<std::set<std::string>> users;
    for (const auto* file : {"out/train.jsonl", "out/valid.jsonl", "out/test.jsonl"}) {
        users.emplace_back();
        for (const auto& line : lines(file))
            users.back().insert(line.substr(line.find("\"user\"")));
    }
    EXPECT_EQ(users[0].size() + users[1].size() + users[2].size(), 10U);
    EXPECT_EQ(users[1].size(), 2U);
    const auto missing =
        split_data(folder_.path() / "rows.jsonl", folder_.path() / "x", {.group_by = "meta.id"});
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().message(), testing::HasSubstr("line 1"));
}

TEST_F(Split, KeepsTheOrderIfAsked) {
    split(many(50), {.valid = 0.1, .test = 0, .shuffle = false});
    const auto wanted = split_lines(many(50));
    std::size_t at = 0;
    for (const auto& line : lines("out/train.jsonl")) {
        while (at < wanted.size() && wanted[at] != line) ++at;
        EXPECT_LT(at, wanted.size());
    }
    EXPECT_FALSE(std::filesystem::exists(folder_.path() / "out/test.jsonl"))
        << "an empty file stops mlx_lm";
}

TEST_F(Split, RefusesWhatItCannotDoWell) {
    split(many(20));
    const auto again = split_data(folder_.path() / "rows.jsonl", folder_.path() / "out", {});
    EXPECT_EQ(again.error().code(), ErrorCode::invalid_argument);
    EXPECT_TRUE(split_data(folder_.path() / "rows.jsonl", folder_.path() / "out", {.force = true}));
    EXPECT_EQ(
        split_data(folder_.path() / "rows.jsonl", folder_.path() / "y", {.valid = 0.6, .test = 0.5})
            .error()
            .code(),
        ErrorCode::invalid_argument
    );
    EXPECT_EQ(
        split_data(folder_.path() / "out", folder_.path() / "out", {}).error().code(),
        ErrorCode::invalid_argument
    );
    folder_.write("bad.jsonl", many(2) + "{oops\n");
    const auto bad = split_data(folder_.path() / "bad.jsonl", folder_.path() / "z", {});
    ASSERT_FALSE(bad);
    EXPECT_THAT(bad.error().message(), testing::HasSubstr("line 3"));
    EXPECT_FALSE(std::filesystem::exists(folder_.path() / "z/train.jsonl"));
}

TEST(Create, TheToolSetIsClean) {
    const TestFolder folder;
    for (const std::size_t rows : {8U, 64U, 200U, 800U}) {
        ASSERT_TRUE(create_tool_dataset(folder.path(), rows, true));
        const auto report = validate_data(folder.path(), {.mask_prompt = true});
        ASSERT_TRUE(report);
        for (const auto& finding : report->findings) {
            if (finding.severity == Severity::note) continue;  // similar questions are meant
            ADD_FAILURE() << rows << " rows: " << finding.code << " " << finding.file << ":"
                          << finding.line << " " << finding.message;
        }
        EXPECT_EQ(report->train()->rows, rows);
    }
    EXPECT_FALSE(create_tool_dataset(folder.path(), 8)) << "the files are there";
    EXPECT_FALSE(create_tool_dataset(folder.path(), 100'000, true));
}

}  // namespace
}  // namespace punie::dataset
