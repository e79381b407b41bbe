#include "stats/intervals.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <vector>

namespace punie::stats {
namespace {

// statsmodels 0.15.0: proportion_confint(hits, n, method="wilson"). Published: Newcombe, Statistics
// in Medicine 17 (1998), table I, method 3 gives 81 of 263 as 0.2553 to 0.3662 and 15 of 148 as
// 0.0624 to 0.1605.
struct WilsonRow {
    std::size_t hits;
    std::size_t n;
    double low;
    double high;
};

class WilsonTest : public testing::TestWithParam<WilsonRow> {};

TEST_P(WilsonTest, IsStatsmodels) {
    const auto& row = GetParam();
    const auto interval = wilson(row.hits, row.n);
    EXPECT_NEAR(interval.low, row.low, 1e-11);
    EXPECT_NEAR(interval.high, row.high, 1e-11);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    WilsonTest,
    testing::Values(
        WilsonRow{5, 5, 0.565517535217, 1},  // "100 %" of five prompts is 57 to 100 %
        WilsonRow{0, 60, 0, 0.060171852142},
        WilsonRow{60, 60, 0.939828147858, 1},
        WilsonRow{0, 5, 0, 0.434482464783},
        WilsonRow{1, 1, 0.206549314377, 1},
        WilsonRow{1, 10, 0.017876213095, 0.404150026795},
        WilsonRow{17, 40, 0.285093925600, 0.578049314580},
        WilsonRow{81, 263, 0.255288519878, 0.366209576983},
        WilsonRow{15, 148, 0.062386399531, 0.160487241723},
        WilsonRow{199, 200, 0.972226295602, 0.999116831284}
    )
);

TEST(Wilson, TakesAnotherConfidence) {
    const auto interval = wilson(17, 40, 0.9);
    EXPECT_NEAR(interval.low, 0.305234136980, 1e-11);
    EXPECT_NEAR(interval.high, 0.554268880317, 1e-11);
}

constexpr std::array scores = {1.0, 0.5, 0.0, 1.0, 1.0, 0.25, 0.75, 0.0, 1.0, 0.5, 1.0, 0.0};
constexpr std::array<std::size_t, 12> groups = {0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4};

// statsmodels 0.15.0, x the scores, g the groups:
//   sm.OLS(x, np.ones(12)).fit(cov_type="cluster", cov_kwds={"groups": g}, use_t=True)
//   .params[0], .bse[0], .conf_int()[0]
TEST(ClusteredMean, IsStatsmodels) {
    const auto estimate = clustered_mean({.values = scores, .groups = groups});
    EXPECT_NEAR(estimate.value, 0.5833333333333335, 1e-12);
    EXPECT_NEAR(estimate.standard_error.value(), 0.10980130764473542, 1e-12);
    EXPECT_NEAR(estimate.interval.value().low, 0.27847603, 1e-8);
    EXPECT_NEAR(estimate.interval.value().high, 0.88819064, 1e-8);
    EXPECT_EQ(estimate.method, "clustered_cr1");
}

// As above without cov_type.
TEST(ClusteredMean, WithoutGroupsIsTheUsualT) {
    const auto estimate = clustered_mean({.values = scores});
    EXPECT_NEAR(estimate.standard_error.value(), 0.12436708454077278, 1e-12);
    EXPECT_NEAR(estimate.interval.value().low, 0.30960323, 1e-8);
    EXPECT_NEAR(estimate.interval.value().high, 0.85706344, 1e-8);
    EXPECT_EQ(estimate.method, "student_t");
}

TEST(ClusteredMean, OfDifferencesIsStatsmodels) {
    constexpr std::array other = {0.5, 0.5, 0.0, 1.0, 0.0, 0.25, 1.0, 0.0, 0.5, 0.5, 0.0, 0.0};
    std::array<double, 12> differences{};
    std::ranges::transform(scores, other, differences.begin(), std::minus<>());
    const auto estimate =
        clustered_mean({.values = differences, .groups = groups}, {.low = -1, .high = 1});
    EXPECT_NEAR(estimate.value, 0.22916666666666674, 1e-12);
    EXPECT_NEAR(estimate.standard_error.value(), 0.10814174654442668, 1e-12);
    EXPECT_NEAR(estimate.interval.value().low, -0.07108296, 1e-8);
    EXPECT_NEAR(estimate.interval.value().high, 0.52941629, 1e-8);
}

TEST(ClusteredMean, GroupsOfOnePromptChangeNothing) {
    std::array<std::size_t, 12> own{};
    std::iota(own.begin(), own.end(), std::size_t{100});
    const auto with = clustered_mean({.values = scores, .groups = own});
    const auto without = clustered_mean({.values = scores});
    EXPECT_NEAR(with.standard_error.value(), without.standard_error.value(), 1e-15);
    EXPECT_EQ(with.method, "student_t");
}

TEST(ClusteredMean, DoesNotDependOnTheOrderOfRows) {
    const auto straight = clustered_mean({.values = scores, .groups = groups});
    auto values = scores;
    auto names = groups;
    std::ranges::reverse(values);
    std::ranges::reverse(names);
    std::ranges::rotate(values, values.begin() + 5);
    std::ranges::rotate(names, names.begin() + 5);
    const auto turned = clustered_mean({.values = values, .groups = names});
    EXPECT_EQ(straight.value, turned.value);
    EXPECT_EQ(straight.standard_error.value(), turned.standard_error.value());
}

TEST(ClusteredMean, IsRefusedForOneGroup) {
    constexpr std::array<std::size_t, 12> one{};
    const auto estimate = clustered_mean({.values = scores, .groups = one});
    EXPECT_NEAR(estimate.value, 0.583333333333, 1e-9);
    EXPECT_FALSE(estimate.standard_error);
    EXPECT_FALSE(estimate.interval);
    EXPECT_EQ(estimate.method, "none");
}

TEST(ClusteredMean, IsRefusedForOnePrompt) {
    constexpr std::array one = {0.5};
    EXPECT_FALSE(clustered_mean({.values = one}).interval);
}

TEST(ClusteredMean, IsCutToWhatAScoreCanBe) {
    constexpr std::array values = {1.0, 1.0, 1.0, 0.5};
    const auto estimate = clustered_mean({.values = values});
    EXPECT_LT(estimate.value + 2 * *estimate.standard_error, 1.2);
    EXPECT_EQ(estimate.interval.value().high, 1);
}

// 0 of 60 has a standard error of 0, and is not 0 to 0: 1 - 0.025^(1/60).
TEST(ClusteredMean, WithoutVarianceKeepsAWidth) {
    const std::vector<double> nothing(60, 0.0);
    const auto estimate = clustered_mean({.values = nothing});
    EXPECT_EQ(estimate.standard_error.value(), 0);
    EXPECT_EQ(estimate.interval.value().low, 0);
    EXPECT_NEAR(estimate.interval.value().high, 0.059629492286166874, 1e-12);
    EXPECT_EQ(estimate.method, "rule_of_three");
}

TEST(ClusteredMean, WithoutVarianceCountsGroupsNotPrompts) {
    const std::vector<double> all(60, 1.0);
    std::vector<std::size_t> six(60);
    for (std::size_t at = 0; at < six.size(); ++at) six[at] = at / 10;
    const auto estimate = clustered_mean({.values = all, .groups = six});
    EXPECT_NEAR(estimate.interval.value().low, 0.5407419, 1e-6);  // 0.025^(1/6)
    EXPECT_EQ(estimate.interval.value().high, 1);
}

TEST(ClusteredMean, WithoutVarianceOfDifferencesReachesBothWays) {
    const std::vector<double> same(40, 0.0);
    const auto estimate = clustered_mean({.values = same}, {.low = -1, .high = 1});
    EXPECT_NEAR(estimate.interval.value().low, -0.0880973, 1e-6);  // 0.025^(1/40) - 1
    EXPECT_NEAR(estimate.interval.value().high, 0.0880973, 1e-6);
}

TEST(MeanScore, TakesWilsonForYesAndNoWithoutGroups) {
    constexpr std::array passed = {1.0, 1.0, 1.0, 1.0, 1.0};
    const auto estimate = mean_score({.values = passed});
    EXPECT_EQ(estimate.method, "wilson");
    EXPECT_NEAR(estimate.interval.value().low, 0.565517535217, 1e-11);
}

TEST(MeanScore, TakesClustersForYesAndNoInGroups) {
    constexpr std::array passed = {1.0, 1.0, 0.0, 1.0, 0.0};
    constexpr std::array<std::size_t, 5> two = {0, 0, 1, 1, 1};
    EXPECT_EQ(mean_score({.values = passed, .groups = two}).method, "clustered_cr1");
}

TEST(MeanScore, TakesTForPartScores) {
    EXPECT_EQ(mean_score({.values = scores}).method, "student_t");
}

struct PairedRow {
    PairedCounts counts;
    double difference;
    double low;
    double high;
};

class PairedProportionsTest : public testing::TestWithParam<PairedRow> {};

TEST_P(PairedProportionsTest, IsNewcombesMethodTen) {
    const auto& row = GetParam();
    const auto estimate = paired_proportions(row.counts);
    EXPECT_NEAR(estimate.value, row.difference, 1e-12);
    EXPECT_NEAR(estimate.interval.value().low, row.low, 1e-9);
    EXPECT_NEAR(estimate.interval.value().high, row.high, 1e-9);
    EXPECT_EQ(estimate.method, "newcombe_paired");
}

// The first row is published: Fagerland, Lydersen and Laake, "Recommended tests and confidence
// intervals for paired binomial proportions", Statistics in Medicine 33 (2014), airway
// hyperresponsiveness before and after transplantation: -0.507 to -0.026. All figures: the formula
// of the paper written in Python over statsmodels' Wilson intervals (docs/statistics.md).
INSTANTIATE_TEST_SUITE_P(
    Table,
    PairedProportionsTest,
    testing::Values(
        PairedRow{{1, 7, 1, 12}, -0.2857142857142857, -0.506920226686141, -0.025559124164859837},
        PairedRow{{0, 0, 60, 0}, 1, 0.9149041506275478, 1},
        PairedRow{{0, 60, 0, 0}, -1, -1, -0.9149041506275478},
        PairedRow{{20, 0, 0, 0}, 0, -0.16112515805281957, 0.16112515805281957},
        PairedRow{{36, 2, 12, 0}, 0.2, 0.05692958400323875, 0.3404276029749408},
        PairedRow{{100, 4, 12, 84}, 0.04, 0.00012272210693238528, 0.07947059615959086},
        PairedRow{{43, 1, 0, 0}, -0.0227272727272727, -0.11807709698213287, 0.05971800835089891}
    )
);

TEST(PairedProportions, StandardErrorIsThatOfTheDifferences) {
    const PairedCounts counts{.both = 3, .only_first = 2, .only_second = 4, .neither = 1};
    // np.std([1]*4 + [-1]*2 + [0]*4) / np.sqrt(10)
    EXPECT_NEAR(paired_proportions(counts).standard_error.value(), 0.23664319132398465, 1e-12);
}

// statsmodels 0.15.0: smf.mixedlm("y ~ 1", rows, groups=rows.g).fit(reml=True): cov_re and scale.
TEST(VarianceParts, AreRemls) {
    const std::vector<std::vector<double>> samples = {
        {1, 0, 1}, {0, 0, 0}, {1, 1, 1}, {0, 1, 0}, {1, 1, 0}, {0, 0, 1}, {1, 1, 1}, {0, 0, 0}
    };
    const auto parts = variance_parts(samples).value();
    EXPECT_NEAR(parts.between, 0.1031746031746, 1e-9);
    EXPECT_NEAR(parts.within, 0.1666666666667, 1e-9);
    EXPECT_NEAR(parts.of_means, 0.15873015873015875, 1e-12);
    EXPECT_NEAR(parts.sampling_share, (0.1666666666667 / 3) / 0.15873015873015875, 1e-9);
}

TEST(VarianceParts, TakeUnequalRepeats) {
    const std::vector<std::vector<double>> samples = {{1, 0}, {1}, {0, 0, 1, 1}, {}};
    const auto parts = variance_parts(samples).value();
    EXPECT_NEAR(parts.within, (0.5 + 1.0) / 4, 1e-12);  // squares 0.5 and 1 over 1 + 3 degrees
    EXPECT_NEAR(parts.of_means, 1.0 / 12, 1e-12);       // of 0.5, 1 and 0.5
    EXPECT_EQ(parts.between, 0);                        // never negative
    EXPECT_EQ(parts.sampling_share, 1);
}

TEST(VarianceParts, NeedRepeatsAndPrompts) {
    const std::vector<std::vector<double>> single = {{1}, {0}, {1}};
    EXPECT_FALSE(variance_parts(single));
    const std::vector<std::vector<double>> one = {{1, 0, 1}};
    EXPECT_FALSE(variance_parts(one));
    EXPECT_FALSE(variance_parts({}));
}

TEST(GroupCount, CountsDifferentGroups) {
    EXPECT_EQ(group_count({.values = scores, .groups = groups}), 5);
    EXPECT_EQ(group_count({.values = scores}), 12);
}

}  // namespace
}  // namespace punie::stats
