#pragma once
// Where the guard program is.

#include <punie/error.hpp>

#include <filesystem>

namespace punie::process {

/// $PUNIE_GUARD; else beside the running executable; ../libexec/punie/ of it; where it was
/// installed; where it was built. Errors: io, naming every place.
Result<std::filesystem::path> find_guard();

}  // namespace punie::process
