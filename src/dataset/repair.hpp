#pragma once
// The repairs that cannot make anything worse, into a new folder: bytes that are not touched by one
// stay as they are.

#include <punie/error.hpp>

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/json_row.hpp"

namespace punie::dataset {

struct RepairReport {
    struct File {
        std::string name;
        std::size_t rows_in = 0;  ///< lines
        std::size_t rows_out = 0;
    };

    std::vector<File> files;
    std::map<std::string, std::size_t> repairs;  ///< by code: how many
};

/// Copies train.jsonl, valid.jsonl and test.jsonl (or the one file) of `place` to `out`, repaired:
/// BOM, blank lines, raw control characters, several values in a line, text parts, arguments as
/// strings, invisible and control characters, carriage returns, spaces at borders, exact duplicates
/// within a file. Lines that cannot be read are copied as they are. Errors: not_found,
/// invalid_argument (`out` is `place`, or has such files), io, disk_full.
Result<RepairReport> repair_data(
    const std::filesystem::path& place, const std::filesystem::path& out, bool force = false
);

/// One row's line with its repairs; counts them. For tests and `repair_data`.
std::string repair_row(
    const RowParser& parser, const Node& row, std::map<std::string, std::size_t>& repairs
);

}  // namespace punie::dataset
