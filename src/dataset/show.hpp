#pragma once
// One row as a person reads it, without a tokenizer.

#include <punie/error.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace punie::dataset {

struct ShownPart {
    std::string role;  ///< "user", "prompt", "tools" ...
    std::string text;  ///< content and calls
    bool trained = false;
};

struct ShownRow {
    std::filesystem::path file;
    std::size_t line = 0;
    std::string format;
    std::vector<ShownPart> parts;
};

/// Row `number` (from 1, blank lines left out) of a file, or of train.jsonl of a folder. With
/// `mask_prompt` only the last answer is trained, as mlx_lm does it; without it, everything is.
/// Errors: not_found (no such row: says how many there are), invalid_argument (the row cannot be
/// read: why), io.
Result<ShownRow> show_row(const std::filesystem::path& place, std::size_t number, bool mask_prompt);

}  // namespace punie::dataset
