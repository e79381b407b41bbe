// What follows from an event: deadlines, admissions, drains, stops, until nothing more follows.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "fleet/scheduler.hpp"

namespace punie::fleet {

namespace {

std::string seconds(std::chrono::steady_clock::duration time) {
    return human_duration(std::chrono::duration<double>(time));
}

}  // namespace

void Scheduler::enter(Slot& slot, Phase phase, std::string reason, SteadyTime now) {
    slot.phase = phase;
    slot.reason = std::move(reason);
    slot.since = now;
}

void Scheduler::settle(SteadyTime now) {
    next_ = SteadyTime::max();
    expire(now);
    bool again = true;
    while (again) {
        again = false;
        for (auto& [name, slot] : slots_) again = settle_slot(slot, now) || again;
        again = claim_memory(now) || again;
        again = start_claimed(now) || again;
    }
    std::erase_if(slots_, [&](const auto& entry) {
        const auto& slot = entry.second;
        return slot.removed && slot.phase == Phase::stopped;
    });
    compute_wakes(now);
}

void Scheduler::expire(SteadyTime now) {
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const auto id = deadlines_.begin()->second;
        const auto state = waiting(id, now);
        const auto known = asks_.at(id);
        forget_waiting(id);
        const auto& slot = slots_.at(known.model);
        Error error(
            ErrorCode::timeout,
            fmt::format(
                "{} could not be asked within {}: {}",
                known.model,
                seconds(now - known.since),
                state ? state->why : "it waited"
            )
        );
        note(slot, "refused", error.message());
        refuse(id, Refusal::Kind::deadline, std::move(error));
    }
}

/// True when something changed that others may care about.
bool Scheduler::settle_slot(Slot& slot, SteadyTime now) {
    switch (slot.phase) {
        case Phase::stopped:
            if (slot.plan.ours || slot.removed || closing_by_) return false;
            if (slot.retry_at && *slot.retry_at > now) return false;
            slot.generation = ++last_generation_;
            slot.running = 0;
            slot.error.reset();
            slot.retry_at.reset();
            slot.refuses = false;
            enter(slot, Phase::ready, "an endpoint that is not ours", now);
            slot.ready_since = now;
            return true;
        case Phase::ready: {
            const bool admitted = admit_waiting(slot, now);
            return retire(slot, now) || admitted;
        }
        case Phase::draining:
            if (slot.running > 0 && (!slot.drain_by || *slot.drain_by > now)) return false;
            stop(slot, slot.running > 0, now);
            return true;
        case Phase::claimed:
        case Phase::loading:
        case Phase::stopping:
            return false;
    }
    return false;
}

// ---------------------------------------------------------------- admissions

void Scheduler::admit(Slot& slot, AskId id, SteadyTime now) {
    auto& known = asks_.at(id);
    deadlines_.erase({known.deadline, id});
    waiting_bytes_ -= known.facts.bytes;
    if (slot.plan.one_adapter && slot.adapter != known.facts.adapter) {
        slot.adapter = known.facts.adapter;
        slot.adapter_since = now;
    }
    known.generation = slot.generation;
    ++slot.running;
    actions_.emplace_back(action::Admit{id, slot.generation});
}

/// Another adapter whose turn it is, although some still want the one that is loaded.
std::optional<std::string> Scheduler::overdue_adapter(const Slot& slot, SteadyTime now) const {
    const auto* other = slot.line.first_other(slot.adapter);
    if (other == nullptr) return std::nullopt;
    const auto waits_since = std::max(other->since, slot.adapter_since);
    if (now - waits_since >= rules_.queue.fairness) return other->adapter;
    const auto* same = slot.line.pick(now, rules_.queue.fairness, &slot.adapter);
    if (same == nullptr) return std::nullopt;
    const auto* best = slot.line.pick(now, rules_.queue.fairness);
    if (best->adapter != slot.adapter && best->priority > same->priority) return best->adapter;
    return std::nullopt;
}

const InLine* Scheduler::next_in_line(const Slot& slot, SteadyTime now) const {
    const auto patience = rules_.queue.fairness;
    if (!slot.plan.one_adapter) return slot.line.pick(now, patience);
    const auto turn = overdue_adapter(slot, now);
    if (turn) return slot.running > 0 ? nullptr : slot.line.pick(now, patience, &*turn);
    const auto* same = slot.line.pick(now, patience, &slot.adapter);
    if (same != nullptr || slot.running > 0) return same;
    return slot.line.pick(now, patience);
}

bool Scheduler::admit_waiting(Slot& slot, SteadyTime now) {
    bool any = !slot.loads.empty();
    for (const auto id : std::vector(slot.loads)) {
        forget_waiting(id);
        actions_.emplace_back(action::Loaded{id});
    }
    if (slot.suspect) return any;
    if (slot.restart_since && now - *slot.restart_since >= rules_.queue.fairness) return any;
    while (slot.running < slot.plan.parallel && !slot.line.empty()) {
        if (slot.restart_since && slot.running == 0) break;
        const auto* next = next_in_line(slot, now);
        if (next == nullptr) break;
        const auto chosen = *next;
        slot.line.remove(chosen.id);
        slot.line.served(chosen);
        admit(slot, chosen.id, now);
        any = true;
    }
    return any;
}

