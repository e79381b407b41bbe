#pragma once
// The gateway in the background: started apart from the terminal, known by its control socket.

#include <punie/error.hpp>

#include <sys/types.h>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace punie::cli {

struct BackgroundOptions {
    std::vector<std::string> arguments;  ///< of `punie`: {"serve", "/home/me/punie.yaml"}
    std::filesystem::path socket;        ///< where it will answer
    std::filesystem::path log;           ///< its output is appended, mode 0600
    std::chrono::milliseconds limit{60'000};
};

struct Background {
    pid_t pid = 0;
    std::string dashboard;  ///< with its key; "" if the log does not say
};

/// Starts it in a session of its own and waits until it answers at the socket. Errors: state (one
/// answers there already: its pid), exited (with the last lines of its log), timeout, cancelled (it
/// is stopped again), io.
Result<Background> start_background(const BackgroundOptions& options, const std::stop_token& stop);

/// Beside the socket: {"pid", "arguments", "log", "started"} of the last `punie up`.
std::filesystem::path record_of(const std::filesystem::path& socket);

/// Waits until the process is gone; false if it still lives then.
bool wait_gone(pid_t pid, std::chrono::milliseconds limit, const std::stop_token& stop);

}  // namespace punie::cli
