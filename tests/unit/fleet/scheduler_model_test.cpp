// Thousands of random histories of the scheduler: asks, ends, cancels, crashes, loads, unloads,
// reloads in any order. The promises are checked after every step (scheduler_world.hpp).

#include <gtest/gtest.h>

#include "scheduler_world.hpp"

namespace punie::fleet {
namespace {

struct Setting {
    Rules rules;
    std::vector<Plan> plans;
};

Plan plan(std::string name, std::uint64_t memory) {
    Plan result;
    result.name = std::move(name);
    result.memory = memory;
    result.parallel = 2;
    return result;
}

/// A different small fleet for each seed.
Setting setting(unsigned seed) {
    Setting setting;
    setting.rules.budget = 10;
    setting.rules.queue.fairness = ms(2000);
    setting.rules.queue.drain = ms(5000);
    setting.rules.queue.min_loaded = ms(500);
    setting.rules.queue.requests = 6;
    setting.rules.queue.bytes = 400;
    setting.plans = {plan("a", 6), plan("b", 6), plan("c", 3), plan("d", 4), plan("e", 1)};
    auto& plans = setting.plans;
    plans[0].one_adapter = true;
    plans[1].parallel = 1;
    plans[2].ttl = ms(4000);
    if (seed % 2 == 0) plans[4].pin = true;
    if (seed % 3 == 0) plans[3].one_adapter = true;
    if (seed % 4 == 0) setting.rules.groups.push_back({"g", {"c", "d"}, false, false});
    if (seed % 5 == 0) setting.rules.groups.push_back({"h", {"b"}, true, true});
    if (seed % 6 == 0) plans[1].priority = 3;
    Plan far = plan("far", 0);
    far.ours = false;
    far.parallel = 3;
    plans.push_back(far);
    if (seed % 7 == 0) plans.push_back(plan("huge", 11));
    return setting;
}

class RandomHistories : public testing::TestWithParam<unsigned> {};

TEST_P(RandomHistories, KeepEveryPromise) {
    int admitted = 0;
    int evictions = 0;
    for (unsigned i = 0; i < 100; ++i) {
        const auto seed = GetParam() * 1000 + i;
        SCOPED_TRACE(fmt::format("seed {}", seed));
        auto [rules, plans] = setting(seed);
        World world(rules, plans, seed + 1);
        for (int step = 0; step < 100 && !HasFailure(); ++step) world.step();
        if (!HasFailure()) world.wind_down();
        if (HasFailure()) return;
        admitted += world.admitted;
        evictions += world.evictions;
    }
    EXPECT_GT(admitted, 500) << "the histories must do something";
    EXPECT_GT(evictions, 50);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomHistories, testing::Range(0U, 20U));

}  // namespace
}  // namespace punie::fleet
