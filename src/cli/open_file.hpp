#pragma once
// A file shown in whatever the desktop opens it with.

#include <punie/error.hpp>

#include <filesystem>

namespace punie::cli {

/// xdg-open or open, detached. Errors: unsupported (no such program: open it by hand).
Result<void> open_file(const std::filesystem::path& file);

}  // namespace punie::cli
