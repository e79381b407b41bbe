#pragma once
// The models that are served and the requests that wait for them. One thread, one writer.

#include <punie/error.hpp>
#include <punie/server_command.hpp>
#include <punie/server_process.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/awaitable.hpp"
#include "fleet/ask.hpp"
#include "fleet/gateway_config.hpp"

namespace punie::fleet {

/// The right to send one request on to a ready server. Dropping it ends the request.
class Lease {
public:
    Lease(Lease&&) noexcept;
    Lease& operator=(Lease&&) noexcept;
    ~Lease();

    const ModelSpec& model() const;
    // Texts are valid as long as the lease.
    const std::string& served_name() const;        ///< "base:adapter" or the model's name
    const std::string& base_url() const;           ///< "http://127.0.0.1:41234/v1"
    const std::string& request_model() const;      ///< what the body's "model" must become
    const std::filesystem::path& adapter() const;  ///< for the body's "adapters" (mlx); "" none
    /// Members of a body that this server would take for files or models to load: no client's.
    std::span<const std::string_view> file_members() const;
    /// Whether a client may ask this route of the server: `path` without escapes and query.
    bool may_ask(std::string_view path) const;
    const std::string& api_key() const;  ///< of an upstream that is not ours; "" none
    /// JSON texts of sampling fields.
    const std::vector<std::pair<std::string, std::string>>& defaults() const;
    std::uint64_t generation() const;  ///< differs between two starts of a server

    /// The server's process ended or refused: the next `admit` waits for a fresh one, or until this
    /// one has shown that it answers. True if it may be asked again with this request (fewer than
    /// two servers died of it); put `deaths()` into the next Ask then.
    bool broke(const Error& error);
    int deaths() const;  ///< servers that died of this request so far

private:
    friend class Fleet;
    struct Impl;
    explicit Lease(std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> impl_;
};

/// One model as `punie ps` shows it.
struct ModelStatus {
    std::string name;
    std::vector<std::string> aliases;
    std::vector<std::string> adapters;  ///< "base:adapter" names
    std::string adapter_loaded;         ///< the one its server holds now
    BackendKind backend = BackendKind::mlx;
    std::string path;  ///< of the model, or the upstream's URL
    ServerState state = ServerState::stopped;
    std::string reason;          ///< of the state: "unloaded after 600 s without a request"
    std::optional<Error> error;  ///< of `failed`
    std::chrono::system_clock::time_point since;
    std::optional<std::chrono::system_clock::time_point> unloads_at;
    std::optional<std::chrono::system_clock::time_point> retries_at;
    pid_t pid = 0;
    std::string url;
    std::uint64_t memory = 0;                    ///< bytes of its process tree now
    std::optional<std::uint64_t> memory_needed;  ///< as configured, else as measured
    std::size_t running = 0;                     ///< requests
    std::size_t waiting = 0;
    std::uint64_t served = 0;
    std::uint64_t loads = 0;
    std::uint64_t crashes = 0;
    std::optional<double> load_seconds;  ///< of the last load
    bool pinned = false;
};

/// One thing that happened.
struct FleetEvent {
    std::uint64_t number = 0;  ///< counts from 1
    std::chrono::system_clock::time_point time;
    std::string model;  ///< "" for the fleet itself
    std::string what;   ///< "state", "evicted", "reloaded", "refused", "queue", "memory"
    std::string text;   ///< for a person
    std::optional<ServerState> state;
};

struct FleetOptions {
    std::function<void(const FleetEvent&)> on_event{};
    /// Tests put fakes in the place of programs: the server that stands for a model.
    std::function<Result<ServerConfig>(const ModelSpec&)> server_for{};
    std::optional<ServerCapabilities> capabilities{};  ///< of that program; nothing is looked for
    bool check_files = true;
};

/// Thread: its executor's.
class Fleet {
public:
    Fleet(const asio::any_io_executor& executor, GatewayConfig config, FleetOptions options = {});
    ~Fleet();
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    /// Waits until the model can be asked. Cancellable: a request whose client left is dropped
    /// unrun.
    Task<std::expected<Lease, Refusal>> admit(Ask ask);

    /// What a name is served as: "base:adapter" or the model's name. Nothing: there is none.
    std::optional<std::string> name_of(std::string_view asked) const;

    std::vector<ModelStatus> status() const;
    std::optional<ModelStatus> status(std::string_view name) const;
    const GatewayConfig& config() const;
    std::uint64_t memory_budget() const;  ///< bytes
    std::uint64_t memory_used() const;

    /// Loads now, also out of a back-off. Errors: as of a start; not_found; out_of_memory with the
    /// numbers.
    Task<Result<void>> load(std::string name);
    /// Drains, then stops; `force` does not wait for answers. Errors: not_found.
    Task<Result<void>> unload(std::string name, bool force);

    /// Another configuration: only what changed is restarted; running streams live. Says what it
    /// did. Errors: invalid_argument.
    Result<std::vector<std::string>> apply(GatewayConfig config);

    /// Last lines of a model's server; `lines` at most. Errors: not_found.
    Result<std::vector<std::string>> log(std::string_view name, std::size_t lines) const;

    /// Events since `number` (bounded ring, oldest first).
    std::vector<FleetEvent> events_since(std::uint64_t number) const;
    /// Waits for an event after `number`. Cancellable.
    Task<void> wait_event(std::uint64_t number);

    /// Preloads, time to live, memory watch; runs until `close`.
    Task<void> run();
    /// No admission any more, answers may go on for `drain`, then everything is stopped.
    Task<void> close(Milliseconds drain);

private:
    friend class Lease;
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace punie::fleet
