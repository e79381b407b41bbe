#include "cli/loss_curve.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace punie::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(LossCurve, DrawsBothInAscii) {
    const auto lines = loss_curve(
        {{1, 4}, {5, 3}, {10, 2}}, {{0, 4}, {9, 3}}, {.width = 20, .height = 3, .ascii = true}
    );
    EXPECT_THAT(
        lines,
        ElementsAre(
            "       4 |o .",
            "         |          .      o",
            "       2 |                   .",
            "         +--------------------",
            "         0 . training   o validation 10"
        )
    );
}

TEST(LossCurve, UsesUnicodeOtherwise) {
    const auto lines = loss_curve({{1, 4}, {10, 2}}, {}, {.width = 12, .height = 2});
    ASSERT_EQ(lines.size(), 4U);
    EXPECT_NE(lines[0].find("•"), std::string::npos);
    EXPECT_NE(lines[2].find("└"), std::string::npos);
}

TEST(LossCurve, NeedsTwoPointsThatAreNumbers) {
    EXPECT_THAT(loss_curve({}, {}, {}), IsEmpty());
    EXPECT_THAT(loss_curve({{1, 4}}, {}, {}), IsEmpty());
    EXPECT_THAT(loss_curve({{1, 4}, {2, NAN}}, {{3, HUGE_VAL}}, {}), IsEmpty());
}

TEST(LossCurve, AFlatLineAndOnePlaceAreNoTrouble) {
    EXPECT_EQ(loss_curve({{1, 2}, {9, 2}}, {}, {}).size(), 12U);
    EXPECT_EQ(loss_curve({{0, 2}, {0, 3}}, {}, {}).size(), 12U);
    EXPECT_EQ(loss_curve({{5, 1e30}, {6, -1e30}}, {}, {}).size(), 12U);
}

}  // namespace
}  // namespace punie::cli
