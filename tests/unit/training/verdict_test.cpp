#include "training/verdict.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace punie::training {
namespace {

struct VerdictRow {
    double seconds;
    Verdict expected;
};

class VerdictTest : public testing::TestWithParam<VerdictRow> {};

TEST_P(VerdictTest, BoundsBelongToTheBetterOne) {
    EXPECT_EQ(verdict_for(GetParam().seconds), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    VerdictTest,
    testing::Values(
        VerdictRow{0, Verdict::excellent},
        VerdictRow{5, Verdict::excellent},
        VerdictRow{std::nextafter(5, 6), Verdict::acceptable},
        VerdictRow{30, Verdict::acceptable},
        VerdictRow{std::nextafter(30, 31), Verdict::slow},
        VerdictRow{60, Verdict::slow},
        VerdictRow{std::nextafter(60, 61), Verdict::too_slow},
        VerdictRow{1e9, Verdict::too_slow},
        VerdictRow{std::nan(""), Verdict::too_slow}
    )
);

TEST(Verdict, HasAName) {
    EXPECT_EQ(name_of(Verdict::excellent), "excellent");
    EXPECT_EQ(name_of(Verdict::acceptable), "acceptable");
    EXPECT_EQ(name_of(Verdict::slow), "slow");
    EXPECT_EQ(name_of(Verdict::too_slow), "too slow");
}

struct PlainRow {
    std::vector<double> steady;
    bool expected;
};

class PlainlyTooSlowTest : public testing::TestWithParam<PlainRow> {};

TEST_P(PlainlyTooSlowTest, NeedsOneFarOverOrAllOver) {
    EXPECT_EQ(plainly_too_slow(GetParam().steady), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    PlainlyTooSlowTest,
    testing::Values(
        PlainRow{{}, false},
        PlainRow{{61}, false},  // the second iteration still compiles a little
        PlainRow{{90}, false},
        PlainRow{{90.1}, true},
        PlainRow{{61, 61}, true},
        PlainRow{{200, 59}, false},
        PlainRow{{61, 60}, false},
        PlainRow{{61, 62, 63}, true}
    )
);

struct PassesRow {
    int iterations;
    int passes;
};

class ValidationPassesTest : public testing::TestWithParam<PassesRow> {};

TEST_P(ValidationPassesTest, AreTheFirstEach200thAndTheLast) {
    EXPECT_EQ(validation_passes(GetParam().iterations), GetParam().passes);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    ValidationPassesTest,
    testing::Values(
        PassesRow{0, 0},
        PassesRow{1, 1},
        PassesRow{2, 2},
        PassesRow{199, 2},
        PassesRow{200, 2},
        PassesRow{201, 3},
        PassesRow{600, 4},
        PassesRow{601, 5}
    )
);

TEST(Projection, AddsUpItsParts) {
    const Pace pace{
        .load = 10, .first_iteration = 20, .iteration = 2, .validation_pass = 5, .checkpoint = 0.5
    };
    EXPECT_DOUBLE_EQ(projected_seconds(pace, 100), 10 + 20 + 99 * 2 + 2 * 5 + 3 * 0.5);
    EXPECT_DOUBLE_EQ(projected_seconds(pace, 1), 10 + 20 + 5 + 0.5);
    EXPECT_DOUBLE_EQ(projected_seconds(pace, 0), 0);
}

}  // namespace
}  // namespace punie::training
