#pragma once
// What a suite of this size could have shown, and what the observed difference would need.

#include <cstddef>
#include <optional>
#include <string_view>

#include "stats/intervals.hpp"

namespace punie::stats {

struct PowerSettings {
    double alpha = 0.05;  ///< two-sided
    double power = 0.8;
};

struct Power {
    std::optional<double> detectable;   ///< the smallest difference seen with this power
    std::optional<std::size_t> needed;  ///< prompts for the observed difference; none if it is 0
    std::string_view method;
};

/// From the observed variance of paired differences:
///   detectable = (t(1 - alpha/2, G-1) + t(power, G-1)) * SE
///   needed     = n * ((t + t) * SE / difference)^2, with t of as many groups as are needed
/// Miller, "Adding Error Bars to Evals", arXiv:2411.00640, section 5 (there with normal quantiles;
/// t because suites are small). Further prompts are taken to come in groups like the present ones.
/// No variance seen: the largest that G groups without one different allow at 95 % (a share
/// r = 1 - 0.05^(1/G) of them different by 1). No `detectable` where the sign-flip test cannot
/// reach alpha at all (its smallest p is 2^(1-G), so under 6 groups for 0.05). Methods:
/// "paired_variance", "paired_variance_bound", "none" (under 2 groups).
Power paired_power(
    const Estimate& difference, std::size_t prompts, std::size_t groups, PowerSettings settings = {}
);

/// For yes/no results judged by McNemar's test, from the share of prompts that change:
///   n = (z(1 - alpha/2) sqrt(s) + z(power) sqrt(s - d^2))^2 / d^2
/// Connor, "Sample Size for Testing Differences in Proportions for the Paired-Sample Design",
/// Biometrics 43 (1987). s is the observed share, but never below d: a difference of d needs at
/// least d of changes. The exact test cannot show less than 6 changed prompts (2 * 2^-6 < 0.05), so
/// `detectable` is at least 6/n and nothing under 6 prompts. Method: "connor_1987".
Power mcnemar_power(const PairedCounts& counts, PowerSettings settings = {});

}  // namespace punie::stats
