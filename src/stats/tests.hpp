#pragma once
// Could a difference be chance? Two-sided tests of paired scores, and the correction for several.

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "stats/intervals.hpp"

namespace punie::stats {

/// McNemar's test, exact and conditional on the prompts that changed: twice the smaller tail of a
/// binomial(gained + lost, 1/2), at most 1. McNemar, Psychometrika 12 (1947); Fagerland, Lydersen
/// and Laake, BMC Medical Research Methodology 13:91 (2013). Not the mid-p: that one exceeds its
/// level now and then, and the choice must not depend on the result. 1 when nothing changed.
double mcnemar_exact(std::size_t gained, std::size_t lost);

struct PermutationResult {
    double p = 1;
    std::string_view computed;  ///< "convolution" or "enumeration" (exact), "draws" (Monte Carlo)
    std::size_t draws = 0;      ///< of Monte Carlo, else 0
    std::size_t units = 0;      ///< values that are not 0: only they can flip
};

/// The paired permutation test by flipping signs: under the null hypothesis each value (difference
/// of a prompt, or sum of the differences of a group) could as well have had the other sign; p is
/// the share of sign patterns whose sum lies at least as far from 0 as the observed one. Fisher,
/// "The Design of Experiments" (1935), section 21; Good, "Permutation, Parametric and Bootstrap
/// Tests of Hypotheses" (2005), section 3.2.
/// Exact by convolution where the values are multiples of 1/q, q <= 1000 (scores usually are), by
/// enumeration up to 20 values; else 100,000 draws of a fixed seed with p = (1 + hits)/(1 + draws)
/// (Phipson and Smyth, "Permutation P-values Should Never Be Zero", 2010). The order of the values
/// does not matter. p is never 0. 1 for no values.
PermutationResult sign_flip(std::span<const double> values);

/// The sum of the values of each group, for sign_flip.
std::vector<double> group_sums(const Sample& sample);

/// Holm's step-down correction: Holm, "A Simple Sequentially Rejective Multiple Test Procedure",
/// Scandinavian Journal of Statistics 6 (1979). The adjusted p-values, in the given order.
std::vector<double> holm(std::span<const double> p);

}  // namespace punie::stats
