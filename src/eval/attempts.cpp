#include "eval/attempts.hpp"

#include <algorithm>

namespace punie::eval {

namespace {

constexpr auto longest_retry_after = std::chrono::milliseconds(60'000);

bool refuses_for_good(int status) {
    return status >= 400 && status < 500 && status != 408 && status != 409 && status != 425 &&
           status != 429;
}

std::chrono::milliseconds wait_before(
    const AttemptState& state, const AttemptEnd& end, double jitter, const AttemptPolicy& policy
) {
    auto wait = policy.first_wait;
    for (int i = 1; i < state.attempts && wait < policy.longest_wait; ++i) wait *= 2;
    wait = std::min(wait, policy.longest_wait);
    const auto jittered = std::chrono::milliseconds(
        static_cast<long>(static_cast<double>(wait.count()) * (0.5 + jitter / 2))
    );
    if (!end.retry_after) return jittered;
    return std::max(jittered, std::min(*end.retry_after, longest_retry_after));
}

bool out_of_attempts(AttemptState& state, const AttemptEnd& end, const AttemptPolicy& policy) {
    // A server that asks to wait is not failing: that does not count as the same error.
    const bool busy = asks_to_wait(end.status, end.retry_after.has_value());
    const bool same = !busy && end.failure == state.last_failure;
    state.same_in_a_row = same ? state.same_in_a_row + 1 : 1;
    state.last_failure = end.failure;
    if (busy && end.others_answered && policy.max_attempts > 1)
        return ++state.turned_away >= policy.max_busy;
    return state.attempts - state.turned_away >= policy.max_attempts ||
           state.same_in_a_row >= policy.same_error;
}

}  // namespace

bool asks_to_wait(int status, bool has_retry_after) {
    return status == 429 || (status == 503 && has_retry_after);
}

AttemptDecision after_attempt(
    AttemptState& state, const AttemptEnd& end, double jitter, const AttemptPolicy& policy
) {
    ++state.attempts;
    if (end.whole_answer) return {.state = SampleState::answered};
    if (end.cancelled) return {.state = SampleState::not_asked};
    if (refuses_for_good(end.status)) {
        state.last_failure = end.failure;
        return {.state = SampleState::refused};
    }
    if (out_of_attempts(state, end, policy)) return {.state = SampleState::failed};
    return {.again = true, .wait = wait_before(state, end, jitter, policy)};
}

}  // namespace punie::eval
