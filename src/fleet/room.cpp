#include "fleet/room.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "base/text.hpp"

namespace punie::fleet {

namespace {

bool contains(const Group& group, const std::string& name) {
    return std::ranges::find(group.models, name) != group.models.end();
}

using Occupants = std::vector<const Occupant*>;

std::uint64_t sum(const Occupants& occupants) {
    return std::accumulate(
        occupants.begin(),
        occupants.end(),
        std::uint64_t{0},
        [](std::uint64_t bytes, const Occupant* one) { return bytes + one->bytes; }
    );
}

std::string names(const Occupants& occupants) {
    std::vector<std::string> words;
    words.reserve(occupants.size());
    for (const auto* one : occupants)
        words.push_back(fmt::format("{} ({})", one->name, human_bytes(one->bytes)));
    return fmt::format("{}", fmt::join(words, ", "));
}

RoomPlan never(std::string why) {
    RoomPlan plan;
    plan.kind = RoomPlan::Kind::never;
    plan.why = std::move(why);
    return plan;
}

/// Idle ones first, each kind by its last use.
void by_use(Occupants& occupants) {
    std::ranges::sort(occupants, [](const Occupant* a, const Occupant* b) {
        if (a->idle != b->idle) return a->idle;
        return a->last_used != b->last_used ? a->last_used < b->last_used : a->name < b->name;
    });
}

/// What a newcomer meets, sorted out.
struct Scene {
    Occupants staying{};            ///< all that do not leave already
    Occupants fixed{};              ///< of those, what cannot be asked to leave
    Occupants opposed{};            ///< may not be there together with it, and can leave
    Occupants possible{};           ///< can leave if memory is wanted
    const Occupant* bar = nullptr;  ///< opposed, but pinned
    bool waits = false;             ///< opposed, and only just coming
};

Scene scene_of(
    const Newcomer& newcomer,
    const std::vector<Occupant>& occupants,
    const std::vector<Group>& groups
) {
    Scene scene;
    for (const auto& one : occupants) {
        if (one.leaving || one.name == newcomer.name) continue;
        scene.staying.push_back(&one);
        const bool fixed = one.pinned || one.claimed;
        const bool opposed = conflict(groups, newcomer, one);
        if (opposed && one.pinned) scene.bar = &one;
        if (opposed && one.claimed) scene.waits = true;
        if (fixed) {
            scene.fixed.push_back(&one);
        } else if (opposed || !newcomer.bytes) {
            scene.opposed.push_back(&one);
        } else {
            scene.possible.push_back(&one);
        }
    }
    by_use(scene.possible);
    return scene;
}

/// Those of `possible` that must go, in order, until `bytes` fit below `budget`.
Occupants choose(const Scene& scene, std::uint64_t bytes, std::uint64_t budget) {
    Occupants victims = scene.opposed;
    auto used = sum(scene.staying) - sum(victims);
    for (const auto* one : scene.possible) {
        if (used + bytes <= budget) break;
        victims.push_back(one);
        used -= one->bytes;
    }
    // an early small one may be spared once a large one goes
    for (auto i = victims.size(); i-- > scene.opposed.size();) {
        if (used + victims[i]->bytes + bytes > budget) continue;
        used += victims[i]->bytes;
        victims.erase(victims.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return victims;
}

std::string why_later(const Occupants& victims, SteadyTime now) {
    for (const auto* one : victims) {
        if (one->may_leave <= now) continue;
        return one->idle ? fmt::format("{} was loaded only just now", one->name)
                         : fmt::format("{} is in use", one->name);
    }
    return "other models are being loaded";
}

}  // namespace

bool conflict(const std::vector<Group>& groups, const Newcomer& newcomer, const Occupant& other) {
    return std::ranges::any_of(groups, [&](const Group& group) {
        const bool in = contains(group, newcomer.name);
        const bool other_in = contains(group, other.name);
        if (in && other_in) return !group.together;
        if (!group.exclusive || in == other_in) return false;
        return !(in ? other.pinned : newcomer.pinned);
    });
}

RoomPlan plan_room(
    const Newcomer& newcomer,
    const std::vector<Occupant>& occupants,
    std::uint64_t budget,
    const std::vector<Group>& groups,
    SteadyTime now
) {
    const auto scene = scene_of(newcomer, occupants, groups);
    if (scene.bar != nullptr)
        return never(fmt::format(
            "{} may not be loaded together with {}, which is pinned", newcomer.name, scene.bar->name
        ));
    Occupants pinned = scene.fixed;
    std::erase_if(pinned, [](const Occupant* one) { return !one->pinned; });
    const auto taken = sum(pinned);
    const auto left = budget > taken ? budget - taken : 0;
    const auto bytes = newcomer.bytes.value_or(left);
    if (bytes > left || (!newcomer.bytes && left == 0)) {
        const auto needs = newcomer.bytes ? human_bytes(*newcomer.bytes) : "an unknown amount";
        return never(
            pinned.empty() ? fmt::format(
                                 "{} needs {} of memory, the budget is {}",
                                 newcomer.name,
                                 needs,
                                 human_bytes(budget)
                             )
                           : fmt::format(
                                 "{} needs {} of memory; of the budget of {} the pinned models {} "
                                 "leave {}",
                                 newcomer.name,
                                 needs,
                                 human_bytes(budget),
                                 names(pinned),
                                 human_bytes(left)
                             )
        );
    }
    const auto victims = choose(scene, bytes, budget);
    RoomPlan plan;
    plan.bytes = bytes;
    for (const auto* one : victims) plan.victims.push_back(one->name);
    const bool enough = sum(scene.staying) - sum(victims) + bytes <= budget && !scene.waits;
    SteadyTime at = now;
    for (const auto* one : victims) at = std::max(at, one->may_leave);
    if (enough && at <= now) return plan;
    plan.kind = RoomPlan::Kind::later;
    plan.at = enough ? at : SteadyTime::max();
    plan.why = why_later(victims, now);
    return plan;
}

bool has_room_now(
    const Newcomer& newcomer,
    const std::vector<Occupant>& occupants,
    std::uint64_t budget,
    const std::vector<Group>& groups
) {
    std::uint64_t used = newcomer.bytes.value_or(0);
    for (const auto& one : occupants) {
        if (one.claimed || one.name == newcomer.name) continue;
        if (conflict(groups, newcomer, one)) return false;
        used += one.bytes;
    }
    return used <= budget;
}

}  // namespace punie::fleet
