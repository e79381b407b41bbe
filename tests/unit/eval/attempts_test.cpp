// One attempt's end, one row; and sequences of them.

#include "eval/attempts.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace punie::eval {
namespace {

using std::chrono::milliseconds;

AttemptEnd status(int code, std::string failure = "no") {
    return {.status = code, .failure = std::move(failure)};
}

struct Row {
    const char* name;
    AttemptEnd end;
    bool again;
    SampleState state;
};

class FirstAttempt : public testing::TestWithParam<Row> {};

TEST_P(FirstAttempt, IsDecided) {
    AttemptState state;
    const auto decision = after_attempt(state, GetParam().end, 0.5, {});
    EXPECT_EQ(decision.again, GetParam().again);
    if (!decision.again) EXPECT_EQ(decision.state, GetParam().state);
    EXPECT_EQ(state.attempts, 1);
    if (!GetParam().end.cancelled) EXPECT_EQ(state.last_failure, GetParam().end.failure);
}

constexpr auto open = SampleState::failed;  // of rows that are tried again

INSTANTIATE_TEST_SUITE_P(
    Table,
    FirstAttempt,
    testing::Values(
        Row{"Answer", {.status = 200, .whole_answer = true}, false, SampleState::answered},
        Row{"AnswerAsTheRunEnds",
            {.status = 200, .whole_answer = true, .cancelled = true},
            false,
            SampleState::answered},
        Row{"Cancelled", {.cancelled = true, .failure = "x"}, false, SampleState::not_asked},
        Row{"CancelledBusy", {.status = 429, .cancelled = true}, false, SampleState::not_asked},
        Row{"BadRequest", status(400), false, SampleState::refused},
        Row{"NoKey", status(401), false, SampleState::refused},
        Row{"Forbidden", status(403), false, SampleState::refused},
        Row{"NoSuchModel", status(404), false, SampleState::refused},
        Row{"TooLong", status(413), false, SampleState::refused},
        Row{"Unprocessable", status(422), false, SampleState::refused},
        Row{"RequestTimeout", status(408), true, open},
        Row{"Conflict", status(409), true, open},
        Row{"TooEarly", status(425), true, open},
        Row{"TooMany", status(429), true, open},
        Row{"ServerError", status(500), true, open},
        Row{"BadGateway", status(502), true, open},
        Row{"Busy", status(503), true, open},
        Row{"NoConnection", status(0), true, open},
        Row{"Nonsense", status(200, "the answer is no JSON"), true, open},
        Row{"Redirect", status(302), true, open}
    ),
    [](const auto& info) { return info.param.name; }
);

/// The attempts that are made when each ends like this.
int attempts_until_failed(const AttemptEnd& end, const AttemptPolicy& policy) {
    AttemptState state;
    for (int i = 1; i < 1000; ++i) {
        const auto decision = after_attempt(state, end, 0.5, policy);
        if (!decision.again) {
            EXPECT_EQ(decision.state, SampleState::failed);
            EXPECT_EQ(state.attempts, i);
            return i;
        }
    }
    return -1;
}

struct Limit {
    const char* name;
    AttemptEnd end;
    AttemptPolicy policy;
    int attempts;
};

class EndlessFailure : public testing::TestWithParam<Limit> {};

TEST_P(EndlessFailure, Ends) {
    EXPECT_EQ(attempts_until_failed(GetParam().end, GetParam().policy), GetParam().attempts);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    EndlessFailure,
    testing::Values(
        Limit{"TheSameError", status(500, "broken"), {}, 3},
        Limit{"WithoutWords", status(500, ""), {}, 3},
        Limit{"Timeout", status(0, "waited 2 s"), {}, 3},
        Limit{"Unavailable", status(503), {}, 3},
        Limit{
            "UnavailableForThisOne", {.status = 503, .others_answered = true, .failure = "x"}, {}, 3
        },
        Limit{"BusyWithNobody", status(429), {}, 4},
        Limit{"BusyWithOthers", {.status = 429, .others_answered = true, .failure = "x"}, {}, 50},
        Limit{
            "AsksToWait",
            {.status = 503, .others_answered = true, .failure = "x", .retry_after = milliseconds(0)
            },
            {},
            50
        },
        Limit{
            "AsksToWaitForNobody",
            {.status = 503, .failure = "x", .retry_after = milliseconds(0)},
            {},
            4
        },
        Limit{
            "BrokenThoughOthersAreAnswered",
            {.status = 500, .others_answered = true, .failure = "x"},
            {},
            3
        },
        Limit{"OneAttempt", status(500), {.max_attempts = 1}, 1},
        Limit{
            "OneAttemptAlsoWhenBusy",
            {.status = 429, .others_answered = true},
            {.max_attempts = 1},
            1
        },
        Limit{"TwoOfTheSame", status(500), {.max_attempts = 9, .same_error = 2}, 2},
        Limit{"MoreThanTheSame", status(500), {.max_attempts = 2, .same_error = 5}, 2}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST(Attempts, DifferentErrorsHaveTheirFullNumber) {
    AttemptState state;
    EXPECT_TRUE(after_attempt(state, status(500, "a"), 0, {}).again);
    EXPECT_TRUE(after_attempt(state, status(500, "b"), 0, {}).again);
    EXPECT_TRUE(after_attempt(state, status(500, "a"), 0, {}).again);
    EXPECT_FALSE(after_attempt(state, status(500, "b"), 0, {}).again);
    EXPECT_EQ(state.last_failure, "b");
}

TEST(Attempts, BeingTurnedAwayDoesNotUseUpTheOthers) {
    AttemptState state;
    const AttemptEnd busy{.status = 429, .others_answered = true, .failure = "busy"};
    for (int i = 0; i < 8; ++i) EXPECT_TRUE(after_attempt(state, busy, 0, {}).again);
    EXPECT_TRUE(after_attempt(state, status(500), 0, {}).again);
    EXPECT_TRUE(after_attempt(state, status(500), 0, {}).again);
    EXPECT_FALSE(after_attempt(state, status(500), 0, {}).again);
    EXPECT_EQ(state.attempts, 11);
}

TEST(Attempts, WaitsDoubleUpToTheLongest) {
    const AttemptPolicy policy{
        .max_attempts = 100,
        .same_error = 100,
        .first_wait = milliseconds(100),
        .longest_wait = milliseconds(1000)
    };
    AttemptState state;
    std::vector<long> waits;
    for (int i = 0; i < 6; ++i)
        waits.push_back(after_attempt(state, status(500), 1.0, policy).wait.count());
    EXPECT_EQ(waits, (std::vector<long>{100, 200, 400, 800, 1000, 1000}));
}

TEST(Attempts, JitterTakesAwayUpToHalf) {
    const AttemptPolicy policy{.first_wait = milliseconds(100)};
    for (const double jitter : {0.0, 0.5, 0.999}) {
        AttemptState state;
        const auto wait = after_attempt(state, status(500), jitter, policy).wait.count();
        EXPECT_EQ(wait, static_cast<long>(100 * (0.5 + jitter / 2))) << jitter;
    }
}

struct Asks {
    long retry_after;
    long wait;
};

class RetryAfter : public testing::TestWithParam<Asks> {};

TEST_P(RetryAfter, IsALowerBoundUpToAMinute) {
    AttemptState state;
    auto end = status(429);
    end.retry_after = milliseconds(GetParam().retry_after);
    const auto wait = after_attempt(state, end, 0, {.first_wait = milliseconds(200)}).wait;
    EXPECT_EQ(wait.count(), GetParam().wait);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    RetryAfter,
    testing::Values(
        Asks{0, 100}, Asks{50, 100}, Asks{3000, 3000}, Asks{60'000, 60'000}, Asks{3'600'000, 60'000}
    )
);

}  // namespace
}  // namespace punie::eval
