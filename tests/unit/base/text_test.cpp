#include "base/text.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace punie {
namespace {

using std::chrono::duration;

TEST(HumanBytes, UsesDecimalUnits) {
    struct Row {
        std::uint64_t bytes;
        const char* text;
    };

    for (const auto& row : {
             Row{0, "0 B"},
             Row{640, "640 B"},
             Row{999, "999 B"},
             Row{1000, "1.00 kB"},
             Row{1234, "1.23 kB"},
             Row{9'994, "9.99 kB"},
             Row{9'996, "10.0 kB"},
             Row{12'340'000, "12.3 MB"},
             Row{410'000'000, "410.0 MB"},
             Row{999'400'000, "999.4 MB"},
             Row{999'990'000, "1.00 GB"},
             Row{1'500'000'000'000, "1.50 TB"},
             Row{std::numeric_limits<std::uint64_t>::max(), "18446744.1 TB"},
         }) {
        EXPECT_EQ(human_bytes(row.bytes), row.text) << row.bytes;
    }
}

TEST(HumanDuration, KeepsThreeFiguresOrTwoUnits) {
    struct Row {
        double seconds;
        const char* text;
    };

    for (const auto& row : {
             Row{0, "0.00 s"},
             Row{0.214, "0.21 s"},
             Row{9.994, "9.99 s"},
             Row{9.996, "10.0 s"},
             Row{12.36, "12.4 s"},
             Row{59.94, "59.9 s"},
             Row{59.96, "1 min 0 s"},
             Row{200, "3 min 20 s"},
             Row{3599.4, "59 min 59 s"},
             Row{3599.6, "1 h 0 min"},
             Row{7500, "2 h 5 min"},
             Row{7199, "1 h 59 min"},
             Row{-0.5, "-0.50 s"},
         }) {
        EXPECT_EQ(human_duration(duration<double>(row.seconds)), row.text) << row.seconds;
    }
}

TEST(SplitLines, KnowsBothLineEnds) {
    using Lines = std::vector<std::string>;
    EXPECT_EQ(split_lines(""), Lines{});
    EXPECT_EQ(split_lines("a"), Lines{"a"});
    EXPECT_EQ(split_lines("a\n"), Lines{"a"});
    EXPECT_EQ(split_lines("a\r\nb\n\nc"), (Lines{"a", "b", "", "c"}));
    EXPECT_EQ(split_lines("\n"), Lines{""});
    EXPECT_EQ(split_lines("a\rb\n"), Lines{"a\rb"});
}

TEST(Trim, TakesBlanksFromBothEnds) {
    EXPECT_EQ(trim(" \t a b\r\n"), "a b");
    EXPECT_EQ(trim(" \n"), "");
    EXPECT_EQ(trim(""), "");
    EXPECT_EQ(trim("\xC3\xA9"), "\xC3\xA9");
}

struct Printed {
    const char* name;
    std::string bytes;
    const char* text;
};

class Printable : public testing::TestWithParam<Printed> {};

TEST_P(Printable, LeavesNothingThatDrivesATerminal) {
    EXPECT_EQ(printable(GetParam().bytes), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    Printable,
    testing::Values(
        Printed{"Empty", "", ""},
        Printed{"Plain", "a b~", "a b~"},
        Printed{"Tab", "a\tb", "a\tb"},
        Printed{"LineBreaks", "a\nb\rc", "abc"},
        Printed{"Bell", "a\ab", "ab"},
        Printed{"Delete", "a\x7f", "a"},
        Printed{"Nul", std::string("a\0b", 3), "ab"},
        Printed{"Colour", "\x1b[1;31mred\x1b[0m", "red"},
        Printed{"CutColour", "a\x1b[1;3", "a"},
        Printed{"ClearScreen", "\x1b[2Ja", "a"},
        Printed{"Title", "\x1b]0;evil\aok", "ok"},
        Printed{"TitleWithSt", "\x1b]0;evil\x1b\\ok", "ok"},
        Printed{"CutTitle", "a\x1b]0;evil", "a"},
        Printed{"LoneEscape", "a\x1b", "a"},
        Printed{
            "TwoCharacterEscape",
            "a\x1b"
            "cb",
            "ab"
        },
        Printed{"DeviceControl", "\x1bPq#0\x1b\\ok", "ok"},
        Printed{"ApplicationCommand", "\x1b_Gdata\x1b\\ok", "ok"},
        Printed{"EscapeBeforeUtf8", "\x1b\xC3\xA9", "\xC3\xA9"},
        Printed{
            "C1Controls",
            "a\xC2\x9b"
            "31mb",
            "a31mb"
        },
        Printed{
            "Utf8", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"
        },
        Printed{
            "Invalid",
            "a\xFF"
            "b",
            "a\xEF\xBF\xBD"
            "b"
        },
        Printed{"Overlong", "\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        Printed{"Surrogate", "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        Printed{"TooLarge", "\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        Printed{"Cut", "a\xE2\x82", "a\xEF\xBF\xBD\xEF\xBF\xBD"}
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

TEST(Nearest, FindsTheLikelySpelling) {
    const std::vector<std::string> names = {"--temperature", "--top-p", "--max-tokens"};
    EXPECT_EQ(nearest("--temprature", names), "--temperature");
    EXPECT_EQ(nearest("--top-p", names), "--top-p");
    EXPECT_EQ(nearest("--top_p", names), "--top-p");
    EXPECT_EQ(nearest("--max-token", names), "--max-tokens");
    EXPECT_EQ(nearest("--something-else", names), std::nullopt);
    EXPECT_EQ(nearest("x", {}), std::nullopt);
    EXPECT_EQ(nearest("", {"ab"}), "ab");
    EXPECT_EQ(nearest("", {"abc"}), std::nullopt);
}

TEST(JoinOr, ReadsAsASentence) {
    EXPECT_EQ(join_or({}), "");
    EXPECT_EQ(join_or({"a"}), "a");
    EXPECT_EQ(join_or({"a", "b"}), "a or b");
    EXPECT_EQ(join_or({"a", "b", "c"}), "a, b or c");
}

TEST(ShellQuoted, CanBePastedIntoAShell) {
    EXPECT_EQ(shell_quoted({}), "");
    EXPECT_EQ(shell_quoted({"ls", "-l", "/a/b.c"}), "ls -l /a/b.c");
    EXPECT_EQ(shell_quoted({"a b", ""}), "'a b' ''");
    EXPECT_EQ(shell_quoted({"it's"}), "'it'\\''s'");
    EXPECT_EQ(shell_quoted({"$HOME", "a;b", "~", "*", "a\nb"}), "'$HOME' 'a;b' '~' '*' 'a\nb'");
    EXPECT_EQ(shell_quoted({"A=b", "c"}), "'A=b' c")
        << "as the first word it would be an assignment";
    EXPECT_EQ(shell_quoted({"c", "A=b"}), "c A=b");
}

}  // namespace
}  // namespace punie
