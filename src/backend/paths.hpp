#pragma once
#include <punie/error.hpp>

#include <string>
#include <string_view>

namespace punie::backend {

/// Whether a file or folder is there. Errors: not_found, naming `field`, the path and similar names
/// beside it.
Result<void> require_path(std::string_view field, const std::string& path);

}  // namespace punie::backend
