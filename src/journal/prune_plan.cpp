#include "journal/prune_plan.hpp"

#include <algorithm>
#include <map>

namespace punie::journal {

namespace {

/// A run with the runs of its stages.
struct Family {
    const Run* head = nullptr;
    std::vector<const Run*> members;
};

std::vector<Family> families_of(const std::vector<Run>& runs) {
    std::map<std::string_view, const Run*> by_id;
    for (const auto& run : runs) by_id.emplace(run.id, &run);
    // a run may be the stage of a stage; more levels than runs would be a ring
    const auto head_of = [&](const Run& run) {
        const Run* at = &run;
        for (std::size_t level = 0; level < runs.size() && !at->parent.empty(); ++level) {
            const auto above = by_id.find(at->parent);
            if (above == by_id.end()) break;
            at = above->second;
        }
        return at;
    };
    std::vector<Family> families;
    std::map<const Run*, std::size_t> places;
    for (const auto& run : runs) {
        const auto* head = head_of(run);
        const auto [place, fresh] = places.try_emplace(head, families.size());
        if (fresh) families.push_back({.head = head, .members = {}});
        families[place->second].members.push_back(&run);
    }
    std::ranges::sort(families, [](const Family& a, const Family& b) {
        if (a.head->started != b.head->started) return a.head->started > b.head->started;
        return a.head->id > b.head->id;
    });
    return families;
}

bool failed(const Run& run) {
    return run.state == RunState::failed || run.state == RunState::interrupted ||
           (run.state == RunState::running && !run.alive);
}

bool rules_hold(const Family& family, std::size_t place, const PruneRules& rules, double now) {
    if (!rules.keep && !rules.older_than && !rules.failed) return false;
    if (rules.keep && place < *rules.keep) return false;
    if (rules.older_than && now - family.head->started <= *rules.older_than) return false;
    return !rules.failed || failed(*family.head);
}

std::string protection(const Family& family, bool force, std::string_view baseline) {
    for (const auto* run : family.members) {
        if (run->alive) return "is running";
    }
    if (force) return {};
    for (const auto* run : family.members) {
        if (run->id == baseline) return "is the baseline";
    }
    for (const auto* run : family.members) {
        if (!run->note.empty()) return "has a note";
    }
    return {};
}

}  // namespace

PrunePlan plan_prune(
    const std::vector<Run>& runs, const PruneRules& rules, std::string_view baseline, double now
) {
    PrunePlan plan;
    const auto families = families_of(runs);
    for (std::size_t place = 0; place < families.size(); ++place) {
        const auto& family = families[place];
        if (!rules_hold(family, place, rules, now)) continue;
        const auto why = protection(family, rules.force, baseline);
        for (const auto* run : family.members) {
            if (why.empty())
                plan.remove.push_back(*run);
            else
                plan.spared.push_back({.run = *run, .why = why});
        }
    }
    return plan;
}

}  // namespace punie::journal
