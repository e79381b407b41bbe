#pragma once
// What is in a set of rows: figures for a person who wants to know their data.

#include <punie/error.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "dataset/renderer.hpp"

namespace punie::dataset {

/// Of one quantity over rows.
struct Distribution {
    std::size_t count = 0;
    double mean = 0;
    std::uint64_t least = 0;
    std::uint64_t median = 0;
    std::uint64_t p90 = 0;
    std::uint64_t p99 = 0;
    std::uint64_t most = 0;

    struct Bin {
        std::uint64_t from = 0;  ///< inclusive
        std::uint64_t to = 0;    ///< exclusive
        std::size_t rows = 0;
    };

    std::vector<Bin> histogram{};  ///< at most 12 bins, by powers of two
};

/// Sorts `values`. Quantiles are those of order statistics (the smallest value that q of all do not
/// exceed).
Distribution distribution_of(std::vector<std::uint32_t> values);

struct FileStats {
    std::string file;
    std::uint64_t bytes = 0;
    std::size_t rows = 0;
    std::size_t bad_rows = 0;
    std::map<std::string, std::size_t> formats;  ///< rows
    std::map<std::string, std::size_t> roles;    ///< messages
    std::size_t with_system = 0;                 ///< rows
    std::size_t with_tools = 0;                  ///< rows that declare tools
    std::size_t calling = 0;                     ///< rows that call one
    std::map<std::string, std::size_t> calls;    ///< by tool
    bool exact_tokens = false;
    Distribution tokens;             ///< of rows; estimated without a renderer
    Distribution trained_tokens;     ///< exact only
    Distribution turns;              ///< messages of a row
    Distribution answer_characters;  ///< bytes of the last answer
};

/// Reads the files of a folder, or one file. Lines that cannot be read are counted, no more. With
/// `renderer` (may be null) tokens are exact. Errors: not_found, io, those of the renderer.
Result<std::vector<FileStats>> data_stats(
    const std::filesystem::path& place,
    RowRenderer* renderer,
    bool mask_prompt,
    std::size_t max_seq_length
);

}  // namespace punie::dataset
