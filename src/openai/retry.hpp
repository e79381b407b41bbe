#pragma once
// Whether and when a failed request is sent again. Pure: state, event and now go in, the action
// comes out.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace punie::openai {

struct RetryPolicy {
    int max_attempts = 4;
    std::chrono::milliseconds first_wait{250};      ///< doubled for each further attempt
    std::chrono::milliseconds longest_wait{8'000};  ///< of the doubling
    /// A server may ask for longer by Retry-After; cut here, so that no header can park a caller
    /// for a day.
    std::chrono::milliseconds longest_retry_after{60'000};
};

/// How one attempt ended.
struct AttemptFailed {
    bool refused = false;       ///< the connection was refused: nothing was sent
    int status = 0;             ///< status of the answer; 0: none came
    std::string retry_after{};  ///< its Retry-After header; "" for none
    bool answer_begun = false;  ///< a byte of an answer was taken: a repeat would give it twice
    std::optional<std::chrono::milliseconds> time_left{};  ///< until the limit of the whole call
};

struct RetryState {
    int attempts = 0;  ///< made so far
};

struct RetryAction {
    bool again = false;
    std::chrono::milliseconds wait{0};
};

/// Again after a refused connection, 429 and 503, while attempts and time are left. Waits double
/// with jitter (half to all of the step); Retry-After is a lower bound, cut at the policy's limit.
/// `jitter` is in [0, 1). Source of the jitter: "Exponential Backoff And Jitter", AWS Architecture
/// Blog, 2015 ("equal jitter").
RetryAction next_attempt(
    RetryState& state,
    const AttemptFailed& event,
    std::chrono::system_clock::time_point now,
    double jitter,
    const RetryPolicy& policy
);

/// The wait that a Retry-After header asks for (RFC 9110, 10.2.3: seconds or an HTTP date in one of
/// its three forms); zero for a date that is past, nothing for what is neither.
std::optional<std::chrono::milliseconds> retry_after(
    std::string_view header, std::chrono::system_clock::time_point now
);

}  // namespace punie::openai
