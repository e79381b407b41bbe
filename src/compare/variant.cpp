#include "compare/variant.hpp"

#include <algorithm>

#include "compare/difference.hpp"
#include "stats/repeats.hpp"

namespace punie::compare {

namespace {

std::vector<PassAt> pass_curve(const std::vector<PromptScores>& prompts, std::size_t fewest) {
    std::vector<std::size_t> ks;
    for (std::size_t k = 1; k < fewest; k *= 2) ks.push_back(k);
    ks.push_back(fewest);
    std::vector<PassAt> curve;
    curve.reserve(ks.size());
    const auto n = static_cast<double>(prompts.size());
    for (const auto k : ks) {
        PassAt at{.k = k};
        for (const auto& prompt : prompts) {
            at.at_least_one += stats::pass_at_k(prompt.samples.size(), prompt.passes, k) / n;
            at.all += stats::pass_all_k(prompt.samples.size(), prompt.passes, k) / n;
        }
        curve.push_back(at);
    }
    return curve;
}

void add_consistency(Repeats& repeats, const std::vector<PromptScores>& prompts) {
    double sum = 0;
    std::size_t asked_again = 0;
    for (const auto& prompt : prompts) {
        if (prompt.samples.size() < 2) continue;
        ++asked_again;
        sum += stats::agreement(prompt.samples.size(), prompt.passes);
        if (prompt.passes > 0 && prompt.passes < prompt.samples.size())
            repeats.flickering.push_back(prompt.prompt);
    }
    if (asked_again > 0) repeats.agreement = sum / static_cast<double>(asked_again);
}

std::optional<Repeats> repeats_of(const std::vector<PromptScores>& prompts) {
    const auto [fewest, most] = std::ranges::minmax(prompts, {}, [](const PromptScores& prompt) {
        return prompt.samples.size();
    });
    if (most.samples.size() < 2) return std::nullopt;
    Repeats repeats{.fewest = fewest.samples.size(), .most = most.samples.size()};
    std::vector<std::vector<double>> samples;
    samples.reserve(prompts.size());
    for (const auto& prompt : prompts) samples.push_back(prompt.samples);
    repeats.variance = stats::variance_parts(samples);
    repeats.pass_at = pass_curve(prompts, repeats.fewest);
    add_consistency(repeats, prompts);
    return repeats;
}

}  // namespace

VariantResult variant_result(
    const ScoreTable& table, const std::vector<PromptScores>& prompts, double alpha
) {
    std::vector<double> means;
    std::vector<const PromptScores*> pointers;
    means.reserve(prompts.size());
    pointers.reserve(prompts.size());
    for (const auto& prompt : prompts) {
        means.push_back(prompt.mean);
        pointers.push_back(&prompt);
    }
    const GroupNumbers groups(pointers);
    const stats::Sample sample{.values = means, .groups = groups.numbers()};
    const bool yes_or_no = std::ranges::all_of(prompts, &PromptScores::yes_or_no);
    return {
        .name = table.name,
        .source = table.source,
        .format = table.format,
        .prompts = prompts.size(),
        .samples = table.scores.size(),
        .groups = groups.count(),
        .grouped = groups.grouped(),
        .mean = figure_from(
            yes_or_no ? stats::mean_score(sample, 1 - alpha)
                      : stats::clustered_mean(sample, {}, 1 - alpha)
        ),
        .repeats = repeats_of(prompts),
        .unanswered = table.unanswered,
        .cut = table.cut,
        .unparsed = table.unparsed,
        .notes = table.notes
    };
}

}  // namespace punie::compare
