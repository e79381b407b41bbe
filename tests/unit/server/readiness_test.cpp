#include "server/readiness.hpp"

#include <gtest/gtest.h>

namespace punie::server {
namespace {

TEST(Readiness, AnAnswerIsReadyAtOnce) {
    Readiness readiness;
    EXPECT_EQ(readiness.step(Seen::nothing_listens).next, Next::look_again);
    EXPECT_EQ(readiness.step(Seen::answered).next, Next::ready);
}

TEST(Readiness, NoLookComesLaterThanThePromiseAllows) {
    Readiness readiness;
    for (int i = 0; i < 10'000; ++i) {
        EXPECT_LE(readiness.step(Seen::nothing_listens).wait, Milliseconds{40});
        EXPECT_GE(readiness.step(Seen::nothing_listens).wait, Milliseconds{5})
            << "that would be a busy loop";
    }
    EXPECT_LE(readiness.step(Seen::busy).wait, Milliseconds{40});
    EXPECT_LE(readiness.step(Seen::refused).wait, Milliseconds{40});
}

TEST(Readiness, AForeignListenerIsBelievedOnlyWhenItStays) {
    Readiness readiness;
    for (int i = 0; i < 4; ++i)
        EXPECT_EQ(readiness.step(Seen::foreign_listener).next, Next::look_again);
    EXPECT_EQ(readiness.step(Seen::foreign_listener).next, Next::fail_foreign);
}

TEST(Readiness, AForeignListenerThatWasASnapshotErrorIsForgotten) {
    Readiness readiness;
    for (int i = 0; i < 4; ++i) readiness.step(Seen::foreign_listener);
    readiness.step(Seen::busy);
    EXPECT_EQ(readiness.step(Seen::foreign_listener).next, Next::look_again);
}

TEST(Readiness, AServerThatWantsAKeyIsGivenUp) {
    Readiness readiness;
    EXPECT_EQ(readiness.step(Seen::unauthorised).next, Next::look_again);
    EXPECT_EQ(readiness.step(Seen::unauthorised).next, Next::look_again);
    EXPECT_EQ(readiness.step(Seen::unauthorised).next, Next::fail_key);
}

TEST(Readiness, SilentServersGetLongerAndLongerProbes) {
    Readiness readiness;
    auto before = readiness.step(Seen::nothing_listens).probe_limit;
    EXPECT_EQ(before, Milliseconds{10'000});
    for (int i = 0; i < 8; ++i) {
        const auto look = readiness.step(Seen::silent);
        EXPECT_EQ(look.wait, Milliseconds{0})
            << "a request should always be waiting at a silent server";
        EXPECT_LE(look.probe_limit, Milliseconds{120'000});
        EXPECT_GE(look.probe_limit, before);
        before = look.probe_limit;
    }
    EXPECT_EQ(before, Milliseconds{120'000});
}

TEST(Readiness, AnErrorStatusAsksTheOtherRouteAtOnceAndThenSeldom) {
    Readiness readiness;
    EXPECT_FALSE(readiness.use_plain_completion());
    EXPECT_EQ(readiness.step(Seen::error_status).wait, Milliseconds{0});
    EXPECT_TRUE(readiness.use_plain_completion());
    EXPECT_GE(readiness.step(Seen::error_status).wait, Milliseconds{100});
    EXPECT_FALSE(readiness.use_plain_completion());
    EXPECT_EQ(readiness.error_statuses(), 2);
}

TEST(Readiness, KeepsTheRouteThatAnswered) {
    Readiness readiness;
    readiness.step(Seen::error_status);
    readiness.step(Seen::busy);
    EXPECT_TRUE(readiness.use_plain_completion());
    EXPECT_EQ(readiness.step(Seen::answered).next, Next::ready);
    EXPECT_TRUE(readiness.use_plain_completion());
}

}  // namespace
}  // namespace punie::server