// ---------------------------------------------------------------- leaving

/// A ready server that nobody needs any more, or that has grown too large.
bool Scheduler::retire(Slot& slot, SteadyTime now) {
    if (!slot.plan.ours) return false;
    if (slot.restart_since) {
        const bool waited = now - *slot.restart_since >= rules_.queue.fairness;
        if (slot.running > 0 && !waited) return false;
        slot.wanted = true;
        slot.wanted_since = now;
        slot.restart_since.reset();
        begin_leaving(slot, Away::memory, "it grew over restart_above", now, std::nullopt);
        return true;
    }
    const bool used = slot.running > 0 || !slot.line.empty() || !slot.loads.empty();
    if (!slot.plan.ttl || used || now - slot.last_used < *slot.plan.ttl) return false;
    slot.kept = false;
    begin_leaving(
        slot,
        Away::idle,
        fmt::format("unloaded after {} without a request", seconds(*slot.plan.ttl)),
        now,
        std::nullopt
    );
    return true;
}

void Scheduler::begin_leaving(
    Slot& slot, Away why, std::string text, SteadyTime now, std::optional<SteadyTime> drain_by
) {
    if (slot.leaving()) {  // the stronger reason and the earlier end win
        if (drain_by && (!slot.drain_by || *drain_by < *slot.drain_by)) slot.drain_by = drain_by;
        if (why > slot.away) {
            slot.away = why;
            slot.reason = std::move(text);
            slot.for_claim.clear();
        }
        if (slot.phase == Phase::stopping && drain_by && *drain_by <= now)
            actions_.emplace_back(action::Stop{slot.plan.name, true});
        return;
    }
    if (!slot.plan.ours) {
        enter(slot, Phase::stopped, std::move(text), now);
        return;
    }
    const bool loading = slot.phase == Phase::loading;
    slot.away = why;
    slot.drain_by = drain_by;
    slot.for_claim.clear();
    enter(slot, Phase::draining, std::move(text), now);
    if (loading || slot.running == 0)
        stop(slot, false, now);
    else if (drain_by && *drain_by <= now)
        stop(slot, true, now);
}

void Scheduler::stop(Slot& slot, bool force, SteadyTime now) {
    enter(slot, Phase::stopping, slot.reason, now);
    actions_.emplace_back(action::Stop{slot.plan.name, force});
}

// ---------------------------------------------------------------- time

void Scheduler::compute_wakes(SteadyTime now) {
    if (!deadlines_.empty()) wake(deadlines_.begin()->first);
    for (const auto& [name, slot] : slots_) {
        if (slot.phase == Phase::draining && slot.drain_by) wake(*slot.drain_by);
        if (slot.phase == Phase::stopped && slot.retry_at && *slot.retry_at > now)
            wake(*slot.retry_at);
        if (slot.phase != Phase::ready) continue;
        if (slot.restart_since) wake(*slot.restart_since + rules_.queue.fairness);
        if (slot.plan.ours && slot.plan.ttl && slot.running == 0 && slot.line.empty())
            wake(slot.last_used + *slot.plan.ttl);
    }
    // claim_memory has put in when a busy or young model may leave
}

std::optional<Waiting> Scheduler::waiting(AskId id, SteadyTime now) const {
    const auto found = asks_.find(id);
    if (found == asks_.end() || found->second.generation != 0) return std::nullopt;
    const auto& known = found->second;
    const auto& slot = slots_.at(known.model);
    Waiting waiting;
    waiting.model = known.model;
    waiting.place = slot.line.place(id);
    waiting.waited = now - known.since;
    waiting.why = why_waits(slot, known.facts.adapter, now);
    return waiting;
}

std::string Scheduler::why_waits(const Slot& slot, const std::string& adapter, SteadyTime now)
    const {
    switch (slot.phase) {
        case Phase::loading:
            return "loading";
        case Phase::draining:
            return fmt::format("waits for {} answers to end: {}", slot.running, slot.reason);
        case Phase::stopping:
            return fmt::format("waits for the server to stop ({}), then starts anew", slot.reason);
        case Phase::ready:
            if (slot.suspect) return "waits for a sign of life: an answer broke";
            if (slot.running >= slot.plan.parallel)
                return fmt::format("waits for one of {} answers to end", slot.running);
            if (slot.plan.one_adapter && adapter != slot.adapter)
                return fmt::format(
                    "waits for {} answers with another adapter to end", slot.running
                );
            return "waits for its turn";
        case Phase::claimed:
            for (const auto& [name, other] : slots_) {
                if (other.for_claim != slot.plan.name || !other.leaving()) continue;
                if (other.phase == Phase::draining)
                    return fmt::format("waits for {} answers of {} to end", other.running, name);
                return fmt::format("waits for {} to stop", name);
            }
            return "waits for memory to be given back";
        case Phase::stopped:
            break;
    }
    if (slot.retry_at && *slot.retry_at > now)
        return fmt::format("starts again in {}: {}", seconds(*slot.retry_at - now), slot.reason);
    const auto why = why_.find(slot.plan.name);
    return why == why_.end() ? "waits for its turn to be loaded" : why->second;
}

}  // namespace punie::fleet
