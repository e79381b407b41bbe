#pragma once
// A first look at a .jsonl file, without a tokenizer.

#include <punie/error.hpp>

#include <cstddef>
#include <filesystem>

namespace punie {

struct RowFile {
    std::size_t rows = 0;           ///< lines that are not blank
    std::size_t longest_bytes = 0;  ///< of one line
};

/// Counts the rows of `file` in one pass (any size; one buffer in memory).
/// Errors: not_found, io (names the file).
Result<RowFile> look_at_rows(const std::filesystem::path& file);

}  // namespace punie
