#pragma once
// Where the control socket is, by default: the gateway listens there, the commands ask there.

#include <punie/error.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace punie::gateway {

/// $PUNIE_CONTROL_SOCKET; else $XDG_RUNTIME_DIR/punie/control.sock; else control.sock in the cache
/// folder (~/.cache/punie). Pure but for what `variable` reads.
std::filesystem::path control_place(
    const std::function<std::optional<std::string>(const char*)>& variable
);
/// By this process's environment.
std::filesystem::path control_place();

/// Makes the socket's folder, 0700, if it is missing. A folder that is there keeps its mode, but
/// must be ours and not open for others to write. Errors: io, invalid_argument (also: a path too
/// long for a Unix socket).
Result<void> prepare_control_folder(const std::filesystem::path& socket);

}  // namespace punie::gateway
