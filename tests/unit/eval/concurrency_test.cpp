// The search against servers that are functions: when an answer comes follows from how many are
// there at once.

#include "eval/concurrency.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>
#include <random>
#include <string>
#include <vector>

namespace punie::eval {
namespace {

using Time = Concurrency::Time;
using testing::HasSubstr;
using testing::StartsWith;

Time at(double seconds) {
    return Time(
        std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(1 + seconds))
    );
}

/// `slots` requests are worked on at once, `seconds` each, with noise; the others queue.
struct Slots {
    int slots = 1;
    double seconds = 1;
    double noise = 0;  ///< relative, of each answer's length
    int most = 0;      ///< more at once get 429; 0: none do
};

/// A run of `requests` against such a server.
class Simulation {
public:
    Simulation(Concurrency& concurrency, Slots server, unsigned seed = 1)
        : concurrency_(concurrency), server_(server), random_(seed) {}

    void run(int requests) {
        left_ = requests;
        fill();
        while (!ends_.empty()) {
            const auto end = ends_.top();
            ends_.pop();
            now_ = end.at;
            if (end.refused) {
                concurrency_.overloaded(
                    {.sent = at(end.sent), .now = at(now_), .in_flight = in_flight_, .said_so = true
                    }
                );
                --in_flight_;
                ++refused_;
                ++left_;  // it will be asked again
            } else {
                --in_flight_;
                --working_;
                concurrency_.answered(1, at(now_));
                start_queued();
            }
            fill();
        }
    }

    double seconds() const { return now_; }

    int refused() const { return refused_; }

private:
    struct End {
        double at;
        double sent;
        bool refused;

        bool operator<(const End& other) const { return at > other.at; }
    };

    void fill() {
        while (left_ > 0 && in_flight_ < concurrency_.limit()) {
            --left_;
            ++in_flight_;
            if (server_.most > 0 && in_flight_ > server_.most) {
                ends_.push({now_ + 0.001, now_, true});
            } else {
                ++queued_;
                start_queued();
            }
        }
    }

    void start_queued() {
        while (queued_ > 0 && working_ < server_.slots) {
            --queued_;
            ++working_;
            std::uniform_real_distribution<double> noise(-server_.noise, server_.noise);
            ends_.push({now_ + server_.seconds * (1 + noise(random_)), now_, false});
        }
    }

