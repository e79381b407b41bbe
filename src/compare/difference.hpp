#pragma once
// The figures of one set of paired prompts.

#include <vector>

#include "compare/comparable.hpp"
#include "compare/comparison.hpp"

namespace punie::compare {

Figure figure_from(const stats::Estimate& estimate);

/// Everything but p_adjusted, claim and words, which need the family. `pairs` is not empty.
/// Exact McNemar when every prompt has one yes/no sample on both sides and no group holds several
/// prompts; else sign-flip on prompt means, on group sums where there are groups.
Difference difference_of(const std::vector<PromptPair>& pairs, const CompareOptions& options);

}  // namespace punie::compare
