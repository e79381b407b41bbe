#include "http/waiting.hpp"

#include <gtest/gtest.h>

#include <string>

namespace punie::http {
namespace {

using std::chrono::hours;
using Ms = Milliseconds;

const SteadyTime start{hours(1)};

TEST(Limits, ZeroMeansNone) {
    const Limits limits({.connect = Ms(0)}, start);
    for (const auto& wait :
         {limits.connect("a"), limits.first_byte("b", start), limits.between_bytes("c", start)}) {
        EXPECT_EQ(wait.deadline, SteadyTime::max());
    }
}

TEST(Limits, ConnectCountsFromTheStartTheOthersFromWhereTheyBegin) {
    const Limits limits({.connect = Ms(10), .first_byte = Ms(20), .between_bytes = Ms(30)}, start);
    const auto later = start + Ms(1000);
    EXPECT_EQ(limits.connect("a").deadline, start + Ms(10));
    EXPECT_EQ(limits.first_byte("a", later).deadline, later + Ms(20));
    EXPECT_EQ(limits.between_bytes("a", later).deadline, later + Ms(30));
    EXPECT_FALSE(limits.between_bytes("a", later).whole);
}

TEST(Limits, TheWholeExchangesLimitWinsWhenItIsNearer) {
    const Limits limits({.first_byte = Ms(20), .total = Ms(50)}, start);
    EXPECT_FALSE(limits.first_byte("a", start).whole);
    const auto wait = limits.first_byte("a", start + Ms(40));
    EXPECT_TRUE(wait.whole);
    EXPECT_EQ(wait.deadline, start + Ms(50));
    EXPECT_EQ(wait.limit, Ms(50));
}

TEST(Limits, AnEndlessLimitDoesNotWrapAround) {
    const Limits limits({.connect = Ms::max(), .total = Ms::max()}, start);
    EXPECT_EQ(limits.connect("a").deadline, SteadyTime::max());
}

TEST(Words, SayWhatWasAwaitedHowLongAndWhatHadCome) {
    const Wait wait{.what = "the response header", .limit = Ms(1500)};
    const auto error = timed_out(wait, "a:1", "3 bytes had arrived");
    EXPECT_EQ(error.code(), ErrorCode::timeout);
    EXPECT_EQ(error.message(), "a:1: waited 1.50 s for the response header; 3 bytes had arrived");
    const Wait whole{.what = "the response header", .limit = Ms(90'000), .whole = true};
    EXPECT_EQ(
        timed_out(whole, "a:1", "3 bytes had arrived").message(),
        "a:1: the whole exchange took longer than 1 min 30 s; it waited for the response header; 3 "
        "bytes had arrived"
    );
    EXPECT_EQ(cancelled(wait, "a:1").code(), ErrorCode::cancelled);
    EXPECT_EQ(
        cancelled(wait, "a:1").message(), "a:1: cancelled while waiting for the response header"
    );
}

}  // namespace
}  // namespace punie::http
