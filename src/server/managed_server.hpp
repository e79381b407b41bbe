#pragma once
// One supervised model server on an executor. One coroutine (`life`) writes the state; everybody
// else asks and waits.

#include <punie/server_process.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "base/async_event.hpp"
#include "base/awaitable.hpp"
#include "http/client.hpp"
#include "process/child.hpp"
#include "server/life.hpp"
#include "server/readiness.hpp"

namespace punie::server {

/// How a server is brought up; the defaults are those of the kind of backend. Tests put a fake in
/// the place of a program.
struct ManagedServerOptions {
    ServerLimits limits{};
    std::string mlx_lm{};
    std::function<void(const ServerEvent&)> on_event{};  ///< called on the executor
    std::optional<ServerCapabilities> capabilities{
    };  ///< known already: nothing is asked or looked for
    std::optional<process::Containment> containment{};
    bool check_files = true;
};

/// Made as a shared_ptr: a running life keeps it alive. Thread: its executor's, but for the
/// functions marked "any thread".
class ManagedServer : public std::enable_shared_from_this<ManagedServer> {
public:
    static std::shared_ptr<ManagedServer> make(
        asio::any_io_executor executor, ServerConfig config, ManagedServerOptions options
    );

    /// See ServerProcess::start. When the last waiter of a start is cancelled the start is stopped.
    Task<Result<void>> start();
    /// See ServerProcess::stop. Not cancellable: it always ends (grace, then SIGKILL).
    Task<Result<void>> stop(std::optional<Milliseconds> grace);
    Task<Result<void>> health_check();
    /// Until it neither runs nor will: the failure's error, or nothing after a stop. Cancellable
    /// (error cancelled).
    Task<Result<void>> wait_ended();

    ServerState state() const;                                   ///< any thread
    std::vector<ServerEvent> events() const;                     ///< any thread
    ServerConfig config() const;                                 ///< any thread
    pid_t pid() const;                                           ///< any thread
    pid_t guard_pid() const;                                     ///< any thread
    std::vector<std::string> log_tail(std::size_t lines) const;  ///< any thread

private:
    ManagedServer(
        asio::any_io_executor executor, ServerConfig config, ManagedServerOptions options
    );

    struct Shown {  // what other threads may look at, under mutex_
        ServerState state = ServerState::stopped;
        std::vector<ServerEvent> events;
        ServerConfig config;
        pid_t pid = 0;
        pid_t guard_pid = 0;
        std::shared_ptr<const process::OutputRing> output;
    };

    void apply(Event event, std::string reason, std::optional<Error> error = {});
    void show_child();
    void launch();
    Milliseconds since_start() const;

    Task<void> live();
    Task<void> live_until_end();
    Task<Result<void>> bring_up();
    Task<Result<void>> find_and_check();
    Task<Result<void>> start_once();
    Result<void> choose_port();
    Task<Result<void>> spawn();
    Task<Result<void>> become_ready();
    Task<Result<void>> probe_until_ready();
    Task<Seen> look();
    std::optional<Error> fatal_in_log(bool now);
    Task<Result<void>> watch_until_end();
    Task<std::string> end_tree(Milliseconds grace);
    Task<Result<http::Response>> ask_for_one_token(bool plain, Milliseconds limit);

    asio::any_io_executor executor_;
    ServerConfig wanted_;  ///< as asked for; what is shown has the port that was chosen
    ManagedServerOptions options_;
    const backend::Backend& backend_;
    http::Client client_;
    AsyncEvent changed_;
    AsyncEvent stop_asked_;
    std::optional<ServerCapabilities> capabilities_;
    std::shared_ptr<process::ManagedChild>
        child_;  // shared: a stop may still wait for it when the life lets it go
    std::optional<Milliseconds> stop_grace_;  ///< set once a stop was asked for
    std::optional<Error> failure_;
    Readiness readiness_;
    Milliseconds probe_limit_{10'000};
    std::string last_seen_;  ///< of the last look, for the message of a start that timed out
    SteadyTime started_{};
    SteadyTime log_looked_at_{};
    int starters_ = 0;

    mutable std::mutex mutex_;
    Shown shown_;
};

}  // namespace punie::server
