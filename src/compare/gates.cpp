#include "compare/gates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "compare/words.hpp"

namespace punie::compare {

namespace {

/// A mean that equals its threshold but for rounding reaches it.
constexpr double rounding = 1e-12;

std::size_t last_variant(const Comparison& comparison) {
    const auto last = comparison.variants.size() - 1;
    return last == comparison.baseline && last > 0 ? last - 1 : last;
}

struct Required {
    std::string_view gate;
    std::string what;
    double least;
    bool at_lower;
    std::string (*text)(double);
};

GateResult judge(const Required& required, const Figure& figure) {
    GateResult result{.name = std::string(required.gate)};
    if (required.at_lower && !figure.interval) {
        result.state = GateState::failed;
        result.message =
            fmt::format("{}: no lower bound can be told: {}", required.what, figure.reason);
        return result;
    }
    const double found = required.at_lower ? figure.interval->low : figure.value;
    result.state = found + rounding >= required.least ? GateState::passed : GateState::failed;
    result.message = fmt::format(
        "{}: {} {}, required: {}",
        required.what,
        required.at_lower ? "lower bound" : "found",
        required.text(found),
        required.text(required.least)
    );
    return result;
}

GateResult judge_category(
    const Comparison& comparison, const PairResult& pair, const CategoryDifference& category
) {
    const auto& result = category.result;
    GateState state = GateState::passed;
    if (result.claim == Claim::worse) state = GateState::failed;
    if (result.claim == Claim::too_few && result.difference.value < 0) state = GateState::undecided;
    return {
        .name = fmt::format(
            "no_regression {} ({})", category.category, comparison.variants[pair.other].name
        ),
        .state = state,
        .message = result.words,
        .category = category.category
    };
}

}  // namespace

std::string_view name_of(GateState state) {
    switch (state) {
        case GateState::passed:
            return "passed";
        case GateState::failed:
            return "failed";
        case GateState::undecided:
            break;
    }
    return "undecided";
}

std::vector<GateResult> judge_gates(const Comparison& comparison, const GateOptions& options) {
    std::vector<GateResult> gates;
    const auto last = last_variant(comparison);
    const auto& variant = comparison.variants[last];
    if (options.threshold)
        gates.push_back(judge(
            {.gate = "threshold",
             .what = fmt::format("mean of {}", variant.name),
             .least = *options.threshold,
             .at_lower = options.at_lower,
             .text = percent},
            variant.mean
        ));
    const auto* pair = comparison.against_baseline(last);
    if (options.min_gain && pair != nullptr)
        gates.push_back(judge(
            {.gate = "min_gain",
             .what = fmt::format(
                 "gain of {} over {}", variant.name, comparison.variants[comparison.baseline].name
             ),
             .least = *options.min_gain,
             .at_lower = options.at_lower,
             .text = points},
            pair->overall.difference
        ));
    for (const auto& name : options.no_regression) {
        for (const auto& other : comparison.pairs) {
            if (other.baseline != comparison.baseline) continue;
            const auto found =
                std::ranges::find(other.categories, name, &CategoryDifference::category);
            if (found != other.categories.end())
                gates.push_back(judge_category(comparison, other, *found));
        }
    }
    return gates;
}

bool any_failed(const std::vector<GateResult>& gates) {
    return std::ranges::any_of(gates, [](const GateResult& gate) {
        return gate.state == GateState::failed;
    });
}

json::array to_json(const std::vector<GateResult>& gates) {
    json::array array;
    array.reserve(gates.size());
    for (const auto& gate : gates)
        array.push_back(
            {{"name", gate.name}, {"state", name_of(gate.state)}, {"message", gate.message}}
        );
    return array;
}

}  // namespace punie::compare
