#pragma once
// A managed model server, for programs without an event loop of their own.
//
//   stopped -> starting -> loading -> ready -> draining -> stopped, or failed with a reason
//
//   auto config = punie::make_server_config({.model_path = "models/tiny", .port = 0});
//   punie::ServerProcess server(*config);
//   if (auto started = server.start(); !started) { std::cerr << started.error().describe(); return
//   1; }
//   ... server.config().base_url() ...
//   server.stop();                      // or let it go out of scope: the whole tree is killed
//
// Nothing that it starts outlives the calling process, however that ends (docs/orphans.md).

#include <punie/error.hpp>
#include <punie/server_config.hpp>

#include <sys/types.h>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace punie {

enum class ServerState { stopped, starting, loading, ready, draining, failed };
std::string_view name_of(ServerState state);

/// One transition of a server's life.
struct ServerEvent {
    ServerState state = ServerState::stopped;
    std::chrono::system_clock::time_point time;
    std::chrono::duration<double> elapsed{0};  ///< since the start was asked for
    std::string reason;                        ///< in words; of `failed` the error's message
    std::optional<Error> error;                ///< of `failed`
};

struct ServerLimits {
    std::chrono::milliseconds start{600'000};     ///< from start to ready, in all
    std::chrono::milliseconds stop_grace{5'000};  ///< from SIGTERM to SIGKILL
    std::chrono::milliseconds health{10'000};     ///< one health check
};

struct ServerProcessOptions {
    ServerLimits limits{};
    std::string mlx_lm{
    };  ///< where mlx_lm is (a venv, its bin folder or its python); "" looks as `punie doctor` says
    std::function<void(const ServerEvent&)> on_event{
    };  ///< called in the supervising thread, in order; must not block
};

/// Thread-safe. Every call is idempotent. The destructor kills what runs and waits for its end.
class ServerProcess {
public:
    explicit ServerProcess(ServerConfig config, ServerProcessOptions options = {});
    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;
    ~ServerProcess();

    /// Starts and waits until a one-token completion came back from the process that we started. A
    /// second call while starting waits for the same start; when ready it returns at once. Errors:
    /// program_missing, not_found, model_invalid, adapter_mismatch, unsupported, port_in_use (names
    /// the holder), foreign_server, exited (with the last log lines), out_of_memory, disk_full,
    /// timeout, cancelled (by `stop` or the token; everything is stopped again).
    Result<void> start(std::stop_token stop = {});

    /// SIGTERM, grace, SIGKILL of the tree; returns when nothing of it runs. Works in every state.
    Result<void> stop(std::optional<std::chrono::milliseconds> grace = {});

    /// A one-token completion with a deadline. Errors: state (not running), timeout, http_status
    /// ...
    Result<void> health_check();

    /// Whether the child process runs (in whatever state).
    bool is_running() const;

    ServerState state() const;

    /// All transitions so far, oldest first.
    std::vector<ServerEvent> events() const;

    /// The configuration; once starting, with the port that is used.
    ServerConfig config() const;

    /// Pid of the server program; 0 when it does not run.
    pid_t pid() const;

    /// The last lines that the server printed.
    std::vector<std::string> log_tail(std::size_t lines = 20) const;

    /// Waits until the server ended by itself or was stopped; the error of a failure. Returns at
    /// once if not running.
    Result<void> wait(std::stop_token stop = {});

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace punie
