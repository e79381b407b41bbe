#include "fleet/scheduler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace punie::fleet {

namespace {

constexpr Milliseconds soon{1'000};  // Retry-After where nothing better is known
constexpr int deadly = 2;            // a request that so many servers died of is not tried again

std::string seconds(Milliseconds time) {
    return human_duration(std::chrono::duration<double>(time));
}

Error closing_error() {
    return {ErrorCode::state, "punie is shutting down"};
}

Milliseconds until(SteadyTime at, SteadyTime now) {
    return std::max(Milliseconds{1}, std::chrono::ceil<Milliseconds>(at - now));
}

}  // namespace

Scheduler::Scheduler(Rules rules, const std::vector<Plan>& plans, SteadyTime now)
    : rules_(std::move(rules)) {
    for (const auto& plan : plans) apply_plan(plan, now);
    settle(now);
}

const Slot* Scheduler::find(std::string_view model) const {
    const auto found = slots_.find(model);
    return found == slots_.end() ? nullptr : &found->second;
}

std::uint64_t Scheduler::used() const {
    std::uint64_t bytes = 0;
    for (const auto& [name, slot] : slots_) {
        if (slot.live()) bytes += std::max(slot.reserved, slot.held);
    }
    return bytes;
}

void Scheduler::note(const Slot& slot, std::string_view what, std::string text) {
    actions_.emplace_back(action::Note{slot.plan.name, std::string(what), std::move(text)});
}

// ---------------------------------------------------------------- asks

void Scheduler::refuse(
    AskId id, Refusal::Kind kind, Error error, std::optional<Milliseconds> after
) {
    actions_.emplace_back(action::Refuse{id, Refusal{kind, std::move(error), after}});
}

std::optional<Refusal> Scheduler::refusal_at_the_door(
    const Slot* slot, const AskFacts& facts, SteadyTime now
) const {
    if (closing_by_) return Refusal{Refusal::Kind::closing, closing_error()};
    if (slot == nullptr || slot->removed)
        return Refusal{
            Refusal::Kind::unknown_model,
            {ErrorCode::not_found, fmt::format("there is no model {}", facts.model)}
        };
    if (facts.deaths >= deadly)
        return Refusal{
            Refusal::Kind::poisoned,
            {ErrorCode::exited,
             fmt::format("{} servers of {} ended over this request", facts.deaths, facts.model)}
        };
    if (slot->refuses && slot->retry_at && *slot->retry_at > now && slot->error)
        return Refusal{Refusal::Kind::backing_off, *slot->error, until(*slot->retry_at, now)};
    return std::nullopt;
}

bool Scheduler::admit_at_once(AskId id, Slot& slot, const AskFacts& facts, SteadyTime now) {
    const bool free = slot.phase == Phase::ready && !slot.suspect && !slot.restart_since &&
                      slot.line.empty() && slot.running < slot.plan.parallel;
    if (!free) return false;
    if (slot.plan.one_adapter && facts.adapter != slot.adapter) {
        if (slot.running > 0) return false;
        slot.adapter = facts.adapter;
        slot.adapter_since = now;
    }
    asks_.emplace(id, Known{slot.plan.name, facts, now, now, slot.generation});
    ++slot.running;
    actions_.emplace_back(action::Admit{id, slot.generation});
    return true;
}

void Scheduler::ask(AskId id, AskFacts facts, SteadyTime now) {
    const auto found = slots_.find(facts.model);
    auto* slot = found == slots_.end() ? nullptr : &found->second;
    if (auto refusal = refusal_at_the_door(slot, facts, now)) {
        actions_.emplace_back(action::Refuse{id, *std::move(refusal)});
        return;
    }
    if (admit_at_once(id, *slot, facts, now)) return;
    const auto& limits = rules_.queue;
    if (slot->line.size() >= static_cast<std::size_t>(limits.requests) ||
        waiting_bytes_ + facts.bytes > limits.bytes) {
        refuse(
            id,
            Refusal::Kind::queue_full,
            {ErrorCode::state,
             fmt::format(
                 "{} requests ({} of bodies in all) already wait; {} is the limit for {}, {} for "
                 "bodies",
                 slot->line.size(),
                 human_bytes(waiting_bytes_),
                 limits.requests,
                 facts.model,
                 human_bytes(limits.bytes)
             )},
            soon
        );
        note(*slot, "refused", "the queue is full");
        return;
    }
    const auto wait = facts.wait.value_or(limits.wait);
    const auto deadline = now + wait;
    slot->line.push({id, facts.client, facts.adapter, facts.priority, now});
    deadlines_.emplace(deadline, id);
    waiting_bytes_ += facts.bytes;
    asks_.emplace(id, Known{slot->plan.name, std::move(facts), now, deadline});
    settle(now);
}

void Scheduler::load(AskId id, const std::string& model, SteadyTime now) {
    const auto found = slots_.find(model);
    if (closing_by_) {
        refuse(id, Refusal::Kind::closing, closing_error());
        return;
    }
    if (found == slots_.end() || found->second.removed) {
        refuse(
            id,
            Refusal::Kind::unknown_model,
            {ErrorCode::not_found, fmt::format("there is no model {}", model)}
        );
        return;
    }
    auto& slot = found->second;
    slot.retry_at.reset();
    slot.refuses = false;
    slot.kept = slot.plan.pin && slot.plan.preload;
    const auto deadline = SteadyTime::max();
    slot.loads.push_back(id);
    deadlines_.emplace(deadline, id);
    asks_.emplace(id, Known{model, {.model = model}, now, deadline, 0, true});
    settle(now);
}

/// Takes a waiting ask out of every list.
bool Scheduler::forget_waiting(AskId id) {
    const auto found = asks_.find(id);
    if (found == asks_.end() || found->second.generation != 0) return false;
    const auto& known = found->second;
    auto& slot = slots_.at(known.model);
    if (known.is_load) {
        std::erase(slot.loads, id);
    } else {
        slot.line.remove(id);
        waiting_bytes_ -= known.facts.bytes;
    }
    deadlines_.erase({known.deadline, id});
    asks_.erase(found);
    return true;
}

void Scheduler::finish(Slot& slot, const Known& known, SteadyTime now) {
    ++slot.served;
    if (known.generation != slot.generation || !slot.live()) return;  // its server is gone already
    --slot.running;
    slot.last_used = now;
}

void Scheduler::leave(AskId id, SteadyTime now) {
    const auto found = asks_.find(id);
    if (found == asks_.end()) return;
    if (found->second.generation == 0) {
        forget_waiting(id);
        settle(now);
        return;
    }
    const auto known = std::move(found->second);
    asks_.erase(found);
    const auto slot = slots_.find(known.model);
    if (slot == slots_.end()) return;
    finish(slot->second, known, now);
    if (!slot->second.plan.ours && slot->second.phase == Phase::ready && !slot->second.error)
        slot->second.backoff = {};  // it answered: earlier failures are forgotten
    // The common case costs nothing: nobody waits, nothing is to be stopped.
    const bool quiet = deadlines_.empty() && slot->second.phase == Phase::ready &&
                       !slot->second.restart_since && !closing_by_;
    if (!quiet) {
        settle(now);
    } else if (slot->second.plan.ttl && slot->second.running == 0) {
        wake(now + *slot->second.plan.ttl);
    }
}

void Scheduler::refuse_waiting(Slot& slot, Refusal::Kind kind, const Error& error, SteadyTime now) {
    std::vector<AskId> ids = slot.loads;
    for (const auto& one : slot.line.waiting()) ids.push_back(one.id);
    std::optional<Milliseconds> after;
    if (slot.retry_at) after = until(*slot.retry_at, now);
    for (const auto id : ids) {
        forget_waiting(id);
        refuse(id, kind, error, after);
    }
}

// ---------------------------------------------------------------- servers

void Scheduler::server_ready(const std::string& model, SteadyTime now) {
    const auto found = slots_.find(model);
    if (found == slots_.end() || found->second.phase != Phase::loading) return;
    auto& slot = found->second;
    enter(slot, Phase::ready, "", now);
    slot.ready_since = now;
    slot.last_used = now;
    slot.adapter_since = now;
    slot.adapter.clear();
    slot.error.reset();
    slot.retry_at.reset();
    slot.refuses = false;
    slot.wanted = false;
    settle(now);
}

/// A server that ended by itself: when it may be tried again, and who is told.
void Scheduler::failed(Slot& slot, const Error& error, SteadyTime now, double jitter) {
    const bool started = slot.phase == Phase::loading;
    const auto ready_for = started
                               ? Milliseconds{0}
                               : std::chrono::duration_cast<Milliseconds>(now - slot.ready_since);
    ++slot.crashes;
    const auto wait = slot.backoff.after_death(ready_for, jitter);
    slot.error = error;
    slot.retry_at = now + wait;
    slot.wanted = slot.kept;
    slot.wanted_since = now;
    // One death of a server that was ready is no crash loop: who waits for it goes on waiting.
    slot.refuses = started || slot.backoff.deaths_in_a_row() > 1;
    enter(slot, Phase::stopped, error.message(), now);
    note(slot, "crash", fmt::format("{}; next try in {}", error.message(), seconds(wait)));
    if (slot.refuses)
        refuse_waiting(
            slot, started ? Refusal::Kind::start_failed : Refusal::Kind::backing_off, error, now
        );
}

void Scheduler::server_ended(
    const std::string& model, std::optional<Error> error, SteadyTime now, double jitter
) {
    const auto found = slots_.find(model);
    if (found == slots_.end() || !found->second.live()) return;
    auto& slot = found->second;
    const auto phase = slot.phase;
    ++slot.ends;
    slot.running = 0;  // their leases end when their connections do
    slot.held = 0;
    slot.suspect = false;
    slot.restart_since.reset();
    slot.drain_by.reset();
    slot.for_claim.clear();
    const bool on_its_way = phase == Phase::stopping && slot.away != Away::suspect;
    if (!on_its_way && (error || slot.error)) {
        const auto cause = error ? *error : *slot.error;
        failed(slot, cause, now, jitter);
    } else {
        enter(slot, Phase::stopped, slot.reason, now);
    }
    slot.reserved = 0;
    settle(now);
}

void Scheduler::endpoint_broke(Slot& slot, const Error& error, SteadyTime now, double jitter) {
    ++slot.crashes;
    const auto wait = slot.backoff.after_death(Milliseconds{0}, jitter);
    slot.error = error;
    slot.retry_at = now + wait;
    slot.refuses = slot.backoff.deaths_in_a_row() > 1;
    enter(slot, Phase::stopped, error.message(), now);
    if (slot.refuses) refuse_waiting(slot, Refusal::Kind::backing_off, error, now);
}

void Scheduler::broke(AskId id, const Error& error, SteadyTime now, double jitter) {
    const auto found = asks_.find(id);
    if (found == asks_.end() || found->second.generation == 0) return;
    const auto known = found->second;
    const auto owner = slots_.find(known.model);
    if (owner == slots_.end()) return;
    auto& slot = owner->second;
    const bool news = known.generation == slot.generation && slot.phase == Phase::ready;
    if (!news || slot.suspect) return;
    if (!slot.plan.ours) {
        endpoint_broke(slot, error, now, jitter);
    } else {
        slot.suspect = true;
        actions_.emplace_back(action::Check{known.model, slot.generation});
    }
    settle(now);
}

void Scheduler::server_answers(const std::string& model, std::uint64_t generation, SteadyTime now) {
    const auto found = slots_.find(model);
    if (found == slots_.end() || found->second.generation != generation) return;
    found->second.suspect = false;
    settle(now);
}

void Scheduler::server_silent(
    const std::string& model, std::uint64_t generation, const Error& error, SteadyTime now
) {
    const auto found = slots_.find(model);
    if (found == slots_.end() || found->second.generation != generation) return;
    auto& slot = found->second;
    if (!slot.suspect || slot.phase != Phase::ready) return;
    slot.error = error;
    begin_leaving(slot, Away::suspect, error.message(), now, now);
    settle(now);
}

void Scheduler::memory(const std::string& model, std::uint64_t bytes, SteadyTime now) {
    const auto found = slots_.find(model);
    if (found == slots_.end() || !found->second.live()) return;
    auto& slot = found->second;
    slot.held = bytes;
    if (slot.phase != Phase::ready && slot.phase != Phase::draining) return;
    // Until now a guess was kept for it, or all that there was.
    const bool guessed = !slot.plan.memory && !slot.plan.remembered && !slot.measured;
    slot.measured = std::max(slot.measured.value_or(0), bytes);
    slot.reserved = guessed ? bytes : std::max(slot.reserved, bytes);
    const auto limit = slot.plan.restart_above;
    if (limit && bytes > *limit && slot.phase == Phase::ready && !slot.restart_since) {
        slot.restart_since = now;
        note(
            slot,
            "memory",
            fmt::format(
                "holds {}, over restart_above {}: is started anew between requests",
                human_bytes(bytes),
                human_bytes(*limit)
            )
        );
    }
    make_space(now);
    settle(now);
}

// ---------------------------------------------------------------- people

void Scheduler::unload(const std::string& model, bool force, SteadyTime now) {
    const auto found = slots_.find(model);
    if (found == slots_.end()) return;
    auto& slot = found->second;
    slot.wanted = false;
    slot.kept = false;
    if (slot.phase == Phase::claimed) give_up_claim(slot, now);
    if (slot.live() && slot.plan.ours) {
        begin_leaving(
            slot, Away::unloaded, "unloaded by request", now, force ? now : now + rules_.queue.drain
        );
    } else if (slot.plan.ours) {
        // Who asks next must not wait for the end of a back-off that nobody would be told of.
        slot.error.reset();
        slot.retry_at.reset();
        slot.refuses = false;
        enter(slot, Phase::stopped, "unloaded by request", now);
    }
    settle(now);
}

void Scheduler::preload(SteadyTime now) {
    for (auto& [name, slot] : slots_) {
        if (!slot.plan.preload || slot.live() || slot.removed) continue;
        slot.wanted = true;
        slot.wanted_since = now;
        slot.kept = slot.plan.pin;
    }
    settle(now);
}

void Scheduler::apply_plan(const Plan& plan, SteadyTime now) {
    const auto [found, fresh] = slots_.try_emplace(plan.name);
    auto& slot = found->second;
    const bool changed = !fresh && (slot.plan.identity != plan.identity || slot.removed);
    slot.plan = plan;
    slot.removed = false;
    if (fresh) {
        slot.since = now;
        slot.reason = "not loaded yet";
        return;
    }
    if (!plan.pin || !plan.preload) slot.kept = false;
    if (!changed) return;
    slot.backoff = {};
    slot.retry_at.reset();
    slot.refuses = false;
    slot.error.reset();
    slot.measured.reset();
    if (slot.phase == Phase::claimed) give_up_claim(slot, now);
    if (!slot.live()) return;
    if (!slot.leaving()) {
        slot.wanted = true;
        slot.wanted_since = now;
    }
    begin_leaving(slot, Away::changed, "its configuration changed", now, now + rules_.queue.drain);
}

void Scheduler::configure(Rules rules, const std::vector<Plan>& plans, SteadyTime now) {
    rules_ = std::move(rules);
    for (auto& [name, slot] : slots_) {
        if (std::ranges::find(plans, name, &Plan::name) != plans.end() || slot.removed) continue;
        slot.removed = true;
        slot.wanted = false;
        slot.kept = false;
        slot.retry_at.reset();
        refuse_waiting(
            slot,
            Refusal::Kind::unknown_model,
            {ErrorCode::not_found, fmt::format("{} is not configured any more", name)},
            now
        );
        if (slot.phase == Phase::claimed) give_up_claim(slot, now);
        if (slot.live())
            begin_leaving(
                slot, Away::removed, "not configured any more", now, now + rules_.queue.drain
            );
    }
    for (const auto& plan : plans) {
        const bool fresh = slots_.find(plan.name) == slots_.end();
        apply_plan(plan, now);
        auto& slot = slots_.at(plan.name);
        if (!fresh || !plan.preload) continue;
        slot.wanted = true;
        slot.wanted_since = now;
        slot.kept = plan.pin;
    }
    make_space(now);
    settle(now);
}

void Scheduler::close(Milliseconds drain, SteadyTime now) {
    const auto by = now + drain;
    closing_by_ = closing_by_ ? std::min(*closing_by_, by) : by;
    for (auto& [name, slot] : slots_) {
        slot.wanted = false;
        slot.kept = false;
        refuse_waiting(slot, Refusal::Kind::closing, closing_error(), now);
        if (slot.phase == Phase::claimed) give_up_claim(slot, now);
        if (slot.live()) begin_leaving(slot, Away::closing, "punie is shutting down", now, by);
    }
    settle(now);
}

void Scheduler::tick(SteadyTime now) {
    settle(now);
}

}  // namespace punie::fleet
