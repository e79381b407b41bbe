#include "stats/power.hpp"

#include <algorithm>
#include <cmath>

#include "base/assert.hpp"
#include "stats/distributions.hpp"

namespace punie::stats {

namespace {

double t_sum(double degrees, PowerSettings settings) {
    return student_quantile(1 - settings.alpha / 2, degrees) +
           student_quantile(settings.power, degrees);
}

/// More groups mean more degrees of freedom, so fewer are needed: a few rounds settle it.
double groups_needed(double groups, double error, double difference, PowerSettings settings) {
    double needed = groups;
    for (int round = 0; round < 20; ++round) {
        const double degrees = std::max(needed - 1, 2.0);
        const double ratio = t_sum(degrees, settings) * error / difference;
        needed = groups * ratio * ratio;
    }
    return std::max(needed, 2.0);
}

struct Connor {
    double z_alpha;
    double z_power;

    double prompts(double difference, double changed) const {
        const double share = std::max(changed, difference);
        const double root = z_alpha * std::sqrt(share) +
                            z_power * std::sqrt(std::max(share - difference * difference, 0.0));
        return root * root / (difference * difference);
    }
};

}  // namespace

Power paired_power(
    const Estimate& difference, std::size_t prompts, std::size_t groups, PowerSettings settings
) {
    if (groups < 2 || !difference.standard_error) return {.method = "none"};
    const auto g = static_cast<double>(groups);
    double error = *difference.standard_error;
    Power power{.method = "paired_variance"};
    if (error == 0) {
        error = std::sqrt((1 - std::pow(0.05, 1 / g)) / g);
        power.method = "paired_variance_bound";
    }
    // The sign-flip test of G groups has no p below 2^(1-G): fewer than 6 never reach 0.05.
    if (std::pow(2.0, 1 - g) < settings.alpha)
        power.detectable = std::min(t_sum(g - 1, settings) * error, 1.0);
    const double observed = std::abs(difference.value);
    if (observed < 1e-12) return power;
    const double each = static_cast<double>(prompts) / g;
    power.needed =
        static_cast<std::size_t>(std::ceil(each * groups_needed(g, error, observed, settings)));
    return power;
}

Power mcnemar_power(const PairedCounts& counts, PowerSettings settings) {
    PUNIE_ASSERT(counts.total() > 0, "a difference of something");
    const Connor connor{
        .z_alpha = normal_quantile(1 - settings.alpha / 2),
        .z_power = normal_quantile(settings.power)
    };
    const auto n = static_cast<double>(counts.total());
    const double changed = static_cast<double>(counts.only_first + counts.only_second) / n;
    Power power{.method = "connor_1987"};
    // So many prompts must change, all in one direction, before the exact p falls to alpha.
    const double fewest = std::ceil(std::log2(2 / settings.alpha));
    if (connor.prompts(1, changed) <= n && fewest <= n) {
        double low = 1e-9;
        double high = 1;
        for (int round = 0; round < 60; ++round) {  // prompts() falls with the difference
            const double middle = (low + high) / 2;
            (connor.prompts(middle, changed) <= n ? high : low) = middle;
        }
        power.detectable = std::max(high, fewest / n);
    }
    const double observed =
        std::abs(static_cast<double>(counts.only_second) - static_cast<double>(counts.only_first)) /
        n;
    if (observed > 0)
        power.needed = static_cast<std::size_t>(std::ceil(connor.prompts(observed, changed)));
    return power;
}

}  // namespace punie::stats
