// Who is served next.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/line.hpp"

namespace punie::fleet {
namespace {

using testing::ElementsAre;

const SteadyTime start = SteadyTime{} + std::chrono::hours(1);
constexpr Milliseconds patience{10'000};

SteadyTime at(int seconds) {
    return start + std::chrono::seconds(seconds);
}

class LineTest : public testing::Test {
protected:
    void push(std::string client, int second, int priority = 0, std::string adapter = "") {
        line_.push({++last_, std::move(client), std::move(adapter), priority, at(second)});
    }

    /// Serves all, at one time.
    std::vector<AskId> order(int second) {
        std::vector<AskId> ids;
        while (const auto* next = line_.pick(at(second), patience)) {
            const auto one = *next;
            ids.push_back(one.id);
            line_.remove(one.id);
            line_.served(one);
        }
        return ids;
    }

    Line line_;
    AskId last_ = 0;
};

TEST_F(LineTest, OneClientIsServedInOrder) {
    push("a", 0);
    push("a", 1);
    push("a", 2);
    EXPECT_THAT(order(3), ElementsAre(1, 2, 3));
}

TEST_F(LineTest, ClientsTakeTurns) {
    for (int i = 0; i < 4; ++i) push("greedy", 0);
    push("modest", 1);
    push("modest", 1);
    EXPECT_THAT(order(2), ElementsAre(1, 5, 2, 6, 3, 4));
}

TEST_F(LineTest, WhoWasJustServedWaitsForTheOthers) {
    push("a", 0);
    EXPECT_THAT(order(0), ElementsAre(1));
    push("a", 1);
    push("b", 2);
    EXPECT_THAT(order(3), ElementsAre(3, 2));
}

TEST_F(LineTest, HigherPrioritiesGoFirst) {
    push("a", 0);
    push("b", 1, 5);
    push("c", 2, -5);
    EXPECT_THAT(order(3), ElementsAre(2, 1, 3));
}

TEST_F(LineTest, WhoWaitedTooLongGoesBeforePriorities) {
    push("a", 0, -1);
    push("b", 11, 100);
    EXPECT_THAT(order(11), ElementsAre(1, 2));
}

TEST_F(LineTest, OnlyThoseOfAnAdapterCanBeAskedFor) {
    push("a", 0, 0, "x");
    push("b", 1, 0, "y");
    push("c", 2, 9, "x");
    const std::string y = "y";
    const std::string z = "z";
    EXPECT_EQ(line_.pick(at(3), patience, &y)->id, 2U);
    EXPECT_EQ(line_.pick(at(3), patience, &z), nullptr);
    EXPECT_EQ(line_.first_other("x")->id, 2U);
    EXPECT_EQ(line_.first_other("y")->id, 1U);
    EXPECT_EQ(line_.highest_priority(), 9);
}

TEST_F(LineTest, PlacesCountFromOne) {
    push("a", 0);
    push("b", 0);
    EXPECT_EQ(line_.place(2), 2U);
    EXPECT_TRUE(line_.remove(1));
    EXPECT_EQ(line_.place(2), 1U);
    EXPECT_EQ(line_.place(1), 0U);
    EXPECT_FALSE(line_.remove(1));
    EXPECT_EQ(line_.size(), 1U);
}

}  // namespace
}  // namespace punie::fleet
