#include "server/backoff.hpp"

#include <gtest/gtest.h>

namespace punie::server {
namespace {

constexpr Milliseconds never_ready{0};
constexpr double middle = 0.5;  // a jitter factor of exactly one

TEST(Backoff, DoublesUpToAMinute) {
    Backoff backoff;
    EXPECT_EQ(backoff.after_death(never_ready, middle), Milliseconds{500});
    EXPECT_EQ(backoff.after_death(never_ready, middle), Milliseconds{1'000});
    EXPECT_EQ(backoff.after_death(never_ready, middle), Milliseconds{2'000});
    for (int i = 0; i < 40; ++i)
        EXPECT_LE(backoff.after_death(never_ready, middle), Milliseconds{60'000});
    EXPECT_EQ(backoff.after_death(never_ready, middle), Milliseconds{60'000});
    EXPECT_EQ(backoff.deaths_in_a_row(), 44);
}

TEST(Backoff, AtMostSixStartsInTenSeconds) {
    Backoff backoff;
    Milliseconds passed{0};
    int starts = 1;
    while (passed <= Milliseconds{10'000}) {
        passed += backoff.after_death(never_ready, 0);  // the shortest that the jitter allows
        if (passed <= Milliseconds{10'000}) ++starts;
    }
    EXPECT_LE(starts, 6);
}

TEST(Backoff, JitterStaysWithinAQuarter) {
    for (const double jitter : {-1.0, 0.0, 0.3, 1.0, 7.0}) {
        Backoff backoff;
        const auto wait = backoff.after_death(never_ready, jitter);
        EXPECT_GE(wait, Milliseconds{375});
        EXPECT_LE(wait, Milliseconds{625});
    }
}

TEST(Backoff, AHealthyTimeBeginsAnew) {
    Backoff backoff;
    for (int i = 0; i < 5; ++i) backoff.after_death(never_ready, middle);
    EXPECT_EQ(backoff.after_death(Backoff::healthy, middle), Backoff::shortest);
    EXPECT_EQ(backoff.deaths_in_a_row(), 1);
}

TEST(Backoff, AShortReadyTimeDoesNot) {
    Backoff backoff;
    backoff.after_death(never_ready, middle);
    EXPECT_EQ(backoff.after_death(Backoff::healthy - Milliseconds{1}, middle), Milliseconds{1'000});
}

}  // namespace
}  // namespace punie::server
