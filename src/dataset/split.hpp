#pragma once
// One set of rows into train, valid and test, so that nothing of one is in another.

#include <punie/error.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace punie::dataset {

struct SplitOptions {
    double valid = 0.1;
    double test = 0.1;  ///< the rest trains
    std::uint64_t seed = 0;
    std::string group_by{};  ///< rows of one value of this field stay together ("id", "meta.user")
    bool near = true;        ///< rows that are nearly the same stay together
    bool shuffle =
        true;  ///< rows in an order that the seed decides: mlx_lm's batches are neighbours
    bool force = false;  ///< overwrite
};

struct SplitResult {
    std::size_t rows = 0;
    std::size_t groups = 0;  ///< of rows that had to stay together, single rows too
    std::size_t largest_group = 0;
    std::size_t train = 0;
    std::size_t valid = 0;
    std::size_t test = 0;
};

/// Reads one .jsonl file, or all of train.jsonl, valid.jsonl and test.jsonl of a folder, and writes
/// the three files into `out`. Rows of one conversation (but for case, space and punctuation), of
/// one prompt and near-duplicates (as validate finds them, among the first 131,072 rows) go into
/// one file. The same rows and options give the same files, whatever the order of the rows when
/// shuffled. Errors: not_found, invalid_argument (fractions; files that exist; a row that cannot be
/// read: names its line; rows without the field), io, disk_full.
Result<SplitResult> split_data(
    const std::filesystem::path& in, const std::filesystem::path& out, const SplitOptions& options
);

}  // namespace punie::dataset
