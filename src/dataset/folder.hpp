#pragma once
// Which files of a folder mlx_lm reads, and which look as if they should have been read.

#include <punie/error.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace punie::dataset {

struct DataFile {
    std::string split;  ///< "train", "valid", "test"; a single file's stem
    std::string name;   ///< "train.jsonl"
    std::filesystem::path path;
    std::uint64_t bytes = 0;
};

struct Misnamed {
    std::string name;
    std::string meant;  ///< "valid.jsonl"
};

struct DataFolder {
    bool single = false;          ///< one file was named, not a folder
    std::vector<DataFile> files;  ///< train, valid, test, those that exist
    std::vector<Misnamed> misnamed;
    std::vector<std::string> others{};  ///< further .jsonl files, that nobody reads

    const DataFile* find(std::string_view split) const;
    std::vector<std::string> names() const;
};

/// Errors: not_found, io.
Result<DataFolder> look_at_folder(const std::filesystem::path& place);

}  // namespace punie::dataset
