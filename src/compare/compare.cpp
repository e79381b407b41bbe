#include "compare/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "base/text.hpp"
#include "compare/comparable.hpp"
#include "compare/difference.hpp"
#include "compare/prompt_scores.hpp"
#include "compare/variant.hpp"
#include "compare/words.hpp"
#include "stats/tests.hpp"

namespace punie::compare {

namespace {

using Tables = std::vector<std::vector<PromptScores>>;

Result<void> check_tables(const std::vector<ScoreTable>& tables, const CompareOptions& options) {
    if (tables.size() < 2)
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("found {} variant, expected two or more to compare", tables.size())
        );
    if (options.baseline >= tables.size())
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("baseline {} of {} variants", options.baseline + 1, tables.size())
        );
    return {};
}

std::vector<std::pair<std::size_t, std::size_t>> planned_pairs(
    std::size_t variants, const CompareOptions& options
) {
    std::vector<std::pair<std::size_t, std::size_t>> plan;
    for (std::size_t other = 0; other < variants; ++other) {
        if (other != options.baseline) plan.emplace_back(options.baseline, other);
    }
    if (!options.all_pairs) return plan;
    for (std::size_t one = 0; one < variants; ++one) {
        for (std::size_t other = one + 1; other < variants; ++other) {
            if (one != options.baseline && other != options.baseline) plan.emplace_back(one, other);
        }
    }
    return plan;
}

const std::string& category_of(const PromptPair& pair) {
    return pair.before->category.empty() ? pair.after->category : pair.before->category;
}

std::vector<CategoryDifference> by_category(
    const std::vector<PromptPair>& pairs, const CompareOptions& options
) {
    std::map<std::string, std::vector<PromptPair>> parts;
    for (const auto& pair : pairs) parts[category_of(pair)].push_back(pair);
    std::vector<CategoryDifference> result;
    for (const auto& [category, part] : parts) {
        const bool named = options.named_categories.contains(category);
        if (category.empty() || (parts.size() < 2 && !named)) continue;
        result.push_back(
            {.category = category, .named = named, .result = difference_of(part, options)}
        );
    }
    return result;
}

std::vector<ChangedPrompt> changed_prompts(const std::vector<PromptPair>& pairs) {
    std::vector<ChangedPrompt> changed;
    for (const auto& pair : pairs) {
        if (std::abs(pair.after->mean - pair.before->mean) <= 1e-9) continue;
        changed.push_back(
            {.prompt = pair.before->prompt,
             .category = category_of(pair),
             .before = pair.before->mean,
             .after = pair.after->mean}
        );
    }
    const auto rank = [](const ChangedPrompt& prompt) {
        const double change = prompt.after - prompt.before;
        return std::tuple(change > 0, -std::llround(std::abs(change) * 1e9), prompt.prompt);
    };
    std::ranges::sort(changed, {}, rank);
    return changed;
}

Result<PairResult> compare_pair(
    std::pair<std::size_t, std::size_t> indices,
    const std::vector<ScoreTable>& tables,
    const Tables& prompts,
    const CompareOptions& options
) {
    const auto [baseline, other] = indices;
    auto notes = check_identity(tables[baseline], tables[other], options);
    if (!notes) return std::unexpected(std::move(notes).error());
    auto pairing = pair_up(
        {.name = tables[baseline].name, .prompts = prompts[baseline]},
        {.name = tables[other].name, .prompts = prompts[other]},
        options
    );
    if (!pairing) return std::unexpected(std::move(pairing).error());
    notes->insert(notes->end(), pairing->notes.begin(), pairing->notes.end());
    return PairResult{
        .baseline = baseline,
        .other = other,
        .overall = difference_of(pairing->common, options),
        .categories = by_category(pairing->common, options),
        .changed = changed_prompts(pairing->common),
        .left_out = pairing->left_out,
        .notes = *std::move(notes)
    };
}

/// The main comparisons and the categories that were named beforehand.
std::vector<Difference*> family_of(Comparison& comparison) {
    std::vector<Difference*> family;
    for (auto& pair : comparison.pairs) {
        if (pair.overall.p) family.push_back(&pair.overall);
        for (auto& category : pair.categories) {
            if (category.named && category.result.p) family.push_back(&category.result);
        }
    }
    return family;
}

void correct(Comparison& comparison) {
    const auto family = family_of(comparison);
    std::vector<double> p;
    p.reserve(family.size());
    for (const auto* member : family) p.push_back(*member->p);
    const auto adjusted = stats::holm(p);
    for (std::size_t at = 0; at < family.size(); ++at) family[at]->p_adjusted = adjusted[at];
    comparison.family = family.size();
}

void put_into_words(Comparison& comparison) {
    for (auto& pair : comparison.pairs) {
        const Naming names{
            .baseline = comparison.variants[pair.baseline].name,
            .other = comparison.variants[pair.other].name
        };
        const auto say = [&](Difference& difference) {
            difference.claim = claim_of(difference, comparison.alpha);
            difference.words = words_for(difference, names, comparison);
        };
        say(pair.overall);
        for (auto& category : pair.categories) say(category.result);
    }
}

Result<void> check_named(const Comparison& comparison, const CompareOptions& options) {
    std::vector<std::string> known;
    for (const auto& pair : comparison.pairs) {
        for (const auto& category : pair.categories) known.push_back(category.category);
    }
    for (const auto& name : options.named_categories) {
        if (std::ranges::find(known, name) != known.end()) continue;
        const auto close = nearest(name, known);
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("no prompt has category \"{}\"", name),
            close ? fmt::format("did you mean \"{}\"?", *close) : std::string()
        );
    }
    return {};
}

}  // namespace

bool Comparison::unanswered() const {
    return std::ranges::any_of(variants, [](const VariantResult& variant) {
        return variant.unanswered > 0;
    });
}

const PairResult* Comparison::against_baseline(std::size_t other) const {
    const auto found = std::ranges::find_if(pairs, [&](const PairResult& pair) {
        return pair.baseline == baseline && pair.other == other;
    });
    return found == pairs.end() ? nullptr : &*found;
}

Result<Comparison> compare_variants(
    const std::vector<ScoreTable>& tables, const CompareOptions& options
) {
    if (auto good = check_tables(tables, options); !good)
        return std::unexpected(std::move(good).error());
    Comparison comparison{
        .alpha = options.alpha, .power = options.power, .baseline = options.baseline
    };
    Tables prompts;
    prompts.reserve(tables.size());
    for (const auto& table : tables) {
        auto grouped = by_prompt(table);
        if (!grouped) return std::unexpected(std::move(grouped).error());
        prompts.push_back(*std::move(grouped));
        comparison.variants.push_back(variant_result(table, prompts.back(), options.alpha));
    }
    for (const auto& indices : planned_pairs(tables.size(), options)) {
        auto pair = compare_pair(indices, tables, prompts, options);
        if (!pair) return std::unexpected(std::move(pair).error());
        comparison.pairs.push_back(*std::move(pair));
    }
    if (auto good = check_named(comparison, options); !good)
        return std::unexpected(std::move(good).error());
    correct(comparison);
    put_into_words(comparison);
    return comparison;
}

}  // namespace punie::compare
