#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "process/output.hpp"

namespace punie::process {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(OutputRing, KeepsWhatFits) {
    OutputRing ring(16);
    EXPECT_EQ(ring.contents(), "");
    ring.append("hello ");
    ring.append("world");
    EXPECT_EQ(ring.contents(), "hello world");
    EXPECT_EQ(ring.total(), 11U);
}

TEST(OutputRing, ForgetsTheOldest) {
    OutputRing ring(8);
    ring.append("abcdef");
    ring.append("ghij");
    EXPECT_EQ(ring.contents(), "cdefghij");
    ring.append("k");
    EXPECT_EQ(ring.contents(), "defghijk");
    EXPECT_EQ(ring.total(), 11U);
}

TEST(OutputRing, MoreThanItHoldsAtOnce) {
    OutputRing ring(4);
    ring.append("xx");
    ring.append("0123456789");
    EXPECT_EQ(ring.contents(), "6789");
    EXPECT_EQ(ring.total(), 12U);
}

TEST(OutputRing, ExactlyFull) {
    OutputRing ring(4);
    ring.append("abcd");
    EXPECT_EQ(ring.contents(), "abcd");
    ring.append("");
    EXPECT_EQ(ring.contents(), "abcd");
    ring.append("efgh");
    EXPECT_EQ(ring.contents(), "efgh");
}

/// Against a plain string, for every size of piece around the capacity.
TEST(OutputRing, AgreesWithAString) {
    for (std::size_t capacity = 1; capacity < 12; ++capacity) {
        for (std::size_t piece = 0; piece < 15; ++piece) {
            OutputRing ring(capacity);
            std::string all;
            for (int i = 0; i < 9; ++i) {
                const std::string bytes(piece, static_cast<char>('a' + i));
                ring.append(bytes);
                all += bytes;
            }
            const auto expected = all.size() > capacity ? all.substr(all.size() - capacity) : all;
            EXPECT_EQ(ring.contents(), expected) << capacity << " " << piece;
        }
    }
}

struct Row {
    const char* name;
    std::string text;
    std::vector<std::string> lines;
};

class LastLines : public ::testing::TestWithParam<Row> {};

TEST_P(LastLines, AreWhatAPersonWouldSee) {
    OutputRing ring(1000);
    ring.append(GetParam().text);
    EXPECT_EQ(ring.last_lines(3, 8), GetParam().lines);
}

INSTANTIATE_TEST_SUITE_P(
    Rows,
    LastLines,
    ::testing::Values(
        Row{"Nothing", "", {}},
        Row{"One", "a\n", {"a"}},
        Row{"Unfinished", "a\nb", {"a", "b"}},
        Row{"OnlyTheLast", "a\nb\nc\nd\n", {"b", "c", "d"}},
        Row{"EmptyLinesCount", "a\n\nb\n", {"a", "", "b"}},
        Row{"CarriageReturns", "a\r\nb\r\n", {"a", "b"}},
        Row{"ProgressBar", "10 %\r20 %\r30 %\n", {"30 %"}},
        Row{"CutToWidth", "0123456789\n", {"01234567"}},
        Row{"NoCharacterIsCut", "0123456\u00e4\n", {"0123456"}},
        Row{"InvalidBytes", "\xff\n", {"\uFFFD"}},
        Row{"InvalidBytesAreCutToo", "\xff\xff\xff\xff\n", {"\uFFFD\uFFFD"}},
        Row{"ControlSequences", "\x1b[31mred\x1b[0m\a\n", {"red"}}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST(OutputRing, MayBeReadWhileItIsWritten) {
    OutputRing ring(1000);
    std::jthread writer([&] {
        for (int i = 0; i < 2000; ++i) ring.append("0123456789\n");
    });
    for (int i = 0; i < 200; ++i) {
        for (const auto& line : ring.last_lines(5))
            EXPECT_THAT(std::string("0123456789"), ::testing::EndsWith(line));
    }
}

}  // namespace punie::process
