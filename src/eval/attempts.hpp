#pragma once
// What becomes of a request whose attempt ended: an answer, another attempt, or a state in the
// record. Pure. A request of an evaluation may be repeated whatever happened: nothing is changed by
// it.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "eval/record.hpp"

namespace punie::eval {

struct AttemptPolicy {
    int max_attempts = 4;
    int same_error = 3;  ///< the same failure so often in a row is the end
    /// Attempts that a busy server may turn away while it answers other requests; they do not count
    /// as the ones above. One that answers nobody is not busy but gone.
    int max_busy = 50;
    std::chrono::milliseconds first_wait{250};
    std::chrono::milliseconds longest_wait{10'000};
};

/// How one attempt ended.
struct AttemptEnd {
    int status = 0;             ///< of the answer; 0: none came
    bool whole_answer = false;  ///< a 2xx with a body that is an OpenAI response
    bool cancelled = false;
    bool others_answered = false;  ///< other requests got answers meanwhile, or just before
    std::string failure{};         ///< in words, "" for a whole answer
    std::optional<std::chrono::milliseconds> retry_after{};
};

struct AttemptState {
    int attempts = 0;
    int turned_away = 0;  ///< of these, by a server that was busy with others
    int same_in_a_row = 0;
    std::string last_failure{};
};

struct AttemptDecision {
    bool again = false;
    std::chrono::milliseconds wait{0};
    SampleState state = SampleState::answered;  ///< when not again
};

/// Whether the server says that it is busy: 429, or 503 with a Retry-After (one without may have
/// any cause).
bool asks_to_wait(int status, bool has_retry_after);

/// `jitter` in [0, 1). Refused without repeat: 4xx but 408, 409, 425 and 429. Waits double from
/// `first_wait`; Retry-After is a lower bound, up to a minute.
AttemptDecision after_attempt(
    AttemptState& state, const AttemptEnd& end, double jitter, const AttemptPolicy& policy
);

}  // namespace punie::eval
