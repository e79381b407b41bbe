#pragma once
// Values of punie.yaml that are more than text: sizes, times, ${NAME}. Pure.

#include <punie/error.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/awaitable.hpp"
#include "base/faults.hpp"

namespace punie::fleet {

/// "8 GB" (1e9 bytes each), "512MiB" (2^20 each), "1.5 GB", "640 B". Errors: invalid_argument (what
/// is allowed).
Result<std::uint64_t> parse_size(std::string_view text);

/// "10m", "30s", "500 ms", "1h30m", "2d". Errors: invalid_argument.
Result<Milliseconds> parse_time(std::string_view text);

/// "10m", "1h 30m", "500ms": as parse_time reads it.
std::string time_text(Milliseconds time);

/// Every ${NAME} of the values below `node` becomes the environment's; $$ is one $. A value without
/// quotes is typed again afterwards. Faults: names that are not set.
void put_in_environment(
    tree::Node& node, const std::map<std::string, std::string>& environment, tree::Faults& faults
);

}  // namespace punie::fleet
