#include "server/life.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace punie::server {
namespace {

using enum ServerState;

struct Script {
    const char* name;
    ServerState from;
    std::vector<Event> events;
    ServerState to;
};

class LifeTest : public testing::TestWithParam<Script> {};

TEST_P(LifeTest, EventsLeadThere) {
    auto state = GetParam().from;
    for (const auto event : GetParam().events) {
        const auto step = next(state, event);
        ASSERT_TRUE(step) << "no step from " << name_of(state) << " on event "
                          << static_cast<int>(event);
        state = step->to;
    }
    EXPECT_EQ(state, GetParam().to) << "ended as " << name_of(state);
}

INSTANTIATE_TEST_SUITE_P(
    Scripts,
    LifeTest,
    testing::Values(
        Script{
            "whole_life",
            stopped,
            {Event::start, Event::spawned, Event::answered, Event::stop, Event::gone},
            stopped
        },
        Script{"cannot_spawn", stopped, {Event::start, Event::broke}, failed},
        Script{"dies_loading", stopped, {Event::start, Event::spawned, Event::broke}, failed},
        Script{
            "dies_ready",
            stopped,
            {Event::start, Event::spawned, Event::answered, Event::broke},
            failed
        },
        Script{"stop_while_starting", stopped, {Event::start, Event::stop, Event::gone}, stopped},
        Script{
            "stop_while_loading",
            stopped,
            {Event::start, Event::spawned, Event::stop, Event::gone},
            stopped
        },
        Script{"dies_while_draining", ready, {Event::stop, Event::broke, Event::gone}, stopped},
        Script{"stop_twice", ready, {Event::stop, Event::stop, Event::gone, Event::stop}, stopped},
        Script{
            "start_twice",
            stopped,
            {Event::start, Event::start, Event::spawned, Event::start},
            loading
        },
        Script{
            "again_after_failure", failed, {Event::start, Event::spawned, Event::answered}, ready
        },
        Script{"failure_acknowledged", failed, {Event::stop}, stopped},
        Script{"second_port", loading, {Event::spawned, Event::answered}, ready},
        Script{"endpoint_not_ours", stopped, {Event::start, Event::answered}, ready}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST(LifeTable, HasOneStepForAStateAndAnEvent) {
    for (const auto& step : life) {
        int same = 0;
        for (const auto& other : life)
            same += other.from == step.from && other.on == step.on ? 1 : 0;
        EXPECT_EQ(same, 1) << name_of(step.from) << " on " << static_cast<int>(step.on);
    }
}

TEST(LifeTable, EveryRunningStateHasAWayOut) {
    for (const auto state : {starting, loading, ready, draining}) {
        EXPECT_TRUE(next(state, Event::broke)) << name_of(state);
        EXPECT_TRUE(is_running(state));
    }
    EXPECT_FALSE(is_running(stopped));
    EXPECT_FALSE(is_running(failed));
}

TEST(LifeTable, AStartWhileDrainingHasToWait) {
    EXPECT_FALSE(next(draining, Event::start));
}

TEST(LifeTable, NothingIsReadyWithoutAnAnswer) {
    for (const auto& step : life) {
        if (step.to == ready && step.from != ready) {
            EXPECT_EQ(step.on, Event::answered);
        }
    }
}

TEST(StateNames, AreTheOnesOfTheJson) {
    EXPECT_EQ(name_of(stopped), "stopped");
    EXPECT_EQ(name_of(draining), "draining");
    EXPECT_EQ(name_of(failed), "failed");
}

}  // namespace
}  // namespace punie::server
