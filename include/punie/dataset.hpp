#pragma once
// Training data.

#include <punie/error.hpp>

#include <filesystem>

namespace punie {

/// Writes `train.jsonl` (num_examples rows), `valid.jsonl` and `test.jsonl` (a tenth each, at least
/// 4) of chat rows into `dir`, which is made if missing. Deterministic; rows are about `words`
/// words long (0: short questions and answers). Existing files are refused unless they were made by
/// this function. Errors: invalid_argument (num_examples below 1), io, disk_full.
Result<void> create_dummy_dataset(
    const std::filesystem::path& dir, int num_examples, int words = 0
);

}  // namespace punie
