// What intervals and tests promise, tried on made-up suites: how often the truth lies inside, how
// often chance is called a difference. Seeds are fixed; bounds are four standard errors of the
// simulation around what theory says, so they would not hold for a wrong formula.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "stats/intervals.hpp"
#include "stats/tests.hpp"

namespace punie::stats {
namespace {

constexpr int trials = 2000;

/// Half width of a 4-sigma band around share p of the trials.
double band(double p) {
    return 4 * std::sqrt(p * (1 - p) / trials);
}

/// Prompts in groups; a prompt's pass probability comes from its group, so groups hang together.
struct MadeSuite {
    std::vector<double> values;
    std::vector<std::size_t> groups;
};

/// `spread` moves a whole group's chance up or down: 0 is no clustering.
MadeSuite make_suite(std::mt19937_64& random, std::size_t groups, std::size_t each, double spread) {
    MadeSuite suite;
    std::bernoulli_distribution coin(0.5);
    for (std::size_t group = 0; group < groups; ++group) {
        const double chance = 0.6 + (coin(random) ? spread : -spread);
        std::bernoulli_distribution passes(chance);
        for (std::size_t prompt = 0; prompt < each; ++prompt) {
            suite.values.push_back(passes(random) ? 1 : 0);
            suite.groups.push_back(group);
        }
    }
    return suite;
}

double coverage(std::size_t groups, std::size_t each, double spread, bool clustered) {
    std::mt19937_64 random(3);
    int inside = 0;
    for (int trial = 0; trial < trials; ++trial) {
        const auto suite = make_suite(random, groups, each, spread);
        const Sample sample{
            .values = suite.values,
            .groups = clustered ? std::span<const std::size_t>(suite.groups)
                                : std::span<const std::size_t>()
        };
        const auto interval = mean_score(sample).interval.value();
        inside += interval.low <= 0.6 && 0.6 <= interval.high ? 1 : 0;
    }
    return static_cast<double>(inside) / trials;
}

TEST(Coverage, OfClusteredIntervalsIsWhatTheyPromise) {
    EXPECT_NEAR(coverage(30, 8, 0.3, true), 0.95, band(0.95) + 0.01);
}

TEST(Coverage, OfNaiveIntervalsInGroupsIsFarBelow) {
    EXPECT_LT(coverage(30, 8, 0.3, false), 0.80);
}

TEST(Coverage, OfWilsonIsWhatItPromises) {
    EXPECT_NEAR(coverage(60, 1, 0, true), 0.95, band(0.95) + 0.015);
    EXPECT_NEAR(coverage(20, 1, 0, true), 0.95, band(0.95) + 0.02);
}

/// How often the sign-flip test calls two equal variants different.
double false_alarms(std::size_t groups, std::size_t each, bool by_group) {
    std::mt19937_64 random(5);
    std::normal_distribution<double> effect(0, 0.3);
    int alarms = 0;
    for (int trial = 0; trial < trials; ++trial) {
        MadeSuite differences;
        for (std::size_t group = 0; group < groups; ++group) {
            const double shift = effect(random);  // this document suits one of the two variants
            std::bernoulli_distribution first(std::clamp(0.5 + shift, 0.0, 1.0));
            std::bernoulli_distribution second(std::clamp(0.5 - shift, 0.0, 1.0));
            for (std::size_t prompt = 0; prompt < each; ++prompt) {
                differences.values.push_back(
                    (second(random) ? 1.0 : 0.0) - (first(random) ? 1 : 0)
                );
                differences.groups.push_back(group);
            }
        }
        const auto units =
            by_group ? group_sums({.values = differences.values, .groups = differences.groups})
                     : differences.values;
        alarms += sign_flip(units).p < 0.05 ? 1 : 0;
    }
    return static_cast<double>(alarms) / trials;
}

TEST(FalseAlarms, OfTheGroupTestStayAtTheLevel) {
    const double rate = false_alarms(20, 6, true);
    EXPECT_LT(rate, 0.05 + band(0.05));
    EXPECT_GT(rate, 0.02);  // and it is no test that never speaks
}

TEST(FalseAlarms, OfThePromptTestInGroupsAreMany) {
    EXPECT_GT(false_alarms(20, 6, false), 0.15);
}

TEST(FalseAlarms, OfExactMcnemarStayAtTheLevel) {
    std::mt19937_64 random(9);
    std::bernoulli_distribution coin(0.5);
    int alarms = 0;
    for (int trial = 0; trial < trials; ++trial) {
        std::size_t gained = 0;
        for (int prompt = 0; prompt < 25; ++prompt) gained += coin(random) ? 1 : 0;
        alarms += mcnemar_exact(gained, 25 - gained) < 0.05 ? 1 : 0;
    }
    EXPECT_LT(static_cast<double>(alarms) / trials, 0.05 + band(0.05));
}

}  // namespace
}  // namespace punie::stats
