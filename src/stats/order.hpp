#pragma once
// Summaries of a sample that assume nothing about its distribution. All values must be finite;
// nothing is modified.

#include <cstddef>
#include <optional>
#include <span>

namespace punie::stats {

/// The p-quantile, 0 <= p <= 1, by linear interpolation between order statistics at (n - 1) p + 1:
/// type 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American Statistician
/// 50 (1996), what R and NumPy do by default. Nothing for an empty sample.
std::optional<double> quantile(std::span<const double> values, double p);

/// quantile(values, 0.5): the middle value, or the mean of the two middle ones.
std::optional<double> median(std::span<const double> values);

/// Smallest and largest value.
struct Spread {
    double low = 0;
    double high = 0;
};

std::optional<Spread> spread(std::span<const double> values);

/// An interval between two order statistics.
struct MedianInterval {
    double low = 0;
    double high = 0;
    std::size_t rank = 0;  ///< low is the rank-th smallest value, high the rank-th largest; from 1
    double coverage =
        0;  ///< the probability with which it holds the median, at least what was asked for
};

/// The narrowest symmetric interval [x(r), x(n+1-r)] that holds the median of the population with
/// at least `confidence`: 1 - 2 P(B <= r - 1) with B binomial(n, 1/2) (David and Nagaraja, "Order
/// Statistics", 3rd edition, section 7.1). Needs no assumption on the distribution. Nothing when
/// even the whole range does not reach it: under 6 values for 0.95.
std::optional<MedianInterval> median_interval(
    std::span<const double> values, double confidence = 0.95
);

}  // namespace punie::stats
