#pragma once
// Why a write to a file failed, where SQLite says only that it did.

#include <filesystem>

namespace punie::journal {

/// ENOSPC or EDQUOT when a few pages beside `file` cannot be written, EFBIG when `file` or its
/// write-ahead log has reached the process's limit of file sizes, else 0.
int space_trouble(const std::filesystem::path& file);

}  // namespace punie::journal
