// Claims on memory: who is loaded next and who makes room for it.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/text.hpp"
#include "fleet/scheduler.hpp"

namespace punie::fleet {

std::optional<std::uint64_t> Scheduler::need(const Slot& slot) {
    if (slot.plan.memory) return slot.plan.memory;
    if (slot.plan.remembered || slot.measured)
        return std::max(slot.plan.remembered.value_or(0), slot.measured.value_or(0));
    return slot.plan.estimate;
}

bool Scheduler::wants_load(const Slot& slot, SteadyTime now) const {
    if (!slot.plan.ours || slot.removed || closing_by_) return false;
    if (slot.retry_at && *slot.retry_at > now) return false;
    return !slot.line.empty() || !slot.loads.empty() || slot.wanted;
}

/// In the order in which they are loaded.
std::vector<Scheduler::Candidate> Scheduler::candidates(SteadyTime now) {
    std::vector<Candidate> found;
    for (auto& [name, slot] : slots_) {
        if (slot.phase != Phase::stopped || !wants_load(slot, now)) continue;
        Candidate one{&slot, slot.wanted ? slot.wanted_since : now, slot.plan.priority};
        for (const auto id : slot.loads) one.since = std::min(one.since, asks_.at(id).since);
        one.by_person = !slot.loads.empty();
        one.by_request = !slot.line.empty();
        if (one.by_request) {
            one.since = slot.line.waiting().front().since;
            one.priority += std::max(0, slot.line.highest_priority());
        }
        found.push_back(one);
    }
    const auto rank = [&](const Candidate& one) {
        const bool asked = one.by_person || one.by_request;
        const bool overdue = asked && now - one.since >= rules_.queue.fairness;
        return std::tuple(
            !overdue,
            !asked,
            overdue ? 0 : -static_cast<std::int64_t>(one.priority),
            one.since,
            one.slot->plan.name
        );
    };
    std::ranges::sort(found, {}, rank);
    return found;
}

/// From when on `slot` may be asked to make room for the candidate.
SteadyTime Scheduler::may_leave(const Slot& slot, const Candidate& candidate) const {
    const auto& limits = rules_.queue;
    const bool used = slot.running > 0 || !slot.line.empty() || !slot.loads.empty() || slot.wanted;
    if (slot.phase == Phase::loading) return used ? SteadyTime::max() : SteadyTime::min();
    const auto young_until = slot.ready_since + limits.min_loaded;
    if (!used) return young_until;
    if (candidate.by_person) return young_until;
    if (!candidate.by_request) return SteadyTime::max();  // preloading disturbs nobody
    if (candidate.priority > slot.plan.priority &&
        candidate.slot->plan.priority > slot.plan.priority)
        return young_until;
    // It waits behind the other's requests only since the other can be asked, unless the other was
    // loaded after it came.
    const bool was_first = slot.claimed_at <= candidate.since;
    const auto waits_since =
        was_first ? std::max(candidate.since, slot.ready_since) : candidate.since;
    return std::max(waits_since + limits.fairness, young_until);
}

std::vector<Occupant> Scheduler::occupants(const Candidate* candidate) const {
    std::vector<Occupant> all;
    all.reserve(slots_.size());
    for (const auto& [name, slot] : slots_) {
        if (slot.phase == Phase::stopped || !slot.plan.ours) continue;
        Occupant one;
        one.name = name;
        one.bytes = std::max(slot.reserved, slot.held);
        one.pinned = slot.plan.pin && !slot.leaving();
        one.leaving = slot.leaving();
        one.claimed = slot.phase == Phase::claimed;
        one.idle = slot.running == 0 && slot.line.empty() && slot.loads.empty();
        one.last_used = slot.phase == Phase::loading ? SteadyTime::max() : slot.last_used;
        if (candidate != nullptr) one.may_leave = may_leave(slot, *candidate);
        all.push_back(std::move(one));
    }
    return all;
}

void Scheduler::claim(Slot& slot, const RoomPlan& plan, SteadyTime now) {
    for (const auto& name : plan.victims) {
        auto& victim = slots_.at(name);
        begin_leaving(
            victim,
            Away::evicted,
            fmt::format("makes room for {}", slot.plan.name),
            now,
            now + rules_.queue.drain
        );
        if (victim.away == Away::evicted) victim.for_claim = slot.plan.name;
        note(victim, "evicted", fmt::format("makes room for {}", slot.plan.name));
    }
    slot.reserved = plan.bytes;
    slot.claimed_at = now;
    enter(slot, Phase::claimed, "waits for memory", now);
}

/// Whether a plan made in view of those ahead holds as things stand: whom they will ask to leave is
/// still there.
bool Scheduler::holds_now(
    const Newcomer& newcomer, const RoomPlan& plan, const Candidate& candidate, SteadyTime now
) const {
    auto others = occupants(&candidate);
    for (auto& one : others) {
        if (std::ranges::find(plan.victims, one.name) != plan.victims.end()) one.leaving = true;
    }
    const auto rest = plan_room(newcomer, others, rules_.budget, rules_.groups, now);
    return rest.kind == RoomPlan::Kind::fits && rest.victims.empty();
}

void Scheduler::refuse_load(Slot& slot, const std::string& why, SteadyTime now) {
    const Error error(ErrorCode::out_of_memory, why);
    slot.wanted = false;
    slot.kept = false;
    slot.error = error;
    slot.reason = why;
    note(slot, "refused", why);
    refuse_waiting(slot, Refusal::Kind::does_not_fit, error, now);
}

/// One claim a call: each changes what the next one finds.
bool Scheduler::claim_memory(SteadyTime now) {
    why_.clear();
    std::vector<Occupant> expected;  // those ahead, as if they had their memory already
    std::vector<std::string> expected_away;
    for (const auto& candidate : candidates(now)) {
        auto& slot = *candidate.slot;
        auto others = occupants(&candidate);
        for (auto& one : others) {
            if (std::ranges::find(expected_away, one.name) != expected_away.end())
                one.leaving = true;
        }
        others.insert(others.end(), expected.begin(), expected.end());
        const Newcomer newcomer{slot.plan.name, need(slot), slot.plan.pin};
        auto plan = plan_room(newcomer, others, rules_.budget, rules_.groups, now);
        if (plan.kind == RoomPlan::Kind::never) {
            refuse_load(slot, plan.why, now);
            return true;
        }
        if (plan.kind == RoomPlan::Kind::fits) {
            if (expected.empty() || holds_now(newcomer, plan, candidate, now)) {
                claim(slot, plan, now);
                return true;
            }
            plan.why = "other models have their turn first";
        }
        wake(plan.at);
        why_.insert_or_assign(slot.plan.name, fmt::format("waits for memory: {}", plan.why));
        const bool asked = candidate.by_request || candidate.by_person;
        if (plan.at == SteadyTime::max() && !asked)
            continue;  // a preload that would disturb others stands in nobody's way
        Occupant soon;
        soon.name = slot.plan.name;
        soon.bytes = plan.bytes;
        soon.claimed = true;
        expected.push_back(std::move(soon));
        expected_away.insert(expected_away.end(), plan.victims.begin(), plan.victims.end());
    }
    return false;
}

/// Whether what drains may stay after all, in view of the claims that are left; else who needs its
/// room.
std::optional<std::string> Scheduler::room_is_claimed_by(const Slot& draining) const {
    std::uint64_t bytes = std::max(draining.reserved, draining.held);
    std::optional<std::string> claimant;
    Occupant stays;
    stays.name = draining.plan.name;
    stays.pinned = draining.plan.pin;
    for (const auto& [name, slot] : slots_) {
        if (slot.phase == Phase::stopped || slot.leaving() || !slot.plan.ours) continue;
        bytes += std::max(slot.reserved, slot.held);
        if (slot.phase != Phase::claimed) continue;
        claimant = name;
        const Newcomer newcomer{name, slot.reserved, slot.plan.pin};
        if (conflict(rules_.groups, newcomer, stays)) return name;
    }
    return bytes > rules_.budget ? claimant : std::nullopt;
}

void Scheduler::give_up_claim(Slot& slot, SteadyTime now) {
    enter(slot, Phase::stopped, "nobody waits for it any more", now);
    slot.reserved = 0;
    for (auto& [name, other] : slots_) {
        if (other.for_claim != slot.plan.name || other.phase != Phase::draining) continue;
        if (const auto claimant = room_is_claimed_by(other)) {
            other.for_claim = *claimant;
            continue;
        }
        other.for_claim.clear();
        other.drain_by.reset();
        enter(other, Phase::ready, "", now);
    }
}

bool Scheduler::start_claimed(SteadyTime now) {
    std::vector<Slot*> claimed;
    for (auto& [name, slot] : slots_) {
        if (slot.phase == Phase::claimed) claimed.push_back(&slot);
    }
    std::ranges::sort(claimed, {}, [](const Slot* slot) {
        return std::tuple(slot->claimed_at, slot->plan.name);
    });
    for (auto* slot : claimed) {
        if (!wants_load(*slot, now)) {
            give_up_claim(*slot, now);
            return true;
        }
        const Newcomer newcomer{slot->plan.name, slot->reserved, slot->plan.pin};
        if (!has_room_now(newcomer, occupants(nullptr), rules_.budget, rules_.groups)) continue;
        slot->generation = ++last_generation_;
        ++slot->started;
        slot->running = 0;
        slot->error.reset();
        enter(*slot, Phase::loading, "", now);
        actions_.emplace_back(action::Start{slot->plan.name, slot->generation});
        return true;
    }
    return false;
}

/// What runs has grown over the budget: idle models leave.
void Scheduler::make_space(SteadyTime now) {
    const auto occupied = [&] {
        std::uint64_t bytes = 0;
        for (const auto& [name, slot] : slots_) {
            if (slot.live() && !slot.leaving()) bytes += std::max(slot.reserved, slot.held);
        }
        return bytes;
    };
    while (occupied() > rules_.budget) {
        Slot* victim = nullptr;
        int loaded = 0;
        for (auto& [name, slot] : slots_) {
            if (slot.phase != Phase::ready || !slot.plan.ours) continue;
            ++loaded;
            const bool idle = slot.running == 0 && slot.line.empty() && slot.loads.empty();
            if (!idle || slot.plan.pin) continue;
            if (victim == nullptr || slot.last_used < victim->last_used) victim = &slot;
        }
        if (victim == nullptr || loaded < 2) return;
        note(*victim, "evicted", "what is loaded has grown over the memory budget");
        begin_leaving(
            *victim, Away::evicted, "what is loaded has grown over the memory budget", now, {}
        );
    }
}

}  // namespace punie::fleet
