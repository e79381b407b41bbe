#include "stats/intervals.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/assert.hpp"
#include "stats/distributions.hpp"

namespace punie::stats {

namespace {

/// Differences of this size are rounding, not variance.
constexpr double rounding = 1e-12;

bool is_yes_or_no(double value) {
    return value == 0 || value == 1;
}

double mean_of(std::span<const double> values) {
    // Sorted, so that the same values in another order give the same bits.
    std::vector<double> ordered(values.begin(), values.end());
    std::ranges::sort(ordered);
    return std::accumulate(ordered.begin(), ordered.end(), 0.0) /
           static_cast<double>(ordered.size());
}

struct GroupSum {
    double sum = 0;
    std::size_t count = 0;
};

/// Sum of value - mean in each group.
std::vector<GroupSum> deviations(const Sample& sample, double mean) {
    std::vector<std::pair<std::size_t, double>> rows;
    rows.reserve(sample.values.size());
    for (std::size_t at = 0; at < sample.values.size(); ++at)
        rows.emplace_back(sample.groups.empty() ? at : sample.groups[at], sample.values[at] - mean);
    std::ranges::sort(rows);
    std::vector<GroupSum> sums;
    for (std::size_t at = 0; at < rows.size(); ++at) {
        if (at == 0 || rows[at].first != rows[at - 1].first) sums.emplace_back();
        sums.back().sum += rows[at].second;
        ++sums.back().count;
    }
    return sums;
}

bool all_groups_agree(const std::vector<GroupSum>& sums) {
    return std::ranges::all_of(sums, [](const GroupSum& group) {
        return std::abs(group.sum) <= rounding * static_cast<double>(group.count);
    });
}

Interval rule_of_three(double mean, std::size_t groups, Range range, double confidence) {
    const double others = 1 - std::pow((1 - confidence) / 2, 1 / static_cast<double>(groups));
    return {.low = mean - others * (mean - range.low), .high = mean + others * (range.high - mean)};
}

double square(double x) {
    return x * x;
}

/// phi of the fourfold table with the correction of Newcombe's method 10.
double paired_correlation(const PairedCounts& counts) {
    const auto a = static_cast<double>(counts.both);
    const auto b = static_cast<double>(counts.only_first);
    const auto c = static_cast<double>(counts.only_second);
    const auto d = static_cast<double>(counts.neither);
    const double margins = (a + b) * (c + d) * (a + c) * (b + d);
    if (margins == 0) return 0;
    double covariance = a * d - b * c;
    if (covariance > 0) covariance = std::max(covariance - (a + b + c + d) / 2, 0.0);
    return covariance / std::sqrt(margins);
}

}  // namespace

std::size_t group_count(const Sample& sample) {
    if (sample.groups.empty()) return sample.values.size();
    std::vector<std::size_t> groups(sample.groups.begin(), sample.groups.end());
    std::ranges::sort(groups);
    return groups.size() - std::ranges::unique(groups).size();
}

Interval wilson(std::size_t hits, std::size_t n, double confidence) {
    PUNIE_ASSERT(n > 0 && hits <= n, "a proportion of something");
    const double z = normal_quantile((1 + confidence) / 2);
    const auto count = static_cast<double>(n);
    const double p = static_cast<double>(hits) / count;
    const double scale = 1 + z * z / count;
    const double centre = (p + z * z / (2 * count)) / scale;
    const double half = z * std::sqrt(p * (1 - p) / count + z * z / (4 * count * count)) / scale;
    return {
        .low = hits == 0 ? 0 : std::max(centre - half, 0.0),
        .high = hits == n ? 1 : std::min(centre + half, 1.0)
    };
}

Estimate clustered_mean(const Sample& sample, Range range, double confidence) {
    PUNIE_ASSERT(!sample.values.empty(), "a mean of something");
    PUNIE_ASSERT(
        sample.groups.empty() || sample.groups.size() == sample.values.size(), "a group a value"
    );
    Estimate estimate{.value = mean_of(sample.values), .method = "none"};
    const auto sums = deviations(sample, estimate.value);
    const auto groups = sums.size();
    if (groups < 2) return estimate;
    if (all_groups_agree(sums)) {
        estimate.standard_error = 0;
        estimate.interval = rule_of_three(estimate.value, groups, range, confidence);
        estimate.method = "rule_of_three";
        return estimate;
    }
    double squares = 0;
    for (const auto& group : sums) squares += square(group.sum);
    const auto g = static_cast<double>(groups);
    const double error =
        std::sqrt(g / (g - 1) * squares) / static_cast<double>(sample.values.size());
    const double half = student_quantile((1 + confidence) / 2, g - 1) * error;
    estimate.standard_error = error;
    estimate.interval = Interval{
        .low = std::max(estimate.value - half, range.low),
        .high = std::min(estimate.value + half, range.high)
    };
    estimate.method = groups == sample.values.size() ? "student_t" : "clustered_cr1";
    return estimate;
}

Estimate mean_score(const Sample& sample, double confidence) {
    const bool own_groups = group_count(sample) == sample.values.size();
    if (!own_groups || !std::ranges::all_of(sample.values, is_yes_or_no))
        return clustered_mean(sample, {}, confidence);
    const auto n = sample.values.size();
    const auto hits = static_cast<std::size_t>(std::ranges::count(sample.values, 1.0));
    const double p = static_cast<double>(hits) / static_cast<double>(n);
    return {
        .value = p,
        .standard_error = std::sqrt(p * (1 - p) / static_cast<double>(n)),
        .interval = wilson(hits, n, confidence),
        .method = "wilson"
    };
}

Estimate paired_proportions(const PairedCounts& counts, double confidence) {
    const auto total = counts.total();
    PUNIE_ASSERT(total > 0, "a difference of something");
    const auto n = static_cast<double>(total);
    const auto first_hits = counts.both + counts.only_first;
    const auto second_hits = counts.both + counts.only_second;
    const double first = static_cast<double>(first_hits) / n;
    const double second = static_cast<double>(second_hits) / n;
    const auto of_first = wilson(first_hits, total, confidence);
    const auto of_second = wilson(second_hits, total, confidence);
    const double phi = paired_correlation(counts);
    const auto distance = [phi](double one, double other) {
        return std::sqrt(std::max(square(one) - 2 * phi * one * other + square(other), 0.0));
    };
    const auto b = static_cast<double>(counts.only_first);
    const auto c = static_cast<double>(counts.only_second);
    const double difference = (c - b) / n;
    return {
        .value = difference,
        .standard_error = std::sqrt(std::max((b + c) - square(c - b) / n, 0.0)) / n,
        .interval =
            Interval{
                .low = difference - distance(second - of_second.low, of_first.high - first),
                .high = difference + distance(of_second.high - second, first - of_first.low)
            },
        .method = "newcombe_paired"
    };
}

std::optional<VarianceParts> variance_parts(std::span<const std::vector<double>> samples) {
    std::vector<double> means;
    means.reserve(samples.size());
    double squares = 0;
    double inverse_repeats = 0;
    std::size_t degrees = 0;
    for (const auto& scores : samples) {
        if (scores.empty()) continue;
        means.push_back(mean_of(scores));
        for (const double score : scores) squares += square(score - means.back());
        degrees += scores.size() - 1;
        inverse_repeats += 1 / static_cast<double>(scores.size());
    }
    if (means.size() < 2 || degrees == 0) return std::nullopt;
    const auto n = static_cast<double>(means.size());
    const double grand = mean_of(means);
    VarianceParts parts;
    for (const double mean : means) parts.of_means += square(mean - grand) / (n - 1);
    parts.within = squares / static_cast<double>(degrees);
    const double noise = parts.within * inverse_repeats / n;
    parts.between = std::max(parts.of_means - noise, 0.0);
    parts.sampling_share = parts.of_means > 0 ? std::min(noise / parts.of_means, 1.0) : 0;
    return parts;
}

}  // namespace punie::stats
