// Who must go so that a model fits.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/room.hpp"

namespace punie::fleet {
namespace {

const SteadyTime now = SteadyTime{} + std::chrono::hours(1);

SteadyTime ago(int seconds) {
    return now - std::chrono::seconds(seconds);
}

/// "a6i50": a needs 6, is idle, was used 50 s ago.
struct Row {
    const char* name;
    std::optional<std::uint64_t> needs;
    std::vector<Occupant> there;
    std::vector<Group> groups;
    RoomPlan::Kind kind;
    std::vector<std::string> victims;
    const char* why = "";
};

Occupant idle(std::string name, std::uint64_t bytes, int used = 10) {
    return {std::move(name), bytes, false, false, false, true, ago(used), SteadyTime::min()};
}

Occupant busy(std::string name, std::uint64_t bytes, int leaves_in) {
    return {
        std::move(name),
        bytes,
        false,
        false,
        false,
        false,
        now,
        now + std::chrono::seconds(leaves_in)
    };
}

Occupant pinned(std::string name, std::uint64_t bytes) {
    auto one = idle(std::move(name), bytes);
    one.pinned = true;
    return one;
}

Occupant leaving(std::string name, std::uint64_t bytes) {
    auto one = idle(std::move(name), bytes);
    one.leaving = true;
    return one;
}

Occupant claimed(std::string name, std::uint64_t bytes) {
    auto one = idle(std::move(name), bytes);
    one.claimed = true;
    return one;
}

class RoomPlans : public testing::TestWithParam<Row> {};

TEST_P(RoomPlans, AreMade) {
    const auto& row = GetParam();
    const auto plan = plan_room({"new", row.needs, false}, row.there, 10, row.groups, now);
    EXPECT_EQ(static_cast<int>(plan.kind), static_cast<int>(row.kind)) << plan.why;
    EXPECT_THAT(plan.victims, testing::ElementsAreArray(row.victims));
    EXPECT_THAT(plan.why, testing::HasSubstr(row.why));
}

using Kind = RoomPlan::Kind;

INSTANTIATE_TEST_SUITE_P(
    Memory,
    RoomPlans,
    testing::Values(
        Row{"empty", 6, {}, {}, Kind::fits, {}},
        Row{"beside", 4, {idle("a", 6)}, {}, Kind::fits, {}},
        Row{"exactly_all", 10, {}, {}, Kind::fits, {}},
        Row{"too_large", 11, {}, {}, Kind::never, {}, "the budget is 10 B"},
        Row{"evicts", 6, {idle("a", 6)}, {}, Kind::fits, {"a"}},
        Row{"least_recent", 4, {idle("a", 4, 5), idle("b", 4, 50)}, {}, Kind::fits, {"b"}},
        Row{"both", 9, {idle("a", 4, 5), idle("b", 4, 50)}, {}, Kind::fits, {"b", "a"}},
        Row{"spares_the_small", 6, {idle("a", 1, 50), idle("b", 8, 5)}, {}, Kind::fits, {"b"}},
        Row{"idle_before_used", 5, {busy("a", 5, -1), idle("b", 5, 1)}, {}, Kind::fits, {"b"}},
        Row{"waits_for_used", 6, {busy("a", 6, 5)}, {}, Kind::later, {"a"}, "a is in use"},
        Row{"used_may_leave", 6, {busy("a", 6, -1)}, {}, Kind::fits, {"a"}},
        Row{"pinned", 6, {pinned("a", 6)}, {}, Kind::never, {}, "pinned models a (6 B)"},
        Row{"beside_pinned", 4, {pinned("a", 6)}, {}, Kind::fits, {}},
        Row{"leaving_counts_as_gone", 6, {leaving("a", 6)}, {}, Kind::fits, {}},
        Row{"claimed_counts_as_there", 6, {claimed("a", 6)}, {}, Kind::later, {}, "being loaded"},
        Row{"unknown_alone", {}, {idle("a", 1), busy("b", 1, 3)}, {}, Kind::later, {"a", "b"}},
        Row{"unknown_evicts_all", {}, {idle("a", 1)}, {}, Kind::fits, {"a"}},
        Row{"unknown_beside_pinned", {}, {pinned("a", 4)}, {}, Kind::fits, {}},
        Row{"unknown_and_nothing_left", {}, {pinned("a", 10)}, {}, Kind::never, {}, "unknown"}
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

INSTANTIATE_TEST_SUITE_P(
    Groups,
    RoomPlans,
    testing::Values(
        Row{"one_at_a_time",
            1,
            {idle("a", 1)},
            {{"g", {"new", "a"}, false, false}},
            Kind::fits,
            {"a"}},
        Row{"together", 1, {idle("a", 1)}, {{"g", {"new", "a"}, true, false}}, Kind::fits, {}},
        Row{"other_group", 1, {idle("a", 1)}, {{"g", {"b", "a"}, false, false}}, Kind::fits, {}},
        Row{"exclusive_comes", 1, {idle("a", 1)}, {{"g", {"new"}, true, true}}, Kind::fits, {"a"}},
        Row{"exclusive_is_there", 1, {idle("a", 1)}, {{"g", {"a"}, true, true}}, Kind::fits, {"a"}},
        Row{"exclusive_and_pinned",
            1,
            {pinned("a", 1)},
            {{"g", {"new"}, true, true}},
            Kind::fits,
            {}},
        Row{"opposed_pinned",
            1,
            {pinned("a", 1)},
            {{"g", {"new", "a"}, false, false}},
            Kind::never,
            {},
            "which is pinned"},
        Row{"opposed_claimed",
            1,
            {claimed("a", 1)},
            {{"g", {"new", "a"}, false, false}},
            Kind::later,
            {}},
        Row{"opposed_busy",
            1,
            {busy("a", 1, 9)},
            {{"g", {"new", "a"}, false, false}},
            Kind::later,
            {"a"}}
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

TEST(RoomPlan, LaterSaysWhen) {
    const auto plan = plan_room({"new", 6, false}, {busy("a", 6, 5)}, 10, {}, now);
    EXPECT_EQ(plan.at, now + std::chrono::seconds(5));
    const auto open = plan_room({"new", 6, false}, {claimed("a", 6)}, 10, {}, now);
    EXPECT_EQ(open.at, SteadyTime::max());
}

TEST(RoomNow, CountsWhatStillRuns) {
    EXPECT_TRUE(has_room_now({"new", 6, false}, {}, 10, {}));
    EXPECT_FALSE(has_room_now({"new", 6, false}, {leaving("a", 6)}, 10, {}));
    EXPECT_TRUE(has_room_now({"new", 6, false}, {claimed("a", 6)}, 10, {}));
    const std::vector<Group> groups = {{"g", {"new", "a"}, false, false}};
    EXPECT_FALSE(has_room_now({"new", 1, false}, {leaving("a", 1)}, 10, groups));
}

}  // namespace
}  // namespace punie::fleet
