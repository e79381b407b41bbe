#include "stats/order.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <vector>

namespace punie::stats {
namespace {

// NumPy 2: np.quantile([2.7, 3.1, 9.4, 1.2, 5.5, 7.3, 0.8, 4.4], p), whose default is type 7.
constexpr std::array sample = {2.7, 3.1, 9.4, 1.2, 5.5, 7.3, 0.8, 4.4};

struct QuantileRow {
    double p;
    double expected;
};

class QuantileTest : public testing::TestWithParam<QuantileRow> {};

TEST_P(QuantileTest, IsNumpys) {
    EXPECT_NEAR(quantile(sample, GetParam().p).value(), GetParam().expected, 1e-12);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    QuantileTest,
    testing::Values(
        QuantileRow{0, 0.8},
        QuantileRow{0.1, 1.08},
        QuantileRow{0.25, 2.325},
        QuantileRow{0.5, 3.75},
        QuantileRow{0.75, 5.95},
        QuantileRow{0.9, 7.93},
        QuantileRow{0.99, 9.253},
        QuantileRow{1, 9.4}
    )
);

TEST(Quantile, OfNothingIsNothing) {
    EXPECT_FALSE(quantile({}, 0.5));
    EXPECT_FALSE(median({}));
    EXPECT_FALSE(spread({}));
    EXPECT_FALSE(median_interval({}));
}

TEST(Quantile, OfOneValueIsThatValue) {
    const std::array one = {3.5};
    EXPECT_EQ(quantile(one, 0), 3.5);
    EXPECT_EQ(quantile(one, 0.37), 3.5);
    EXPECT_EQ(quantile(one, 1), 3.5);
}

TEST(Quantile, LeavesTheSampleAlone) {
    auto copy = std::vector<double>(sample.begin(), sample.end());
    (void)quantile(copy, 0.3);
    EXPECT_THAT(copy, testing::ElementsAreArray(sample));
}

TEST(Median, OfAnOddAndAnEvenSample) {
    EXPECT_EQ(median(std::array{9.0, 1.0, 5.0}), 5.0);
    EXPECT_EQ(median(std::array{9.0, 1.0, 5.0, 2.0}), 3.5);
    EXPECT_EQ(median(std::array{4.0, 4.0, 4.0}), 4.0);
}

TEST(Spread, IsTheExtremes) {
    const auto found = spread(sample).value();
    EXPECT_EQ(found.low, 0.8);
    EXPECT_EQ(found.high, 9.4);
}

// Ranks and coverages of the two-sided 95 % interval of the median: exact, from the integers of
// Pascal's triangle
//   python3 -c 'from math import comb; print(1 - 2*sum(comb(20, k) for k in range(6)) / 2**20)' ->
//   0.95861053466797
// The ranks are those of the usual tables (Conover, "Practical Nonparametric Statistics", table
// A3).
struct IntervalRow {
    std::size_t n;
    std::size_t rank;  ///< 0: no interval
    double coverage;
};

class MedianIntervalTest : public testing::TestWithParam<IntervalRow> {};

TEST_P(MedianIntervalTest, HasTheTabulatedRank) {
    const auto row = GetParam();
    std::vector<double> values(row.n);
    std::iota(values.rbegin(), values.rend(), 1.0);  // n, n-1, ... 1: the k-th smallest is k
    const auto found = median_interval(values);
    ASSERT_EQ(found.has_value(), row.rank > 0);
    if (!found) return;
    EXPECT_EQ(found->rank, row.rank);
    EXPECT_EQ(found->low, static_cast<double>(row.rank));
    EXPECT_EQ(found->high, static_cast<double>(row.n + 1 - row.rank));
    EXPECT_NEAR(found->coverage, row.coverage, 1e-9);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    MedianIntervalTest,
    testing::Values(
        IntervalRow{1, 0, 0},
        IntervalRow{5, 0, 0},
        IntervalRow{6, 1, 0.96875},
        IntervalRow{7, 1, 0.984375},
        IntervalRow{8, 1, 0.9921875},
        IntervalRow{9, 2, 0.9609375},
        IntervalRow{10, 2, 0.978515625},
        IntervalRow{12, 3, 0.96142578125},
        IntervalRow{15, 4, 0.96484375},
        IntervalRow{20, 6, 0.9586105346679688},
        IntervalRow{25, 8, 0.9567147493362427},
        IntervalRow{50, 18, 0.9671608624357315},
        IntervalRow{100, 40, 0.9647997997822952},
        IntervalRow{1000, 469, 0.9537088026395019},
        IntervalRow{2000, 956, 0.9534471795082162}
    )
);

TEST(MedianInterval, OfEqualValuesHasNoWidth) {
    const std::vector<double> same(9, 2.5);
    const auto found = median_interval(same).value();
    EXPECT_EQ(found.low, 2.5);
    EXPECT_EQ(found.high, 2.5);
}

TEST(MedianInterval, IsNarrowerWithLessConfidence) {
    std::vector<double> values(20);
    std::iota(values.begin(), values.end(), 1.0);
    EXPECT_EQ(median_interval(values, 0.5).value().rank, 8U);
    EXPECT_EQ(median_interval(values, 0.99).value().rank, 4U);
    EXPECT_FALSE(median_interval(std::array{1.0, 2.0, 3.0, 4.0, 5.0, 6.0}, 0.99));
}

TEST(StatsDeathTest, RefusesWhatIsNoNumber) {
    const std::array values = {1.0, std::numeric_limits<double>::quiet_NaN()};
    EXPECT_DEATH((void)median(values), "finite");
}

}  // namespace
}  // namespace punie::stats
