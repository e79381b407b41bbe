#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <punie/dataset.hpp>

#include <boost/json.hpp>
#include <set>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "dataset/row_files.hpp"

namespace punie {
namespace {

namespace fs = std::filesystem;

class DummyDatasetTest : public testing::Test {
protected:
    std::vector<std::string> rows(const std::string& name) const {
        return split_lines(read_text(dir() / name).value());
    }

    fs::path dir() const { return folder_.path() / "data"; }

    TemporaryFolder folder_ = TemporaryFolder::make("punie-test").value();
};

std::string content_of(const std::string& row, std::size_t message) {
    const auto value = parse_json(row).value();
    return string_member(value.at("messages").as_array().at(message), "content").value();
}

std::size_t words_of(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count(text, ' ')) + 1;
}

TEST_F(DummyDatasetTest, WritesThreeFilesOfChatRows) {
    ASSERT_TRUE(create_dummy_dataset(dir(), 60));
    EXPECT_EQ(rows("train.jsonl").size(), 60U);
    EXPECT_EQ(rows("valid.jsonl").size(), 6U);
    EXPECT_EQ(rows("test.jsonl").size(), 6U);
    for (const auto& name : {"train.jsonl", "valid.jsonl", "test.jsonl"}) {
        for (const auto& row : rows(name)) {
            const auto value = parse_json(row).value();
            const auto& messages = value.at("messages").as_array();
            ASSERT_EQ(messages.size(), 2U);
            EXPECT_EQ(string_member(messages[0], "role"), "user");
            EXPECT_EQ(string_member(messages[1], "role"), "assistant");
            EXPECT_FALSE(content_of(row, 1).empty());
        }
    }
}

TEST_F(DummyDatasetTest, HasAtLeastFourRowsToValidateOn) {
    ASSERT_TRUE(create_dummy_dataset(dir(), 1));
    EXPECT_EQ(rows("train.jsonl").size(), 1U);
    EXPECT_EQ(rows("valid.jsonl").size(), 4U);
    EXPECT_EQ(rows("test.jsonl").size(), 4U);
}

TEST_F(DummyDatasetTest, IsTheSameEachTime) {
    ASSERT_TRUE(create_dummy_dataset(dir(), 20, 30));
    ASSERT_TRUE(create_dummy_dataset(folder_.path() / "again", 20, 30));
    for (const auto& name : {"train.jsonl", "valid.jsonl", "test.jsonl"}) {
        EXPECT_EQ(
            read_text(dir() / name).value(), read_text(folder_.path() / "again" / name).value()
        );
    }
}

TEST_F(DummyDatasetTest, RowsDiffer) {
    ASSERT_TRUE(create_dummy_dataset(dir(), 100));
    std::set<std::string> seen;
    for (const auto& name : {"train.jsonl", "valid.jsonl", "test.jsonl"}) {
        for (const auto& row : rows(name)) seen.insert(row);
    }
    EXPECT_EQ(seen.size(), 120U);
}

TEST_F(DummyDatasetTest, TheWordsAreInTheAnswer) {
    ASSERT_TRUE(create_dummy_dataset(dir(), 5, 2048));
    for (const auto& row : rows("train.jsonl")) {
        EXPECT_EQ(words_of(content_of(row, 1)), 2048U);
        EXPECT_LT(
            words_of(content_of(row, 0)), 10U
        );  // so that an answer is left when the row is cut
    }
}

TEST_F(DummyDatasetTest, OverwritesItsOwn) {
    ASSERT_TRUE(create_dummy_dataset(dir(), 50));
    ASSERT_TRUE(create_dummy_dataset(dir(), 5));
    EXPECT_EQ(rows("train.jsonl").size(), 5U);
}

TEST_F(DummyDatasetTest, RefusesForeignFilesAndLeavesThem) {
    for (const auto* name : {"train.jsonl", "valid.jsonl", "test.jsonl"}) {
        const auto own = folder_.path() / name;  // a folder for each
        ASSERT_TRUE(write_atomic(own / name, "precious\n"));
        const auto made = create_dummy_dataset(own, 5);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code(), ErrorCode::invalid_argument);
        EXPECT_THAT(made.error().message(), testing::HasSubstr(name));
        EXPECT_EQ(read_text(own / name).value(), "precious\n");
        EXPECT_EQ(std::distance(fs::directory_iterator(own), fs::directory_iterator{}), 1);
    }
}

TEST_F(DummyDatasetTest, ALinkToNowhereIsForeignToo) {
    fs::create_directories(dir());
    fs::create_symlink("/nonexistent/rows", dir() / "train.jsonl");
    EXPECT_FALSE(create_dummy_dataset(dir(), 5));
}

TEST_F(DummyDatasetTest, RefusesBadNumbers) {
    for (const int count : {0, -1, std::numeric_limits<int>::min()}) {
        const auto made = create_dummy_dataset(dir(), count);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code(), ErrorCode::invalid_argument);
        EXPECT_THAT(made.error().message(), testing::HasSubstr(std::to_string(count)));
    }
    EXPECT_EQ(create_dummy_dataset(dir(), 5, -1).error().code(), ErrorCode::invalid_argument);
    EXPECT_FALSE(fs::exists(dir()));
}

TEST_F(DummyDatasetTest, AFileInTheWayIsAnError) {
    ASSERT_TRUE(write_atomic(dir(), "a file\n"));
    const auto made = create_dummy_dataset(dir(), 5);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code(), ErrorCode::io);
    EXPECT_THAT(made.error().message(), testing::HasSubstr(dir().native()));
}

struct RowsCase {
    std::string text;
    std::size_t rows;
    std::size_t longest;
};

class LookAtRowsTest : public testing::TestWithParam<RowsCase> {};

TEST_P(LookAtRowsTest, CountsRowsThatAreNotBlank) {
    const auto folder = TemporaryFolder::make("punie-test").value();
    ASSERT_TRUE(write_atomic(folder.path() / "rows", GetParam().text));
    const auto found = look_at_rows(folder.path() / "rows").value();
    EXPECT_EQ(found.rows, GetParam().rows);
    EXPECT_EQ(found.longest_bytes, GetParam().longest);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    LookAtRowsTest,
    testing::Values(
        RowsCase{"", 0, 0},
        RowsCase{"\n\n", 0, 0},
        RowsCase{"{}\n", 1, 2},
        RowsCase{"{}", 1, 2},
        RowsCase{"{}\n{\"a\":1}", 2, 7},
        RowsCase{" \t\r\n{}\r\n\n", 1, 3},
        RowsCase{std::string(200'000, 'x') + "\ny\n", 2, 200'000}
    )
);

TEST(LookAtRows, NamesTheFileThatIsMissing) {
    const auto found = look_at_rows("/nonexistent/train.jsonl");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), ErrorCode::not_found);
    EXPECT_THAT(found.error().message(), testing::HasSubstr("/nonexistent/train.jsonl"));
}

TEST(LookAtRows, AFolderIsNoFile) {
    EXPECT_EQ(look_at_rows("/tmp").error().code(), ErrorCode::io);
}

}  // namespace
}  // namespace punie
