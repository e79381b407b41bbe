#pragma once
// The shell's state: what performs the scheduler's actions and wakes who waits for them.

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <unordered_map>

#include "base/async_event.hpp"
#include "fleet/catalog.hpp"
#include "fleet/fleet.hpp"
#include "fleet/remembered.hpp"
#include "fleet/scheduler.hpp"
#include "server/managed_server.hpp"

namespace punie::fleet {

/// What leases of one server share.
struct Served {
    std::shared_ptr<const ModelSpec> spec;
    std::string base_url;
    std::string request_model;  ///< "": as it was asked for
    std::string request_model_with_adapter;
    std::span<const std::string_view> file_members{};
    std::span<const std::string_view> closed_routes{};
    std::string api_key;
    std::vector<std::pair<std::string, std::string>> defaults;
    std::uint64_t generation = 0;
};

struct Lease::Impl {
    std::weak_ptr<Fleet::Impl> fleet;
    AskId id = 0;
    std::shared_ptr<const Served> served;
    std::string name;
    std::filesystem::path adapter;
    int deaths = 0;

    Impl() = default;
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl();
};

/// Someone whose ask or load is in the scheduler's hands.
struct Pending {
    std::optional<std::expected<std::uint64_t, Refusal>> outcome{};  ///< the server's generation
    asio::steady_timer* timer = nullptr;  ///< while it waits: cancelled when there is an outcome
};

struct Fleet::Impl : std::enable_shared_from_this<Fleet::Impl> {
    Impl(asio::any_io_executor on, GatewayConfig configuration, FleetOptions with);

    // fleet.cpp: asks
    Task<std::expected<Lease, Refusal>> admit(Ask ask);
    class Asking;
    const Named* next_fallback(const ModelSpec& model, std::size_t& next, const Ask& ask) const;
    /// Waits for the outcome of an event already given to the scheduler. False: cancelled.
    Task<bool> wait_outcome(AskId id, Pending* who, const Ask* ask);
    std::optional<Waiting> news_of(AskId id, SteadyTime now) const;
    Lease lease(AskId id, const Named& named, int deaths);
    void finish(AskId id);
    void broke(AskId id, const Error& error);

    // fleet_servers.cpp: actions
    void perform();
    void perform_one(Action& action);
    void answer(AskId id, std::expected<std::uint64_t, Refusal> outcome);
    void start_server(const std::string& model, std::uint64_t generation);
    Result<std::shared_ptr<server::ManagedServer>> make_server(
        const std::shared_ptr<const ModelSpec>& spec
    );
    void publish(const std::shared_ptr<const ModelSpec>& spec, std::uint64_t generation);
    Task<void> live(
        std::string model, std::shared_ptr<server::ManagedServer> server, std::uint64_t generation
    );
    Task<void> stop_server(
        std::shared_ptr<server::ManagedServer> server,
        std::shared_ptr<const ModelSpec> spec,
        bool force
    );
    Task<void> check_server(
        std::string model, std::shared_ptr<server::ManagedServer> server, std::uint64_t generation
    );
    void spawn(Task<void> task);
    void arm_timer();
    void measure(const std::string& model);
    void save_remembered();
    Task<void> run();
    Task<void> close(Milliseconds drain);
    bool all_stopped() const;

    // fleet_status.cpp: what others see
    ModelStatus status_of(const Slot& slot) const;
    ServerState state_of(const Slot& slot) const;
    std::optional<double> seconds_left(const Slot& slot, SteadyTime now) const;
    void happened(
        std::string model, std::string what, std::string text, std::optional<ServerState> state = {}
    );
    std::vector<Plan> plans() const;
    Result<std::vector<std::string>> apply(GatewayConfig next);

    double jitter() { return std::uniform_real_distribution<double>(0, 1)(random); }

    /// Writes wait for the disk, answers must not: a thread of their own.
    struct Disk {
        std::mutex mutex;
        std::optional<Error> error;  ///< of the last write, until it is told
    };

    /// One model's server, the last one if none runs.
    struct Live {
        std::shared_ptr<server::ManagedServer> server;
        std::shared_ptr<const ModelSpec> spec;
        std::shared_ptr<const Served> served;  ///< once it is ready
    };

    asio::any_io_executor executor;
    GatewayConfig config;
    FleetOptions options;
    Catalog catalog;
    Remembered remembered;
    Scheduler scheduler;
    std::map<std::string, Live, std::less<>> servers;
    std::unordered_map<AskId, Pending*> pending;
    std::deque<FleetEvent> events;
    std::uint64_t last_event = 0;
    AsyncEvent event_happened;
    AsyncEvent changed;  ///< after every batch of actions
    asio::steady_timer timer;
    SteadyTime timer_at = SteadyTime::max();
    AskId last_id = 0;
    int tasks = 0;
    bool performing = false;
    bool closed = false;
    asio::steady_timer* pausing = nullptr;  ///< between two measurements: cancelled by `close`
    std::minstd_rand random{std::random_device{}()};
    std::shared_ptr<Disk> disk = std::make_shared<Disk>();
    asio::thread_pool writer{1};  ///< last: joined first
};

}  // namespace punie::fleet
