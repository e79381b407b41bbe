#pragma once
// A world for the scheduler without processes or clocks: servers are entries with a time at which
// they become ready or end. Every promise of scheduler.hpp is checked after every step.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "fleet/scheduler.hpp"

namespace punie::fleet {

inline Milliseconds ms(long count) {
    return Milliseconds{count};
}

class World {
public:
    World(Rules rules, std::vector<Plan> plans, unsigned seed)
        : random_(seed), rules_(rules), plans_(plans), scheduler_(rules, plans, now_) {
        drain();
    }

    // what a random history does
    void step() {
        const auto wait = ms(pick({0, 0, 1, 7, 40, 200, 900, 3000, 12'000}));
        pass(wait);
        const int what = number(0, 99);
        if (what < 45)
            ask();
        else if (what < 70)
            finish_one();
        else if (what < 76)
            cancel_one();
        else if (what < 81)
            crash_one();
        else if (what < 85)
            break_one();
        else if (what < 88)
            scheduler_.load(new_id(some_plan(), true), last_model_, now_);
        else if (what < 92)
            scheduler_.unload(some_plan().name, number(0, 1) == 0, now_);
        else if (what < 95)
            reload();
        else
            scheduler_.tick(now_);
        drain();
        check();
    }

    /// Everything ends: every answer, then every server.
    void wind_down() {
        for (int i = 0; i < 4000 && !(waiting_.empty() && leases_.empty()); ++i) {
            while (!leases_.empty()) finish_one();
            pass(ms(1000));
        }
        EXPECT_TRUE(waiting_.empty()) << waiting_.size() << " asks never ended; " << shown();
        scheduler_.close(ms(0), now_);
        drain();
        pass(ms(60'000));
        EXPECT_TRUE(servers_.empty()) << "a server outlives the close";
    }

    void pass(Milliseconds time) {
        const auto until = now_ + time;
        while (true) {
            auto next = scheduler_.next_time();
            for (const auto& [model, server] : servers_) next = std::min(next, server.due);
            for (const auto& check : checks_) next = std::min(next, check.due);
            if (next > until) break;
            now_ = std::max(now_, next);
            happen();
            scheduler_.tick(now_);
            drain();
            check();
            if (testing::Test::HasFailure()) return;
        }
        now_ = until;
    }

    std::map<Refusal::Kind, int> refused{};
    int admitted = 0;
    int starts = 0;
    int evictions = 0;

    std::string shown() const {
        std::string text;
        for (const auto& [name, slot] : scheduler_.slots())
            text += fmt::format(
                "{}: phase {}, {}, waiting {}, loads {}, running {}, next try {}; ",
                name,
                static_cast<int>(slot.phase),
                slot.reason,
                slot.line.size(),
                slot.loads.size(),
                slot.running,
                slot.retry_at ? (*slot.retry_at - now_).count() / 1'000'000 : 0
            );
        return text;
    }

private:
    struct Server {
        std::uint64_t generation = 0;
        bool ready = false;
        bool stopping = false;
        SteadyTime due{};  ///< becomes ready, or ends
        bool fails = false;
    };

    struct Waits {
        std::string model;
        SteadyTime since{};
        SteadyTime deadline{};
        bool is_load = false;
        std::string adapter{};
    };

    struct Held {
        std::string model;
        std::uint64_t generation = 0;
        std::string adapter;
    };

    struct PendingCheck {
        std::string model;
        std::uint64_t generation;
        SteadyTime due{};
    };

    int number(int least, int most) {
        return std::uniform_int_distribution<int>(least, most)(random_);
    }

    long pick(std::vector<long> of) {
        return of[static_cast<std::size_t>(number(0, static_cast<int>(of.size()) - 1))];
    }

    const Plan& some_plan() {
        return plans_[static_cast<std::size_t>(number(0, static_cast<int>(plans_.size()) - 1))];
    }

    double jitter() { return number(0, 100) / 100.0; }

    AskId new_id(const Plan& plan, bool is_load, Milliseconds wait = ms(0)) {
        last_model_ = plan.name;
        ++last_id_;
        waiting_[last_id_] = {
            plan.name, now_, is_load ? SteadyTime::max() : now_ + wait, is_load, {}
        };
        return last_id_;
    }

    void ask() {
        const auto& plan = some_plan();
        const auto wait = ms(pick({50, 3000, 30'000, 120'000}));
        AskFacts facts;
        facts.model = plan.name;
        facts.adapter =
            plan.one_adapter ? std::string(1, static_cast<char>('a' + number(0, 2))) : "";
        facts.client = std::string(1, static_cast<char>('p' + number(0, 3)));
        facts.priority = number(0, 9) == 0 ? 5 : 0;
        facts.bytes = static_cast<std::uint64_t>(number(0, 100));
        facts.wait = wait;
        facts.deaths = number(0, 40) == 0 ? 2 : 0;
        const auto id = new_id(plan, false, wait);
        waiting_[id].adapter = facts.adapter;
        scheduler_.ask(id, facts, now_);
    }

    void finish_one() {
        if (leases_.empty()) return;
        auto lease = leases_.begin();
        std::advance(lease, number(0, static_cast<int>(leases_.size()) - 1));
        const auto id = lease->first;
        leases_.erase(lease);
        scheduler_.leave(id, now_);
        drain();
    }

    void cancel_one() {
        if (waiting_.empty()) return;
        auto one = waiting_.begin();
        std::advance(one, number(0, static_cast<int>(waiting_.size()) - 1));
        const auto id = one->first;
        waiting_.erase(one);
        scheduler_.leave(id, now_);
    }

    void crash_one() {
        if (servers_.empty()) return;
        auto server = servers_.begin();
        std::advance(server, number(0, static_cast<int>(servers_.size()) - 1));
        const auto model = server->first;
        servers_.erase(server);
        scheduler_.server_ended(model, Error(ErrorCode::exited, "signal 11"), now_, jitter());
    }

    void break_one() {
        if (leases_.empty()) return;
        auto lease = leases_.begin();
        std::advance(lease, number(0, static_cast<int>(leases_.size()) - 1));
        scheduler_.broke(lease->first, Error(ErrorCode::connection, "reset"), now_, jitter());
    }

    /// Another configuration: priorities, identities, models that come and go.
    void reload() {
        for (auto& plan : plans_) {
            if (number(0, 3) == 0) plan.priority = number(0, 2);
            if (number(0, 5) == 0) plan.identity = fmt::format("{}", number(0, 1000));
        }
        if (number(0, 2) == 0 && plans_.size() > 2) {
            gone_.push_back(plans_.back());
            plans_.pop_back();
        } else if (!gone_.empty()) {
            plans_.push_back(gone_.back());
            gone_.pop_back();
        }
        scheduler_.configure(rules_, plans_, now_);
    }

    void happen() {
        for (auto checks = std::exchange(checks_, {}); const auto& one : checks) {
            if (one.due > now_) {
                checks_.push_back(one);
                continue;
            }
            if (number(0, 2) == 0)
                scheduler_.server_silent(
                    one.model, one.generation, Error(ErrorCode::timeout, "silent"), now_
                );
            else
                scheduler_.server_answers(one.model, one.generation, now_);
            drain();
        }
        std::vector<std::string> due;
        for (const auto& [model, server] : servers_) {
            if (server.due <= now_) due.push_back(model);
        }
        for (const auto& model : due) {
            auto& server = servers_.at(model);
            if (server.stopping) {
                servers_.erase(model);
                scheduler_.server_ended(model, std::nullopt, now_, jitter());
            } else if (server.fails) {
                servers_.erase(model);
                scheduler_.server_ended(
                    model, Error(ErrorCode::exited, "exit code 1"), now_, jitter()
                );
            } else {
                server.ready = true;
                server.due = SteadyTime::max();
                scheduler_.server_ready(model, now_);
            }
            drain();
        }
    }

    void drain() {
        for (auto actions = scheduler_.take_actions(); !actions.empty();
             actions = scheduler_.take_actions()) {
            for (const auto& action : actions)
                std::visit([this](const auto& one) { on(one); }, action);
        }
    }

    void on(const action::Start& start) {
        ++starts;
        EXPECT_FALSE(servers_.contains(start.model)) << "two servers of " << start.model;
        Server server;
        server.generation = start.generation;
        server.fails = number(0, 6) == 0;
        server.due = now_ + ms(number(5, 4000));
        servers_[start.model] = server;
    }

    void on(const action::Stop& stop) {
        const auto found = servers_.find(stop.model);
        if (found == servers_.end()) return;
        const auto due = now_ + ms(stop.force ? number(0, 20) : number(0, 5000));
        found->second.due = found->second.stopping ? std::min(found->second.due, due) : due;
        found->second.stopping = true;
        found->second.ready = false;
    }

    void on(const action::Check& check) {
        checks_.push_back({check.model, check.generation, now_ + ms(number(0, 2000))});
    }

    void on(const action::Admit& admit) {
        ++admitted;
        const auto waits = waiting_.find(admit.ask);
        ASSERT_NE(waits, waiting_.end()) << "admitted twice, or after it left";
        const auto& model = waits->second.model;
        EXPECT_LE(now_, waits->second.deadline);
        const auto* slot = scheduler_.find(model);
        ASSERT_NE(slot, nullptr);
        if (slot->plan.ours) {
            const auto server = servers_.find(model);
            ASSERT_NE(server, servers_.end()) << "admitted to nothing";
            EXPECT_TRUE(server->second.ready) << "admitted before it is ready, or in a stop";
            EXPECT_EQ(server->second.generation, admit.generation);
        }
        if (slot->plan.one_adapter) {
            for (const auto& [id, lease] : leases_) {
                if (lease.model == model && lease.generation == admit.generation)
                    EXPECT_EQ(lease.adapter, waits->second.adapter) << "two adapters at once";
            }
        }
        leases_[admit.ask] = {model, admit.generation, waits->second.adapter};
        const auto others = waits->second;
        waiting_.erase(waits);
        check_fairness(others.model, others);
    }

    void on(const action::Loaded& loaded) {
        EXPECT_EQ(waiting_.erase(loaded.ask), 1U) << "a load ended twice";
    }

    void on(const action::Refuse& refuse) {
        ++refused[refuse.refusal.kind];
        EXPECT_EQ(waiting_.erase(refuse.ask), 1U) << "refused twice, or after it was admitted";
        EXPECT_FALSE(refuse.refusal.error.message().empty());
    }

    void on(const action::Note& note) {
        if (note.what == "evicted") ++evictions;
    }

    /// Whoever is served now must not hold up an older one for another model beyond the bound.
    void check_fairness(const std::string& served, const Waits& who) {
        const auto* slot = scheduler_.find(served);
        if (slot == nullptr || !slot->plan.ours) return;
        const Waits* oldest = nullptr;
        for (const auto& [id, one] : waiting_) {
            const auto* other = scheduler_.find(one.model);
            const bool stands = other != nullptr && other->phase == Phase::stopped &&
                                !(other->retry_at && *other->retry_at > now_) && !one.is_load;
            if (stands && (oldest == nullptr || one.since < oldest->since)) oldest = &one;
        }
        if (oldest == nullptr || who.since <= oldest->since) return;
        const auto from = std::max(oldest->since, slot->ready_since);
        if (now_ - from <= rules_.queue.fairness + rules_.queue.min_loaded) return;
        std::vector<Occupant> all;
        for (const auto& [name, other] : scheduler_.slots()) {
            if (other.phase == Phase::stopped || !other.plan.ours) continue;
            all.push_back(
                {name,
                 other.reserved,
                 other.plan.pin && !other.leaving(),
                 other.leaving(),
                 other.phase == Phase::claimed,
                 other.running == 0 && other.line.empty() && other.loads.empty(),
                 other.phase == Phase::loading ? SteadyTime::max() : other.last_used,
                 other.phase == Phase::loading ? SteadyTime::max() : SteadyTime::min()}
            );
        }
        const auto* wants = scheduler_.find(oldest->model);
        const Newcomer newcomer{oldest->model, Scheduler::need(*wants), wants->plan.pin};
        const auto plan = plan_room(newcomer, all, rules_.budget, rules_.groups, now_);
        // The bound counts from the youngest of those that would have to go: each stays min_loaded.
        for (const auto& victim : plan.victims) {
            const auto since = std::max(from, scheduler_.find(victim)->ready_since);
            if (now_ - since <= rules_.queue.fairness + rules_.queue.min_loaded) return;
        }
        const bool held_up = plan.kind == RoomPlan::Kind::fits &&
                             std::ranges::find(plan.victims, served) != plan.victims.end();
        EXPECT_FALSE(held_up) << served << " is served while an older request for " << oldest->model
                              << " waited "
                              << std::chrono::duration<double>(now_ - oldest->since).count()
                              << " s";
    }

    void check() {
        std::uint64_t used = 0;
        for (const auto& [model, server] : servers_) {
            const auto* slot = scheduler_.find(model);
            ASSERT_NE(slot, nullptr) << model << " is forgotten while it runs";
            used += *slot->plan.memory;
            for (const auto& [other, ignored] : servers_) {
                Occupant beside;
                beside.name = other;
                beside.pinned = scheduler_.find(other)->plan.pin;
                if (other != model)
                    EXPECT_FALSE(conflict(rules_.groups, {model, {}, slot->plan.pin}, beside))
                        << model << " beside " << other;
            }
        }
        EXPECT_LE(used, rules_.budget) << "over the budget";
        std::uint64_t promised = 0;
        for (const auto& [name, slot] : scheduler_.slots()) {
            if (slot.phase != Phase::stopped && !slot.leaving()) promised += slot.reserved;
        }
        EXPECT_LE(promised, rules_.budget) << "promised more than there is: " << shown();
        for (const auto& [id, one] : waiting_)
            EXPECT_GE(one.deadline, now_) << "waits for " << one.model << " beyond its deadline";
        EXPECT_EQ(scheduler_.waiting(), waiting_.size());
        for (const auto& [name, slot] : scheduler_.slots()) check_slot(slot);
    }

    void check_slot(const Slot& slot) {
        const auto& name = slot.plan.name;
        const auto held = std::ranges::count_if(leases_, [&](const auto& lease) {
            return lease.second.model == name && lease.second.generation == slot.generation;
        });
        if (slot.live()) {
            EXPECT_EQ(slot.running, held) << "leases of " << name;
            EXPECT_LE(slot.running, slot.plan.parallel);
        }
        if (slot.plan.ours) EXPECT_EQ(slot.live(), servers_.contains(name)) << name;
        const bool could = slot.phase == Phase::ready && !slot.suspect && !slot.line.empty() &&
                           slot.running < slot.plan.parallel;
        if (could)
            EXPECT_TRUE(slot.plan.one_adapter && slot.running > 0)
                << name << " has requests waiting that it could serve";
        if (slot.phase == Phase::stopped && !slot.line.empty()) check_waits_rightly(slot);
    }

    /// A model whose requests wait although it would fit beside everything.
    void check_waits_rightly(const Slot& slot) {
        if (slot.retry_at && *slot.retry_at > now_) return;
        std::uint64_t bytes = *slot.plan.memory;
        for (const auto& [name, other] : scheduler_.slots()) {
            if (&other == &slot || !other.plan.ours) continue;
            const bool wants = !other.line.empty() || !other.loads.empty() || other.wanted;
            if (other.phase == Phase::stopped && !wants) continue;
            bytes += *other.plan.memory;
            Occupant beside;
            beside.name = name;
            beside.pinned = other.plan.pin;
            if (conflict(rules_.groups, {slot.plan.name, {}, slot.plan.pin}, beside)) return;
        }
        EXPECT_GT(bytes, rules_.budget) << slot.plan.name << " waits although everything fits";
    }

    std::minstd_rand random_;
    SteadyTime now_ = SteadyTime{} + std::chrono::hours(1);
    Rules rules_;
    std::vector<Plan> plans_;
    std::vector<Plan> gone_;
    Scheduler scheduler_;
    std::map<std::string, Server> servers_;
    std::map<AskId, Waits> waiting_;
    std::map<AskId, Held> leases_;
    std::vector<PendingCheck> checks_;
    std::string last_model_;
    AskId last_id_ = 0;
};

}  // namespace punie::fleet
