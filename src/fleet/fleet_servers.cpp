// The scheduler's actions, performed: servers started, stopped, watched and measured.
#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <utility>

#include "backend/backend.hpp"
#include "backend/sampling_fields.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "fleet/fleet_impl.hpp"
#include "process/system.hpp"

namespace punie::fleet {

namespace {

constexpr Milliseconds measure_every{2'000};

SteadyTime now_steady() {
    return std::chrono::steady_clock::now();
}

std::string environment_value(const std::string& name) {
    if (name.empty()) return {};
    // NOLINTNEXTLINE(concurrency-mt-unsafe): read only, nothing in Punie changes the environment
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::string{} : std::string(value);
}

/// llama-server maps its weights from the file: they are no anonymous memory, but needed all the
/// same.
std::uint64_t held_by(const process::TreeUsage& usage, BackendKind backend) {
    if (backend == BackendKind::llama || usage.anonymous == 0) return usage.resident;
    return usage.anonymous;
}

template <class... Ts>
struct Overloaded : Ts... {
    using Ts::operator()...;
};

}  // namespace

// ---------------------------------------------------------------- actions

void Fleet::Impl::perform() {
    if (performing) return;  // what came up meanwhile is taken by the loop below
    performing = true;
    for (auto actions = scheduler.take_actions(); !actions.empty();
         actions = scheduler.take_actions()) {
        for (auto& action : actions) perform_one(action);
    }
    performing = false;
    arm_timer();
    changed.notify();
}

void Fleet::Impl::perform_one(Action& action) {
    const Overloaded perform_it{
        [this](action::Start& start) { start_server(start.model, start.generation); },
        [this](action::Stop& stop) {
            const auto found = servers.find(stop.model);
            if (found == servers.end() || !found->second.server) return;
            spawn(stop_server(found->second.server, found->second.spec, stop.force));
        },
        [this](action::Check& check) {
            const auto found = servers.find(check.model);
            if (found == servers.end() || !found->second.server) return;
            spawn(check_server(check.model, found->second.server, check.generation));
        },
        [this](action::Admit& admit) { answer(admit.ask, admit.generation); },
        [this](action::Loaded& loaded) { answer(loaded.ask, std::uint64_t{0}); },
        [this](action::Refuse& refuse) {
            answer(refuse.ask, std::unexpected(std::move(refuse.refusal)));
        },
        [this](action::Note& note) {
            happened(std::move(note.model), std::move(note.what), std::move(note.text));
        },
    };
    std::visit(perform_it, action);
}

void Fleet::Impl::answer(AskId id, std::expected<std::uint64_t, Refusal> outcome) {
    const auto found = pending.find(id);
    if (found == pending.end()) return;
    found->second->outcome.emplace(std::move(outcome));
    if (found->second->timer != nullptr) found->second->timer->cancel();
}

Result<std::shared_ptr<server::ManagedServer>> Fleet::Impl::make_server(
    const std::shared_ptr<const ModelSpec>& spec
) {
    auto wanted = spec->server;
    if (wanted.log_file.empty() && !config.log_folder.empty()) {
        auto name = spec->name;
        std::ranges::replace(name, '/', '-');
        wanted.log_file = (config.log_folder / (name + ".log")).native();
    }
    auto server_config =
        options.server_for ? options.server_for(*spec) : make_server_config(std::move(wanted));
    if (!server_config) return std::unexpected(std::move(server_config).error());
    server::ManagedServerOptions managed;
    managed.limits.start = spec->start_timeout;
    if (spec->silence) managed.limits.health = *spec->silence;
    managed.limits.stop_grace = spec->stop_grace;
    managed.mlx_lm = config.mlx_lm;
    managed.capabilities = options.capabilities;
    managed.check_files = options.check_files;
    managed.on_event = [weak = weak_from_this(), name = spec->name](const ServerEvent& event) {
        if (const auto self = weak.lock()) self->happened(name, "state", event.reason, event.state);
    };
    return server::ManagedServer::make(executor, *std::move(server_config), std::move(managed));
}

void Fleet::Impl::start_server(const std::string& model, std::uint64_t generation) {
    const auto* named = catalog.find(model);
    if (named == nullptr) {
        scheduler.server_ended(model, std::nullopt, now_steady(), jitter());
        return;
    }
    auto server = make_server(named->model);
    if (!server) {
        scheduler.server_ended(model, std::move(server).error(), now_steady(), jitter());
        return;
    }
    servers.insert_or_assign(model, Live{*server, named->model, nullptr});
    spawn(live(model, *server, generation));
}

/// What leases need to know of a server that is ready.
void Fleet::Impl::publish(const std::shared_ptr<const ModelSpec>& spec, std::uint64_t generation) {
    auto& live = servers[spec->name];
    auto served = std::make_shared<Served>();
    served->spec = spec;
    served->generation = generation;
    std::map<std::string, std::string> fields;
    if (spec->upstream) {
        served->base_url = spec->upstream->url;
        while (served->base_url.ends_with('/')) served->base_url.pop_back();
        served->request_model = spec->upstream->model;
        served->api_key = environment_value(spec->upstream->api_key_env);
        fields = backend::sampling_fields(spec->server.sampling);
    } else {
        const auto now = live.server->config();
        served->base_url = now.base_url();
        const auto& backend = backend::backend_for(now.backend());
        served->request_model = backend.request_model(now);
        served->request_model_with_adapter = backend.request_model_with_adapter(now);
        served->file_members = backend.file_members();
        served->closed_routes = backend.closed_routes();
        fields = request_defaults(now);
    }
    // What requests may not set must be said each time: the server's own defaults give way.
    if (!spec->sampling_overridable) fields = backend::sampling_fields(spec->server.sampling);
    served->defaults.assign(fields.begin(), fields.end());
    live.spec = spec;
    live.served = std::move(served);
}

/// One server from its start to its end: the only one that tells the scheduler of it.
Task<void> Fleet::Impl::live(
    std::string model, std::shared_ptr<server::ManagedServer> server, std::uint64_t generation
) {
    const auto self = shared_from_this();
    const auto begin = now_steady();
    const auto started = co_await server->start();
    if (started) {
        const auto found = servers.find(model);
        const bool mine = found != servers.end() && found->second.server == server;
        const auto spec = mine ? found->second.spec : nullptr;
        if (spec) publish(spec, generation);
        scheduler.server_ready(model, now_steady());
        perform();  // whoever waits goes on before anything is measured
        const std::chrono::duration<double> took = now_steady() - begin;
        if (spec && remembered.set_load_seconds(measured_key(*spec), took.count()))
            save_remembered();
        measure(model);
        perform();
    }
    const auto ended = co_await server->wait_ended();
    std::optional<Error> error;
    if (!ended) error = ended.error();
    if (!started && error == std::nullopt && server->state() == ServerState::failed)
        error = started.error();
    scheduler.server_ended(model, std::move(error), now_steady(), jitter());
    perform();
}

Task<void> Fleet::Impl::stop_server(
    std::shared_ptr<server::ManagedServer> server, std::shared_ptr<const ModelSpec> spec, bool force
) {
    const auto self = shared_from_this();
    if (!spec->stop_command.empty()) {
        process::SpawnOptions command;
        command.argv = spec->stop_command;
        const auto ran = co_await process::run_to_end(std::move(command), spec->stop_grace);
        if (!ran)
            happened(spec->name, "state", fmt::format("stop_command: {}", ran.error().message()));
    }
    (void)co_await server->stop(force ? Milliseconds{0} : spec->stop_grace);
}

Task<void> Fleet::Impl::check_server(
    std::string model, std::shared_ptr<server::ManagedServer> server, std::uint64_t generation
) {
    const auto self = shared_from_this();
    const auto healthy = co_await server->health_check();
    if (server->state() != ServerState::ready) co_return;  // its end was or will be told
    if (healthy)
        scheduler.server_answers(model, generation, now_steady());
    else
        scheduler.server_silent(model, generation, healthy.error(), now_steady());
    perform();
}

void Fleet::Impl::spawn(Task<void> task) {
    ++tasks;
    asio::co_spawn(
        executor,
        std::move(task),
        [self = shared_from_this()](const std::exception_ptr& thrown) {
            --self->tasks;
            self->changed.notify();
            if (thrown) std::rethrow_exception(thrown);
        }
    );
}

// ---------------------------------------------------------------- time

/// An early wake is harmless, so that a later time need not move the timer.
void Fleet::Impl::arm_timer() {
    const auto due = scheduler.next_time();
    if (due >= timer_at || due == SteadyTime::max()) return;
    timer_at = due;
    timer.expires_at(due);
    timer.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        const auto self = weak.lock();
        if (error || !self) return;
        self->timer_at = SteadyTime::max();
        self->scheduler.tick(now_steady());
        self->perform();
    });
}