    Concurrency& concurrency_;
    Slots server_;
    std::mt19937 random_;
    std::priority_queue<End> ends_;
    double now_ = 0;
    int left_ = 0;
    int in_flight_ = 0;
    int working_ = 0;
    int queued_ = 0;
    int refused_ = 0;
};

class FindsSlots : public testing::TestWithParam<int> {};

TEST_P(FindsSlots, OrTheNextPowerOfTwo) {
    const int slots = GetParam();
    Concurrency concurrency(0, 64);
    Simulation(concurrency, {.slots = slots}).run(3000);
    EXPECT_GE(concurrency.limit(), std::min(slots, 64)) << concurrency.describe();
    EXPECT_LT(concurrency.limit(), std::max(3, slots * 2)) << concurrency.describe();
    EXPECT_THAT(concurrency.describe(), HasSubstr("(found; "));
}

INSTANTIATE_TEST_SUITE_P(Table, FindsSlots, testing::Values(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64));

TEST(Concurrency, NoiseDoesNotStopTheSearchEarly) {
    int enough = 0;
    for (unsigned seed = 0; seed < 100; ++seed) {
        Concurrency concurrency(0, 64);
        Simulation(concurrency, {.slots = 16, .noise = 0.9}, seed).run(2000);
        enough += concurrency.limit() >= 8 && concurrency.limit() <= 64 ? 1 : 0;
    }
    EXPECT_GE(enough, 97);
}

TEST(Concurrency, TheSearchCostsLittleAgainstKnowing) {
    Concurrency found(0, 64);
    Simulation searching(found, {.slots = 16});
    searching.run(1000);
    Concurrency given(16);
    Simulation knowing(given, {.slots = 16});
    knowing.run(1000);
    EXPECT_LT(searching.seconds(), 1.25 * knowing.seconds());
}

TEST(Concurrency, MoreThanTheMostIsNeverTried) {
    for (const int most : {1, 2, 3, 5, 48}) {
        Concurrency concurrency(0, most);
        int highest = 0;
        for (int i = 0; i < 5000; ++i) {
            concurrency.answered(1, at(i / static_cast<double>(concurrency.limit())));
            highest = std::max(highest, concurrency.limit());
        }
        EXPECT_LE(highest, most);
        EXPECT_GE(concurrency.limit(), 1);
    }
}

/// Batching servers get slower with every request, but not by as much as it brings.
TEST(Concurrency, TokensCountAndNotAnswers) {
    Concurrency concurrency(0, 64);
    double now = 0;
    // with 8 at once answers come as often as with 4, but are three times as long
    for (int i = 0; i < 3000; ++i) {
        now += concurrency.limit() <= 4 ? 1.0 / concurrency.limit() : 0.25;
        concurrency.answered(concurrency.limit() == 8 ? 300 : 100, at(now));
    }
    EXPECT_EQ(concurrency.limit(), 8) << concurrency.describe();
}

TEST(Concurrency, AGivenNumberStays) {
    Concurrency concurrency(5);
    for (int i = 0; i < 200; ++i) concurrency.answered(1, at(i));
    concurrency.overloaded({.sent = at(200), .now = at(201), .in_flight = 5, .said_so = true});
    EXPECT_EQ(concurrency.limit(), 5);
    EXPECT_EQ(concurrency.describe(), "5 (given)");
}

TEST(Concurrency, TooFewAnswersAreToldSo) {
    Concurrency concurrency(0);
    for (int i = 0; i < 4; ++i) concurrency.answered(1, at(i));
    EXPECT_THAT(concurrency.describe(), HasSubstr("too few answers"));
}

// Overload.

class Refuses : public testing::TestWithParam<int> {};

TEST_P(Refuses, IsFoundAndKept) {
    const int most = GetParam();
    Concurrency concurrency(0, 64);
    Simulation simulation(concurrency, {.slots = 100, .seconds = 1, .most = most});
    simulation.run(4000);
    EXPECT_LE(concurrency.limit(), most) << concurrency.describe();
    EXPECT_GE(concurrency.limit(), (most + 1) / 2) << concurrency.describe();
    EXPECT_LT(simulation.refused(), 200);
    EXPECT_THAT(concurrency.describe(), HasSubstr("the server refused some"));
}

INSTANTIATE_TEST_SUITE_P(Table, Refuses, testing::Values(1, 2, 3, 5, 8, 20, 40));

Concurrency searched_to(int limit) {
    Concurrency concurrency(0, limit);
    for (int i = 0; concurrency.describe().find("found") == std::string::npos && i < 5000; ++i)
        concurrency.answered(1, at(i / std::pow(concurrency.limit(), 2)));
    EXPECT_EQ(concurrency.limit(), limit);
    return concurrency;
}

TEST(Concurrency, ABurstOfRefusalsHalvesOnce) {
    auto concurrency = searched_to(64);
    for (int i = 0; i < 20; ++i) {
        concurrency.overloaded(
            {.sent = at(9000), .now = at(9001 + i), .in_flight = 64 - i, .said_so = true}
        );
    }
    EXPECT_EQ(concurrency.limit(), 32);
}

TEST(Concurrency, RefusalsWhileMoreAreInFlightThanMayBeDoNotCount) {
    auto concurrency = searched_to(64);
    concurrency.overloaded({.sent = at(9000), .now = at(9001), .in_flight = 64, .said_so = true});
    concurrency.overloaded({.sent = at(9002), .now = at(9003), .in_flight = 48, .said_so = true});
    EXPECT_EQ(concurrency.limit(), 32);
    concurrency.overloaded({.sent = at(9004), .now = at(9005), .in_flight = 32, .said_so = true});
    EXPECT_EQ(concurrency.limit(), 16);
}

TEST(Concurrency, ClimbsBackToLessThanWhatWasTooMany) {
    auto concurrency = searched_to(16);
    concurrency.overloaded({.sent = at(9000), .now = at(9001), .in_flight = 16, .said_so = true});
    EXPECT_EQ(concurrency.limit(), 8);
    for (int i = 0; i < 5000; ++i) concurrency.answered(1, at(9002 + i));
    EXPECT_EQ(concurrency.limit(), 15);
    EXPECT_EQ(concurrency.describe(), "15 (of 16 the server refused some)");
}

TEST(Concurrency, ATimeoutIsForgiven) {
    auto concurrency = searched_to(16);
    concurrency.overloaded({.sent = at(9000), .now = at(9001), .in_flight = 16});
    EXPECT_EQ(concurrency.limit(), 8);
    EXPECT_EQ(concurrency.describe(), "8 (16 before a timeout)");
    for (int i = 0; i < 1000; ++i) concurrency.answered(1, at(9002 + i));
    EXPECT_EQ(concurrency.limit(), 16);
    EXPECT_THAT(concurrency.describe(), StartsWith("16 (found; "));
}

TEST(Concurrency, ATimeoutWhileSearchingBeginsItAnew) {
    Concurrency concurrency(0, 64);
    concurrency.answered(1, at(0));
    concurrency.overloaded({.sent = at(0), .now = at(1), .in_flight = 2});
    EXPECT_EQ(concurrency.limit(), 1);
    Simulation(concurrency, {.slots = 16}).run(2000);
    EXPECT_GE(concurrency.limit(), 16) << concurrency.describe();
}

TEST(Concurrency, NeverFallsUnderOne) {
    auto concurrency = searched_to(4);
    for (int i = 0; i < 50; ++i) {
        concurrency.overloaded(
            {.sent = at(9000 + 2 * i), .now = at(9001 + 2 * i), .in_flight = 1, .said_so = true}
        );
    }
    EXPECT_EQ(concurrency.limit(), 1);
    for (int i = 0; i < 500; ++i) concurrency.answered(1, at(9999 + i));
    EXPECT_EQ(concurrency.limit(), 1);
}

}  // namespace
}  // namespace punie::eval
