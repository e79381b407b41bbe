#include "compare/difference.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "stats/power.hpp"
#include "stats/tests.hpp"

namespace punie::compare {

namespace {

/// Differences of means this small are rounding.
constexpr double rounding = 1e-9;

stats::PairedCounts counts_of(const std::vector<PromptPair>& pairs) {
    stats::PairedCounts counts;
    for (const auto& [before, after] : pairs) {
        const bool first = before->mean == 1;
        const bool second = after->mean == 1;
        auto& cell = first ? (second ? counts.both : counts.only_first)
                           : (second ? counts.only_second : counts.neither);
        ++cell;
    }
    return counts;
}

void take_power(Difference& result, const stats::Power& power) {
    result.detectable = power.detectable;
    result.prompts_needed = power.needed;
    result.power_method = power.method;
}

void judge_yes_or_no(
    Difference& result, const std::vector<PromptPair>& pairs, const CompareOptions& options
) {
    const auto counts = counts_of(pairs);
    result.difference = figure_from(stats::paired_proportions(counts, 1 - options.alpha));
    result.p = stats::mcnemar_exact(counts.only_second, counts.only_first);
    result.p_method = "mcnemar_exact";
    take_power(
        result, stats::mcnemar_power(counts, {.alpha = options.alpha, .power = options.power})
    );
}

void judge_scores(Difference& result, const stats::Sample& sample, const CompareOptions& options) {
    const auto estimate = stats::clustered_mean(sample, {.low = -1, .high = 1}, 1 - options.alpha);
    result.difference = figure_from(estimate);
    result.p_method = "none";
    if (result.groups >= 2) {
        const auto flipped = stats::sign_flip(stats::group_sums(sample));
        result.p = flipped.p;
        result.p_method = result.grouped ? "sign_flip_groups" : "sign_flip_prompts";
        result.p_computed = flipped.computed;
    }
    take_power(
        result,
        stats::paired_power(
            estimate,
            result.prompts,
            result.groups,
            {.alpha = options.alpha, .power = options.power}
        )
    );
}

}  // namespace

Figure figure_from(const stats::Estimate& estimate) {
    return {
        .value = estimate.value,
        .interval = estimate.interval,
        .standard_error = estimate.standard_error,
        .method = std::string(estimate.method),
        .reason =
            estimate.interval ? "" : "one group (or one prompt) tells nothing about the others"
    };
}

Difference difference_of(const std::vector<PromptPair>& pairs, const CompareOptions& options) {
    PUNIE_ASSERT(!pairs.empty(), "a difference over prompts");
    Difference result;
    std::vector<double> values;
    std::vector<const PromptScores*> grouping;
    values.reserve(pairs.size());
    grouping.reserve(pairs.size());
    for (const auto& [before, after] : pairs) {
        const double change = after->mean - before->mean;
        values.push_back(change);
        grouping.push_back(before->group.empty() ? after : before);
        ++(change > rounding ? result.won : change < -rounding ? result.lost : result.same);
        result.baseline_mean += before->mean / static_cast<double>(pairs.size());
        result.other_mean += after->mean / static_cast<double>(pairs.size());
    }
    const GroupNumbers groups(grouping);
    result.prompts = pairs.size();
    result.groups = groups.count();
    result.grouped = groups.grouped();
    const bool yes_or_no = std::ranges::all_of(pairs, [](const PromptPair& pair) {
        return pair.before->yes_or_no() && pair.after->yes_or_no();
    });
    if (yes_or_no && !result.grouped)
        judge_yes_or_no(result, pairs, options);
    else
        judge_scores(result, {.values = values, .groups = groups.numbers()}, options);
    return result;
}

}  // namespace punie::compare
