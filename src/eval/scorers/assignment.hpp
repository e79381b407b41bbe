#pragma once
// Which expected call is which call of the answer.

#include <cstddef>
#include <vector>

namespace punie::eval::scorers {

inline constexpr std::size_t unassigned = static_cast<std::size_t>(-1);

/// worth[i][j]: how well row i fits column j, from 0. All rows have the same length.
using Worth = std::vector<std::vector<double>>;

/// For each row its column, or `unassigned`, so that the sum is greatest; pairs worth 0 are none.
/// The Hungarian method as in Jonker, Volgenant, "A shortest augmenting path algorithm ...",
/// Computing 38 (1987): O(rows^2 columns).
std::vector<std::size_t> best_assignment(const Worth& worth);

/// The same with rows and columns in their order (no two pairs cross).
std::vector<std::size_t> best_alignment(const Worth& worth);

}  // namespace punie::eval::scorers
