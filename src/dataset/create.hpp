#pragma once
// Sets to begin with. (Chat rows of a wished length: create_dummy_dataset in <punie/dataset.hpp>.)

#include <punie/error.hpp>

#include <filesystem>

namespace punie::dataset {

/// `train` rows of three tools (get_weather, get_time, add) and of questions that need none, a
/// tenth as many for validation and test, at least 4. Deterministic; no row is in two files.
/// Errors: invalid_argument (too few or too many rows; a file exists and `force` is not set), io,
/// disk_full.
Result<void> create_tool_dataset(
    const std::filesystem::path& dir, std::size_t train, bool force = false
);

}  // namespace punie::dataset