void Fleet::Impl::measure(const std::string& model) {
    const auto found = servers.find(model);
    if (found == servers.end() || !found->second.server) return;
    const auto guard = found->second.server->guard_pid();
    if (guard == 0) return;
    const auto bytes = held_by(process::tree_usage(guard), found->second.spec->server.backend);
    scheduler.memory(model, bytes, now_steady());
    const auto* slot = scheduler.find(model);
    if (slot == nullptr || !slot->measured || slot->phase != Phase::ready) return;
    const auto key = measured_key(*found->second.spec);
    const auto known = remembered.find(key);
    if (known && known->memory >= *slot->measured) return;
    if (remembered.set_memory(key, *slot->measured)) save_remembered();
}

void Fleet::Impl::save_remembered() {
    if (remembered.file().empty()) return;
    asio::post(writer, [to = disk, file = remembered.file(), text = remembered.text()] {
        auto written = write_atomic(file, text);
        const std::scoped_lock lock(to->mutex);
        if (!written) to->error = std::move(written).error();
    });
    std::optional<Error> failed;
    {
        const std::scoped_lock lock(disk->mutex);
        failed = std::exchange(disk->error, std::nullopt);
    }
    if (failed) happened("", "memory", failed->message());
}

Task<void> Fleet::Impl::run() {
    const auto self = shared_from_this();
    co_await asio::this_coro::throw_if_cancelled(false);
    scheduler.preload(now_steady());
    perform();
    asio::steady_timer pause(executor);
    pausing = &pause;
    while (!closed) {
        pause.expires_after(measure_every);
        co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
        if (closed) break;
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) break;
        std::vector<std::string> live;
        for (const auto& [name, slot] : scheduler.slots()) {
            if (slot.live() && slot.plan.ours) live.push_back(name);
        }
        for (const auto& name : live) measure(name);
        perform();
    }
    pausing = nullptr;
}

bool Fleet::Impl::all_stopped() const {
    return tasks == 0 && std::ranges::none_of(scheduler.slots(), [](const auto& entry) {
               return entry.second.live() && entry.second.plan.ours;
           });
}

Task<void> Fleet::Impl::close(Milliseconds drain) {
    const auto self = shared_from_this();
    closed = true;
    if (pausing != nullptr) pausing->cancel();
    scheduler.close(drain, now_steady());
    perform();
    while (!all_stopped()) {
        if (!co_await changed.wait()) co_return;
    }
    timer.cancel();
    writer.join();
}

}  // namespace punie::fleet
