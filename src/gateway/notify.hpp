#pragma once
// What a service manager is told (sd_notify(3)), without its library: a line to $NOTIFY_SOCKET.

#include <chrono>
#include <optional>
#include <string_view>

namespace punie::gateway {

/// "READY=1", "STATUS=...", "STOPPING=1", "RELOADING=1", "WATCHDOG=1"; several by line ends.
/// Whether somebody was told: false where no service manager wants to know.
bool notify_service(std::string_view state);

/// How often "WATCHDOG=1" is wanted: half of $WATCHDOG_USEC; nothing if it is not.
std::optional<std::chrono::milliseconds> watchdog_interval();

}  // namespace punie::gateway
