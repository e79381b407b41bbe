#pragma once
// The few distributions that intervals and tests need, from Boost.Math. Its headers are heavy, so
// they are seen by one file only.

#include <cstddef>

namespace punie::stats {

/// The p-quantile of the standard normal distribution, 0 < p < 1.
double normal_quantile(double p);

/// The p-quantile of Student's t with `degrees` > 0 degrees of freedom, 0 < p < 1.
double student_quantile(double p, double degrees);

/// P(X <= k) for X binomial(n, 1/2).
double half_binomial_below(std::size_t k, std::size_t n);

}  // namespace punie::stats
