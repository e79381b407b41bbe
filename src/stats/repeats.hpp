#pragma once
// Several samples of one prompt: how often at least one, or all of k, pass, and how steady they
// are.

#include <cstddef>

namespace punie::stats {

/// Chance that at least one of k samples passes, from `passes` of `samples`, k <= samples:
/// 1 - C(n - c, k)/C(n, k), unbiased. Chen et al., "Evaluating Large Language Models Trained on
/// Code", arXiv:2107.03374 (2021), section 2.1.
double pass_at_k(std::size_t samples, std::size_t passes, std::size_t k);

/// Chance that all of k samples pass: C(c, k)/C(n, k), unbiased. Yao et al., "tau-bench",
/// arXiv:2406.12045 (2024), section 4 (pass^k).
double pass_all_k(std::size_t samples, std::size_t passes, std::size_t k);

/// Chance that two samples of the prompt have the same verdict, from samples >= 2:
/// (c(c-1) + (n-c)(n-c-1)) / (n(n-1)); Fleiss, "Measuring nominal scale agreement among many
/// raters", Psychological Bulletin 76 (1971), P_i.
double agreement(std::size_t samples, std::size_t passes);

}  // namespace punie::stats
