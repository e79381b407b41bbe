#pragma once
// Limits that a CI run sets, judged on a comparison.

#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "compare/comparison.hpp"

namespace punie::compare {

struct GateOptions {
    std::optional<double> threshold{};  ///< of the last variant's mean, 0 to 1
    std::optional<double> min_gain{};   ///< of the last variant over the baseline, -1 to 1
    bool at_lower = false;  ///< the interval's lower bound must reach it, not the value itself
    /// Categories that no variant may have lost in against the baseline. Name them in
    /// CompareOptions::named_categories too.
    std::vector<std::string> no_regression{};

    bool any() const { return threshold || min_gain || !no_regression.empty(); }
};

enum class GateState {
    passed,
    failed,
    undecided,  ///< a loss was seen, in too few prompts to call it one
};
std::string_view name_of(GateState state);

struct GateResult {
    std::string name;  ///< "threshold", "min_gain", "no_regression single-call (tuned)"
    GateState state = GateState::passed;
    std::string message;   ///< what was found and what was required
    std::string category;  ///< of no_regression
};

/// In the order threshold, min_gain, no_regression. A bound that cannot be told (one group) misses
/// its gate.
std::vector<GateResult> judge_gates(const Comparison& comparison, const GateOptions& options);

bool any_failed(const std::vector<GateResult>& gates);

json::array to_json(const std::vector<GateResult>& gates);

}  // namespace punie::compare
