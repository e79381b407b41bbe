#pragma once
// The usual causes of a failed start, recognised by what the servers print.

#include <punie/error.hpp>
#include <punie/server_config.hpp>

#include <optional>
#include <span>
#include <string>

namespace punie::backend {

/// The cause that the lines tell (oldest first), as an error without log and status; nothing for
/// unknown texts. Pure but for the look at who holds the port.
std::optional<Error> known_cause(const ServerConfig& config, std::span<const std::string> lines);

}  // namespace punie::backend
