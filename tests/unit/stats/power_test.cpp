#include "stats/power.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "stats/distributions.hpp"
#include "stats/repeats.hpp"
#include "stats/tests.hpp"

namespace punie::stats {
namespace {

// scipy 1.17.1, t the sum of quantiles, ts = lambda df: st.t.ppf(.975, df) + st.t.ppf(.8, df)
TEST(PairedPower, IsTheSumOfQuantilesTimesTheError) {
    const Estimate difference{.value = 0.229, .standard_error = 0.10814174654442668, .method = ""};
    const auto power = paired_power(difference, 12, 8);
    EXPECT_NEAR(
        power.detectable.value(),
        (2.364624251592784 + 0.8960296443137653) * 0.10814174654442668,
        1e-9
    );  // ts(7) * error
    EXPECT_EQ(power.method, "paired_variance");
}

// n = 40; for _ in range(50): n = 40 * (ts(n - 1) * .02 / .03)**2  -> 141.49 groups of 5
TEST(PairedPower, TellsThePromptsNeeded) {
    const Estimate difference{.value = -0.03, .standard_error = 0.02, .method = ""};
    const auto power = paired_power(difference, 200, 40);
    EXPECT_NEAR(static_cast<double>(power.needed.value()), 708, 1);
    EXPECT_NEAR(power.detectable.value(), 0.057472518799137715, 1e-9);
}

TEST(PairedPower, NeedsNothingForNoDifference) {
    const Estimate difference{.value = 0, .standard_error = 0.02, .method = ""};
    EXPECT_FALSE(paired_power(difference, 200, 40).needed);
}

TEST(PairedPower, WithoutVarianceIsNotPerfect) {
    const Estimate same{.value = 0, .standard_error = 0, .method = ""};
    const auto power = paired_power(same, 60, 60);
    // ts(59) * sqrt((1 - .05**(1/60)) / 60)
    EXPECT_NEAR(power.detectable.value(), 0.08116268123908467, 1e-9);
    EXPECT_EQ(power.method, "paired_variance_bound");
}

TEST(PairedPower, OfFiveGroupsShowsNothing) {  // 2^(1 - 5) = 0.0625
    const Estimate difference{.value = 0.2, .standard_error = 0.05, .method = ""};
    EXPECT_FALSE(paired_power(difference, 50, 5).detectable);
    EXPECT_TRUE(paired_power(difference, 50, 5).needed);
    EXPECT_TRUE(paired_power(difference, 60, 6).detectable);
}

TEST(PairedPower, OfOneGroupIsNone) {
    const Estimate lone{.value = 0.1, .method = "none"};
    const auto power = paired_power(lone, 30, 1);
    EXPECT_FALSE(power.detectable);
    EXPECT_FALSE(power.needed);
    EXPECT_EQ(power.method, "none");
}

PairedCounts changed(std::size_t n, std::size_t gained, std::size_t lost) {
    return {.both = n - gained - lost, .only_first = lost, .only_second = gained};
}

// scipy 1.17.1: Connor's formula solved by scipy.optimize.brentq over the difference
struct ConnorRow {
    PairedCounts counts;
    double detectable;
    std::size_t needed;
};

class ConnorTest : public testing::TestWithParam<ConnorRow> {};

TEST_P(ConnorTest, IsSolvedByScipy) {
    const auto power = mcnemar_power(GetParam().counts);
    EXPECT_NEAR(power.detectable.value(), GetParam().detectable, 1e-9);
    EXPECT_EQ(power.needed.value_or(0), GetParam().needed);
    EXPECT_EQ(power.method, "connor_1987");
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    ConnorTest,
    testing::Values(
        ConnorRow{changed(60, 0, 0), 0.1257565734082103, 0},
        ConnorRow{changed(60, 0, 1), 0.1257565734082103, 469},
        ConnorRow{changed(200, 20, 10), 0.07627318990846894, 469},
        ConnorRow{changed(20, 0, 0), 0.3483160924343287, 0},
        ConnorRow{changed(1000, 100, 60), 0.0353957992455135, 783}
    )
);

TEST(McnemarPower, OfAHandfulCannotShowAnything) {
    EXPECT_FALSE(mcnemar_power(changed(5, 1, 0)).detectable);
    EXPECT_FALSE(mcnemar_power(changed(1, 0, 0)).detectable);
}

// What it promises, tried: 2,000 suites of 300 prompts whose true difference is the detectable one.
// The exact test is conservative, so that a little less than 80 % see it.
TEST(McnemarPower, IsWhatTheTestHas) {
    constexpr std::size_t prompts = 300;
    const auto difference = mcnemar_power(changed(prompts, 30, 30)).detectable.value();
    std::mt19937_64 random(11);
    std::discrete_distribution<int> outcome({0.1 + difference / 2, 0.1 - difference / 2, 0.8});
    int seen = 0;
    for (int suite = 0; suite < 2000; ++suite) {
        std::size_t gained = 0;
        std::size_t lost = 0;
        for (std::size_t prompt = 0; prompt < prompts; ++prompt) {
            const int result = outcome(random);
            gained += result == 0 ? 1 : 0;
            lost += result == 1 ? 1 : 0;
        }
        seen += mcnemar_exact(gained, lost) < 0.05 ? 1 : 0;
    }
    EXPECT_GT(seen, 2000 * 0.70);
    EXPECT_LT(seen, 2000 * 0.86);
}

// The paper's Python: 1.0 if n - c < k else 1 - np.prod(1 - k / np.arange(n - c + 1, n + 1))
TEST(PassAtK, IsTheUnbiasedEstimator) {
    EXPECT_NEAR(pass_at_k(10, 3, 1), 0.3, 1e-12);
    EXPECT_NEAR(pass_at_k(10, 3, 5), 0.9166666666666666, 1e-12);
    EXPECT_NEAR(pass_at_k(200, 13, 100), 0.9999194971988055, 1e-12);
    EXPECT_EQ(pass_at_k(5, 5, 3), 1);
    EXPECT_EQ(pass_at_k(5, 0, 5), 0);
    EXPECT_EQ(pass_at_k(4, 1, 4), 1);
}

// math.comb(c, k) / math.comb(n, k)
TEST(PassAllK, IsTheUnbiasedEstimator) {
    EXPECT_NEAR(pass_all_k(8, 6, 1), 0.75, 1e-12);
    EXPECT_NEAR(pass_all_k(8, 6, 4), 0.21428571428571427, 1e-12);
    EXPECT_EQ(pass_all_k(8, 6, 7), 0);
    EXPECT_EQ(pass_all_k(3, 3, 3), 1);
}

TEST(Agreement, IsTheChanceThatTwoSamplesAgree) {
    EXPECT_EQ(agreement(2, 2), 1);
    EXPECT_EQ(agreement(2, 1), 0);
    EXPECT_NEAR(agreement(3, 1), 1.0 / 3, 1e-12);
    EXPECT_EQ(agreement(4, 0), 1);
}

// scipy 1.17.1: st.t.ppf, st.norm.ppf, st.binom.cdf
TEST(Distributions, AreScipys) {
    EXPECT_NEAR(normal_quantile(.975), 1.959963984540054, 1e-12);
    EXPECT_NEAR(student_quantile(.975, 7), 2.364624251592784, 1e-11);
    EXPECT_NEAR(student_quantile(.975, 199), 1.9719565442517533, 1e-11);
    EXPECT_NEAR(student_quantile(.8, 1), 1.3763819204711738, 1e-11);
    EXPECT_NEAR(half_binomial_below(4, 16), 0.0384063720703125, 1e-14);
    EXPECT_NEAR(half_binomial_below(300, 700), 8.92381572428122e-05, 1e-14);
    EXPECT_EQ(half_binomial_below(3, 3), 1);
}

}  // namespace
}  // namespace punie::stats
