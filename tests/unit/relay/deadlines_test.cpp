#include "relay/deadlines.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <vector>

namespace punie::relay {
namespace {

using Clock = std::chrono::steady_clock;

class Noted final : public Deadlines::Node {
public:
    explicit Noted(std::vector<SteadyTime>& passed) : passed_(passed) {}

private:
    void expired() override { passed_.push_back(Clock::now()); }

    std::vector<SteadyTime>& passed_;
};

class DeadlinesTest : public testing::Test {
protected:
    asio::io_context io_;
    Deadlines deadlines_{io_.get_executor()};
    std::vector<SteadyTime> passed_;
};

TEST_F(DeadlinesTest, PassWithinTwoTicks) {
    Noted node(passed_);
    const auto deadline = Clock::now() + Milliseconds(300);
    deadlines_.set(node, deadline);
    io_.run();  // ends: nothing keeps the timer running behind the last deadline
    ASSERT_EQ(passed_.size(), 1U);
    EXPECT_GE(passed_[0], deadline);
}

TEST_F(DeadlinesTest, CanBePutOff) {
    Noted node(passed_);
    deadlines_.set(node, Milliseconds(100));
    const auto deadline = Clock::now() + Milliseconds(600);
    deadlines_.set(node, deadline);
    io_.run();
    ASSERT_EQ(passed_.size(), 1U);
    EXPECT_GE(passed_[0], deadline);
}

TEST_F(DeadlinesTest, CanBeBroughtForward) {
    Noted node(passed_);
    const auto before = Clock::now();
    deadlines_.set(node, std::chrono::hours(1));
    deadlines_.set(node, Milliseconds(100));
    io_.run();
    ASSERT_EQ(passed_.size(), 1U);
    EXPECT_LT(passed_[0] - before, std::chrono::seconds(20));
}

TEST_F(DeadlinesTest, CanBeTakenBack) {
    Noted cleared(passed_);
    Noted removed(passed_);
    Noted none(passed_);
    deadlines_.set(cleared, Milliseconds(100));
    Deadlines::clear(cleared);
    deadlines_.set(removed, std::chrono::hours(1));
    Deadlines::remove(removed);
    deadlines_.set(none, Milliseconds(0));
    {
        Noted gone(passed_);
        deadlines_.set(gone, Milliseconds(100));
    }
    io_.run();
    EXPECT_TRUE(passed_.empty());
}

class Again final : public Deadlines::Node {
public:
    explicit Again(Deadlines& deadlines) : deadlines_(deadlines) {}

    int times = 0;

private:
    void expired() override {
        if (++times < 3) deadlines_.set(*this, Milliseconds(1));
    }

    Deadlines& deadlines_;
};

TEST_F(DeadlinesTest, MayBeSetAgainWhenTheyPass) {
    Again node(deadlines_);
    deadlines_.set(node, Milliseconds(1));
    io_.run();
    EXPECT_EQ(node.times, 3);
}

class Owner final : public Deadlines::Node {
public:
    std::unique_ptr<Noted> other;

private:
    void expired() override { other.reset(); }
};

TEST_F(DeadlinesTest, MayEndAnotherNodeOfTheSameTick) {
    Owner node;
    node.other = std::make_unique<Noted>(passed_);
    const auto deadline = Clock::now() + Milliseconds(10);
    deadlines_.set(node, deadline);
    deadlines_.set(*node.other, deadline);
    io_.run();
    EXPECT_TRUE(passed_.empty());
}

TEST_F(DeadlinesTest, ThousandsCostOneTimer) {
    std::vector<std::unique_ptr<Noted>> nodes;
    for (int i = 0; i < 10'000; ++i) {
        auto& node = *nodes.emplace_back(std::make_unique<Noted>(passed_));
        deadlines_.set(node, Milliseconds(1 + i % 500));
    }
    const auto handlers = io_.run();
    EXPECT_EQ(passed_.size(), 10'000U);
    EXPECT_LE(handlers, 10U);
}

}  // namespace
}  // namespace punie::relay
