// docs/bad-input.md: each row of the table is typed and answered as the page says, and page and
// table are the same rows.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/files.hpp"
#include "integration/cli/bad_input_rows.hpp"
#include "integration/cli/traps_shell.hpp"

namespace punie::cli {
namespace {

namespace fs = std::filesystem;
using test::BadInput;

constexpr std::string_view place = "…";  // where the page has the folder

/// Whether `lines` stand in `out` in their order, each as the whole of a line but for the indent.
testing::AssertionResult says(const std::string& out, const std::vector<std::string>& lines) {
    const auto printed = test::lines_of(out);
    auto at = printed.begin();
    for (const auto& line : lines) {
        at = std::find_if(at, printed.end(), [&line](const std::string& one) {
            return one == line ||
                   (one.ends_with(line) && one.find_first_not_of(' ') == one.size() - line.size());
        });
        if (at == printed.end())
            return testing::AssertionFailure() << "not said: " << line << "\nsaid:\n" << out;
        ++at;
    }
    return testing::AssertionSuccess();
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
    return text;
}

class BadInputs : public testing::TestWithParam<BadInput> {};

TEST_P(BadInputs, AreAnsweredAsThePageSays) {
    const auto& row = GetParam();
    auto folder = TemporaryFolder::make("punie-bad-input");
    ASSERT_TRUE(folder);
    const auto bin = folder->path() / "bin";
    const auto here = fs::canonical(folder->path()) / "here";
    fs::create_directory(bin);
    fs::create_directory(here);
    fs::create_symlink(PUNIE_BINARY, bin / "punie");
    auto files = test::common_files();
    files.insert(files.end(), row.files.begin(), row.files.end());
    for (const auto& [name, bytes] : files) ASSERT_TRUE(write_atomic(here / name, bytes));
    const auto typed = test::type(row.command, here, bin);
    EXPECT_EQ(typed.code, row.code) << typed.out;
    EXPECT_TRUE(says(replaced(typed.out, here.native(), place), test::lines_of(row.says)));
    EXPECT_THAT(typed.out, testing::Not(testing::HasSubstr("internal error")));
}

INSTANTIATE_TEST_SUITE_P(
    Page,
    BadInputs,
    testing::ValuesIn(test::bad_inputs()),
    [](const auto& info) {
        auto name = fmt::format("{:03}_{}", info.index + 1, info.param.command);
        std::ranges::replace_if(
            name, [](unsigned char letter) { return std::isalnum(letter) == 0; }, '_'
        );
        return name.substr(0, 60);
    }
);

// The page.

std::string code(const std::string& text) {
    const auto escaped = replaced(text, "|", "\\|");
    return text.find('`') == std::string::npos ? fmt::format("`{}`", escaped)
                                               : fmt::format("`` {} ``", escaped);
}

std::string markdown_row(const BadInput& row) {
    std::string said;
    for (const auto& line : test::lines_of(row.says))
        said += (said.empty() ? "" : "<br>") + code(line);
    return fmt::format("| {} | {} | {} | {} |", code(row.command), row.given, said, row.code);
}

/// Rows by section, as "section: row", those that head a table left out.
std::vector<std::string> page_rows() {
    std::vector<std::string> rows;
    std::string section;
    const auto text = read_text(PUNIE_SOURCE_DIR "/docs/bad-input.md").value_or("");
    for (const auto& line : test::lines_of(text)) {
        if (line.starts_with("## ")) section = line.substr(3);
        const bool head = line.starts_with("| typed ") || line.starts_with("|---");
        if (line.starts_with("|") && !head) rows.push_back(fmt::format("{}: {}", section, line));
    }
    return rows;
}

std::vector<std::string> table_rows() {
    std::vector<std::string> rows;
    for (const auto& row : test::bad_inputs())
        rows.push_back(fmt::format("{}: {}", row.group, markdown_row(row)));
    return rows;
}

TEST(BadInputPage, HasTheRowsOfTheTableAndNoOthers) {
    const auto page = page_rows();
    const auto table = table_rows();
    for (const auto& row : page)
        EXPECT_NE(std::ranges::find(table, row), table.end()) << "only on the page:\n" << row;
    for (const auto& row : table)
        EXPECT_NE(std::ranges::find(page, row), page.end()) << "only in the table:\n" << row;
    EXPECT_EQ(page, table) << "in the same order";
}

TEST(BadInputPage, CoversEveryCommand) {
    std::set<std::string> groups;
    std::set<std::string> rows;
    for (const auto& row : test::bad_inputs()) {
        groups.insert(row.group);
        rows.insert(markdown_row(row));
    }
    for (const auto* command :
         {"serve",
          "chat",
          "bench",
          "doctor",
          "completions",
          "suite",
          "eval",
          "score",
          "compare",
          "run",
          "init",
          "journal",
          "report",
          "view",
          "dataset",
          "train",
          "fuse",
          "quantise"})
        EXPECT_TRUE(groups.contains(command)) << command;
    EXPECT_GE(rows.size(), 60U);
}

TEST(BadInputPage, EveryErrorSaysMoreThanThatItIsOne) {
    for (const auto& row : test::bad_inputs()) {
        EXPECT_NE(row.code, 0) << row.command;
        EXPECT_GE(row.says.size(), 20U) << row.command << ": " << row.says;
    }
}

}  // namespace
}  // namespace punie::cli
