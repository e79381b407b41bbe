// What others see of the fleet: status, events, logs, and what a reload did.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "fleet/fleet_impl.hpp"

namespace punie::fleet {

namespace {

constexpr std::size_t events_kept = 2'000;

SteadyTime now_steady() {
    return std::chrono::steady_clock::now();
}

std::chrono::system_clock::time_point on_the_wall(SteadyTime time) {
    const auto ago = now_steady() - time;
    return std::chrono::system_clock::now() -
           std::chrono::duration_cast<std::chrono::system_clock::duration>(ago);
}

}  // namespace

ServerState Fleet::Impl::state_of(const Slot& slot) const {
    switch (slot.phase) {
        case Phase::claimed:
            return ServerState::stopped;
        case Phase::loading: {
            const auto found = servers.find(slot.plan.name);
            const bool loads = found != servers.end() && found->second.server &&
                               found->second.server->state() == ServerState::loading;
            return loads ? ServerState::loading : ServerState::starting;
        }
        case Phase::ready:
            return ServerState::ready;
        case Phase::draining:
        case Phase::stopping:
            return ServerState::draining;
        case Phase::stopped:
            break;
    }
    return slot.error ? ServerState::failed : ServerState::stopped;
}

std::optional<double> Fleet::Impl::seconds_left(const Slot& slot, SteadyTime now) const {
    const auto* named = catalog.find(slot.plan.name);
    if (named == nullptr || slot.phase == Phase::ready) return std::nullopt;
    const auto known = remembered.find(measured_key(*named->model));
    if (!known || known->load_seconds <= 0) return std::nullopt;
    const std::chrono::duration<double> loading =
        slot.phase == Phase::loading ? now - slot.since : SteadyTime::duration{0};
    return std::max(0.0, known->load_seconds - loading.count());
}

ModelStatus Fleet::Impl::status_of(const Slot& slot) const {
    ModelStatus status;
    status.name = slot.plan.name;
    status.state = state_of(slot);
    status.reason = slot.reason;
    status.error = slot.error;
    status.since = on_the_wall(slot.since);
    status.memory = slot.held;
    status.memory_needed = Scheduler::need(slot);
    status.running = static_cast<std::size_t>(slot.running);
    status.waiting = slot.line.size();
    status.served = slot.served;
    status.loads = slot.started;
    status.crashes = slot.crashes;
    status.pinned = slot.plan.pin;
    if (slot.phase == Phase::stopped && slot.retry_at && *slot.retry_at > now_steady())
        status.retries_at = on_the_wall(*slot.retry_at);
    if (slot.phase == Phase::ready && slot.plan.ours && slot.plan.ttl && slot.running == 0)
        status.unloads_at = on_the_wall(slot.last_used + *slot.plan.ttl);
    const auto* named = catalog.find(slot.plan.name);
    if (named != nullptr) {
        const auto& spec = *named->model;
        status.aliases = spec.aliases;
        status.backend = spec.upstream ? BackendKind::openai : spec.server.backend;
        status.path = spec.upstream ? spec.upstream->url : spec.server.model_path;
        for (const auto& adapter : spec.adapters) {
            status.adapters.push_back(fmt::format("{}:{}", spec.name, adapter.name));
            if (slot.live() && adapter.path == slot.adapter)
                status.adapter_loaded = status.adapters.back();
        }
        const auto known = remembered.find(measured_key(spec));
        if (known && known->load_seconds > 0) status.load_seconds = known->load_seconds;
    }
    const auto found = servers.find(slot.plan.name);
    if (found != servers.end() && slot.live()) {
        if (found->second.server) status.pid = found->second.server->pid();
        if (found->second.served) status.url = found->second.served->base_url;
    }
    return status;
}

void Fleet::Impl::happened(
    std::string model, std::string what, std::string text, std::optional<ServerState> state
) {
    FleetEvent event{
        ++last_event,
        std::chrono::system_clock::now(),
        std::move(model),
        std::move(what),
        std::move(text),
        state
    };
    events.push_back(event);
    if (events.size() > events_kept) events.pop_front();
    if (options.on_event) options.on_event(event);
    event_happened.notify();
}

std::vector<Plan> Fleet::Impl::plans() const {
    std::vector<Plan> all;
    all.reserve(config.models.size());
    for (const auto& spec : config.models) {
        auto plan = plan_of(spec, config.mlx_lm);
        const auto known = remembered.find(measured_key(spec));
        if (known && known->memory > 0) plan.remembered = known->memory;
        all.push_back(std::move(plan));
    }
    return all;
}

Result<std::vector<std::string>> Fleet::Impl::apply(GatewayConfig next) {
    std::vector<std::string> did;
    std::map<std::string, std::string> before;
    for (const auto& spec : config.models)
        before.emplace(spec.name, identity_of(spec, config.mlx_lm));
    config = std::move(next);
    catalog = Catalog(config);
    for (const auto& spec : config.models) {
        const auto old = before.extract(spec.name);
        const auto* slot = scheduler.find(spec.name);
        if (old.empty())
            did.push_back(fmt::format("{}: added", spec.name));
        else if (old.mapped() != identity_of(spec, config.mlx_lm))
            did.push_back(fmt::format(
                "{}: changed{}",
                spec.name,
                slot != nullptr && slot->live() ? ", is started anew when its answers have ended"
                                                : ""
            ));
    }
    for (const auto& [name, identity] : before) did.push_back(fmt::format("{}: removed", name));
    scheduler.configure(
        {memory_budget_of(config), config.queue, config.groups}, plans(), now_steady()
    );
    for (const auto& line : did) happened("", "reloaded", line);
    perform();
    return did;
}

std::vector<ModelStatus> Fleet::status() const {
    std::vector<ModelStatus> all;
    all.reserve(impl_->scheduler.slots().size());
    for (const auto& [name, slot] : impl_->scheduler.slots()) all.push_back(impl_->status_of(slot));
    return all;
}

std::optional<ModelStatus> Fleet::status(std::string_view name) const {
    const auto* named = impl_->catalog.find(name);
    if (named == nullptr) return std::nullopt;
    const auto* slot = impl_->scheduler.find(named->model->name);
    return slot == nullptr ? std::nullopt : std::optional(impl_->status_of(*slot));
}

Result<std::vector<std::string>> Fleet::log(std::string_view name, std::size_t lines) const {
    const auto* named = impl_->catalog.find(name);
    if (named == nullptr)
        return fail(ErrorCode::not_found, fmt::format("there is no model {}", printable(name)));
    const auto found = impl_->servers.find(named->model->name);
    if (found == impl_->servers.end() || !found->second.server) return std::vector<std::string>{};
    return found->second.server->log_tail(lines);
}

std::vector<FleetEvent> Fleet::events_since(std::uint64_t number) const {
    const auto& all = impl_->events;
    const auto first =
        std::ranges::find_if(all, [&](const FleetEvent& event) { return event.number > number; });
    return {first, all.end()};
}

Task<void> Fleet::wait_event(std::uint64_t number) {
    const auto self = impl_;
    while (self->last_event <= number) {
        if (!co_await self->event_happened.wait()) co_return;
    }
}

}  // namespace punie::fleet
