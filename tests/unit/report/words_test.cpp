#include "report/words.hpp"

#include <gtest/gtest.h>

namespace punie::report {

namespace {

TEST(Words, Percent) {
    EXPECT_EQ(percent(0.7167), "71.7 %");
    EXPECT_EQ(percent(0), "0.0 %");
    EXPECT_EQ(percent(-0.0001), "0.0 %");
    EXPECT_EQ(percent(1), "100.0 %");
}

TEST(Words, Intervals) {
    EXPECT_EQ(
        percent_with_interval({.value = 0.717, .low = 0.592, .high = 0.815, .method = "wilson"}),
        "71.7 % (59.2 to 81.5)"
    );
    EXPECT_EQ(percent_with_interval({.value = 0.5, .method = "none"}), "50.0 %");
    EXPECT_EQ(
        points_with_interval({.value = 0.083, .low = 0.012, .high = 0.154}),
        "+8.3 points (1.2 to 15.4)"
    );
    EXPECT_EQ(points_with_interval({.value = -0.083}), "-8.3 points");
    EXPECT_EQ(points_with_interval({.value = 0.00001}), "0.0 points");
}

TEST(Words, PValues) {
    EXPECT_EQ(p_words(std::nullopt), "no test");
    EXPECT_EQ(p_words(0.0000001), "p < 0.001");
    EXPECT_EQ(p_words(0.0342), "p = 0.034");
    EXPECT_EQ(p_words(0.049), "p = 0.049");
    EXPECT_EQ(p_words(1), "p = 1.00");
}

struct Escape {
    const char* name;
    std::string text;
    std::string escaped;
};

class XmlEscape : public testing::TestWithParam<Escape> {};

TEST_P(XmlEscape, IsSafe) {
    EXPECT_EQ(xml_escaped(GetParam().text), GetParam().escaped);
}

const std::string lost = "\xEF\xBF\xBD";

INSTANTIATE_TEST_SUITE_P(
    Words,
    XmlEscape,
    testing::Values(
        Escape{
            "markup",
            R"(<a href="x" b='y'>&</a>)",
            "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;&lt;/a&gt;"
        },
        Escape{"plain", "Größe 漢 😀\n\t", "Größe 漢 😀\n\t"},
        Escape{"control", std::string("a\x1b[31mb\0c", 9), "a" + lost + "[31mb" + lost + "c"},
        Escape{"broken_utf8", "a\xff\xc3", "a" + lost + lost},
        Escape{"overlong", "\xc0\xaf", lost + lost},
        Escape{"overlong_three", "\xe0\x80\xaf", lost + lost + lost},
        Escape{"surrogate", "\xed\xa0\x80", lost + lost + lost},
        Escape{"beyond", "\xf4\x90\x80\x80", lost + lost + lost + lost},
        Escape{"no_character", "\xef\xbf\xbf", lost + lost + lost}
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

TEST(Words, ShortenedEndsAtACharacter) {
    EXPECT_EQ(shortened("short", 5), "short");
    EXPECT_EQ(shortened("longer text", 6), "longer...");
    EXPECT_EQ(shortened("ab\xC3\xA4x", 3), "ab...");
    EXPECT_EQ(shortened("\x80\x80\x80", 2), "...");
}

}  // namespace

}  // namespace punie::report
