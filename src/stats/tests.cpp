#include "stats/tests.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/assert.hpp"
#include "stats/distributions.hpp"

namespace punie::stats {

double mcnemar_exact(std::size_t gained, std::size_t lost) {
    return std::min(1.0, 2 * half_binomial_below(std::min(gained, lost), gained + lost));
}

std::vector<double> group_sums(const Sample& sample) {
    if (sample.groups.empty()) return {sample.values.begin(), sample.values.end()};
    PUNIE_ASSERT(sample.groups.size() == sample.values.size(), "a group a value");
    std::vector<std::pair<std::size_t, double>> rows;
    rows.reserve(sample.values.size());
    for (std::size_t at = 0; at < sample.values.size(); ++at)
        rows.emplace_back(sample.groups[at], sample.values[at]);
    std::ranges::sort(rows);
    std::vector<double> sums;
    for (std::size_t at = 0; at < rows.size(); ++at) {
        if (at == 0 || rows[at].first != rows[at - 1].first) sums.push_back(0);
        sums.back() += rows[at].second;
    }
    return sums;
}

std::vector<double> holm(std::span<const double> p) {
    std::vector<std::size_t> order(p.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, {}, [p](std::size_t at) { return p[at]; });
    std::vector<double> adjusted(p.size());
    double largest = 0;
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
        const auto factor = static_cast<double>(order.size() - rank);
        largest = std::max(largest, std::min(1.0, factor * p[order[rank]]));
        adjusted[order[rank]] = largest;
    }
    return adjusted;
}

}  // namespace punie::stats
