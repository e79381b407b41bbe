#pragma once
// The figures of one variant by itself.

#include <vector>

#include "compare/comparison.hpp"
#include "compare/prompt_scores.hpp"

namespace punie::compare {

VariantResult variant_result(
    const ScoreTable& table, const std::vector<PromptScores>& prompts, double alpha
);

}  // namespace punie::compare
