#include "stats/order.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/assert.hpp"

namespace punie::stats {

namespace {

std::vector<double> sorted(std::span<const double> values) {
    std::vector<double> copy(values.begin(), values.end());
    for (const double value : copy)
        PUNIE_ASSERT(std::isfinite(value), "a sample holds finite values");
    std::ranges::sort(copy);
    return copy;
}

/// P(B = k), B binomial(n, 1/2), through logarithms: 2^-n underflows from n = 1075 on.
double half_binomial(std::size_t n, std::size_t k) {
    const auto count = static_cast<double>(n);
    const auto hits = static_cast<double>(k);
    const double log_choose =
        std::lgamma(count + 1) - std::lgamma(hits + 1) - std::lgamma(count - hits + 1);
    return std::exp(log_choose - count * std::log(2.0));
}

}  // namespace

std::optional<double> quantile(std::span<const double> values, double p) {
    PUNIE_ASSERT(p >= 0 && p <= 1, "a quantile's p lies between 0 and 1");
    if (values.empty()) return std::nullopt;
    const auto order = sorted(values);
    const double place = static_cast<double>(order.size() - 1) * p;
    const auto below = static_cast<std::size_t>(place);
    if (below + 1 >= order.size()) return order.back();
    const double part = place - static_cast<double>(below);
    return order[below] + part * (order[below + 1] - order[below]);
}

std::optional<double> median(std::span<const double> values) {
    return quantile(values, 0.5);
}

std::optional<Spread> spread(std::span<const double> values) {
    if (values.empty()) return std::nullopt;
    const auto [low, high] = std::ranges::minmax(values);
    return Spread{.low = low, .high = high};
}

std::optional<MedianInterval> median_interval(std::span<const double> values, double confidence) {
    PUNIE_ASSERT(confidence > 0 && confidence < 1, "a confidence lies between 0 and 1");
    const auto order = sorted(values);
    std::optional<MedianInterval> best;
    double tail = 0;  // P(B <= r - 1)
    for (std::size_t r = 1; 2 * r <= order.size(); ++r) {
        tail += half_binomial(order.size(), r - 1);
        const double coverage = 1 - 2 * tail;
        if (coverage < confidence) break;
        best = MedianInterval{
            .low = order[r - 1], .high = order[order.size() - r], .rank = r, .coverage = coverage
        };
    }
    return best;
}

}  // namespace punie::stats
