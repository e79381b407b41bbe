#pragma once
// Is B better than A, how sure is that, and could this suite have shown it? Pure: score tables in,
// figures and words out.

#include <punie/error.hpp>

#include <vector>

#include "base/json.hpp"
#include "compare/comparison.hpp"
#include "compare/score_table.hpp"

namespace punie::compare {

/// Errors: invalid_argument (fewer than two tables, a table without scores, a prompt in different
/// groups, an unknown named category); state (not comparable: names what differs, on which side,
/// and what to do).
Result<Comparison> compare_variants(
    const std::vector<ScoreTable>& tables, const CompareOptions& options = {}
);

/// The whole struct; every figure with its method.
json::object to_json(const Comparison& comparison);

}  // namespace punie::compare
