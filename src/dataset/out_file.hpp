#pragma once
// Rows into a file that appears whole or not at all, whatever its size.

#include <punie/error.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace punie::dataset {

/// Writes beside its place; `finish` syncs nothing but renames. Without it the destructor removes
/// what was written.
class OutFile {
public:
    /// Makes missing folders. Errors: io; invalid_argument when the file exists and `force` is not
    /// set.
    static Result<OutFile> open(const std::filesystem::path& file, bool force);

    OutFile(OutFile&& other) noexcept;
    OutFile& operator=(OutFile&&) = delete;
    OutFile(const OutFile&) = delete;
    OutFile& operator=(const OutFile&) = delete;
    ~OutFile();

    void line(std::string_view text);

    std::uint64_t lines() const { return lines_; }

    const std::filesystem::path& path() const { return path_; }

    /// Errors: io, disk_full.
    Result<void> finish();

private:
    explicit OutFile(std::filesystem::path path);

    std::filesystem::path path_;
    std::filesystem::path partial_;
    std::ofstream out_;
    std::uint64_t lines_ = 0;
};

}  // namespace punie::dataset
