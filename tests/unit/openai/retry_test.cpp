#include "openai/retry.hpp"

#include <gtest/gtest.h>

namespace punie::openai {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// Sun, 06 Nov 1994 08:49:37 GMT, the date of the RFC's examples.
const auto rfc_time = std::chrono::system_clock::from_time_t(784111777);

RetryAction first(const AttemptFailed& event, double jitter = 0) {
    RetryState state;
    return next_attempt(state, event, rfc_time, jitter, {});
}

TEST(Retry, OnlyWhereARepeatIsSafe) {
    EXPECT_TRUE(first({.refused = true}).again);
    EXPECT_TRUE(first({.status = 429}).again);
    EXPECT_TRUE(first({.status = 503}).again);
    for (const int status : {0, 200, 400, 401, 404, 408, 500, 502, 504}) {
        EXPECT_FALSE(first({.status = status}).again) << status;
    }
}

TEST(Retry, NeverAfterAnAnswerHasBegun) {
    EXPECT_FALSE(first({.status = 503, .answer_begun = true}).again);
    EXPECT_FALSE(first({.refused = true, .answer_begun = true}).again);
}

TEST(Retry, EndsWithTheAttempts) {
    RetryState state;
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(next_attempt(state, {.refused = true}, rfc_time, 0, {}).again);
    EXPECT_FALSE(next_attempt(state, {.refused = true}, rfc_time, 0, {}).again);
    EXPECT_EQ(state.attempts, 4);
}

TEST(Retry, OneAttemptMeansNone) {
    RetryState state;
    EXPECT_FALSE(next_attempt(state, {.status = 503}, rfc_time, 0, {.max_attempts = 1}).again);
    EXPECT_EQ(state.attempts, 1);
}

TEST(Retry, WaitsDoubleUpToALimit) {
    const RetryPolicy policy{.max_attempts = 10, .first_wait = 100ms, .longest_wait = 500ms};
    RetryState low;
    RetryState high;
    const milliseconds full[] = {100ms, 200ms, 400ms, 500ms, 500ms};
    for (const auto step : full) {
        EXPECT_EQ(next_attempt(low, {.status = 503}, rfc_time, 0, policy).wait, step / 2);
        const auto wait = next_attempt(high, {.status = 503}, rfc_time, 0.999, policy).wait;
        EXPECT_GE(wait, step - 2ms);
        EXPECT_LE(wait, step);
    }
}

TEST(Retry, RetryAfterIsALowerBound) {
    EXPECT_EQ(first({.status = 429, .retry_after = "3"}).wait, 3s);
    EXPECT_EQ(first({.status = 503, .retry_after = "0"}).wait, 125ms) << "the backoff still holds";
    EXPECT_EQ(first({.status = 503, .retry_after = "Sun, 06 Nov 1994 08:49:47 GMT"}).wait, 10s);
    EXPECT_EQ(first({.status = 503, .retry_after = "soon"}).wait, 125ms);
}

TEST(Retry, RetryAfterIsCut) {
    EXPECT_EQ(first({.status = 503, .retry_after = "7200"}).wait, 60s);
    EXPECT_EQ(first({.status = 503, .retry_after = "99999999999999999999"}).wait, 125ms)
        << "not a number we know";
}

TEST(Retry, NotBeyondTheCallersLimit) {
    EXPECT_FALSE(first({.status = 503, .retry_after = "3", .time_left = 2s}).again);
    EXPECT_TRUE(first({.status = 503, .retry_after = "3", .time_left = 4s}).again);
    EXPECT_FALSE(first({.refused = true, .time_left = -1ms}).again);
}

TEST(RetryAfter, Forms) {
    const struct {
        const char* header;
        std::optional<milliseconds> wait;
    } rows[] = {
        {"120", 120s},
        {" 7 ", 7s},
        {"0", 0s},
        {"-1", std::nullopt},
        {"1.5", std::nullopt},
        {"", std::nullopt},
        {"999999", 86'400s},
        {"Sun, 06 Nov 1994 08:50:37 GMT", 60s},
        {"Sunday, 06-Nov-94 08:50:37 GMT", 60s},
        {"Sun Nov  6 08:50:37 1994", 60s},
        {"Sun, 06 Nov 1994 08:00:00 GMT", 0s},
        {"Sun, 06 Nov 2094 08:00:00 GMT", 86'400s},
        {"Sun, 31 Feb 1994 08:49:37 GMT", std::nullopt},
        {"Sun, 06 Nox 1994 08:49:37 GMT", std::nullopt},
        {"Sun, 06 Nov 1994 25:49:37 GMT", std::nullopt},
        {"Sun, 06 Nov 1994 08:49:37 CET", std::nullopt},
        {"Sun, 06 Nov 1994 08:49:37 GMT and more", std::nullopt},
        {"Sun, -6 Nov 1994 08:49:37 GMT", std::nullopt},
    };

    for (const auto& row : rows)
        EXPECT_EQ(retry_after(row.header, rfc_time), row.wait) << row.header;
}

TEST(RetryAfter, FractionsOfNowAreRoundedUp) {
    EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:49:38 GMT", rfc_time + 1us), 1000ms);
}

}  // namespace
}  // namespace punie::openai
