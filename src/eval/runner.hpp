#pragma once
// Requests to a server, many at once, each until it has an answer or a reason why not.
//
//   plan -> worker coroutines (as many as Concurrency says) -> ask, again where that helps
//        -> on_record, in the order in which answers come
//
// Who waits for whom: `run_requests` owns the workers and returns after all have ended. Thread: all
// on the executor of the caller. Knows no sockets: `Ask` does.

#include <punie/error.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/awaitable.hpp"
#include "eval/attempts.hpp"
#include "eval/plan.hpp"
#include "eval/record.hpp"

namespace punie::eval {

/// What one attempt brought.
struct Asked {
    int status = 0;
    std::string body;
    std::string failure;  ///< in words when there is no whole answer
    bool timed_out = false;
    bool cancelled = false;
    std::optional<std::chrono::milliseconds> retry_after;
};

/// Sends one body; must answer a cancellation and must not throw.
using Ask = std::function<Task<Asked>(std::string body)>;

struct RunnerOptions {
    int concurrency = 0;     ///< 0: found by itself
    int most_at_once = 64;   ///< of the search
    double max_seconds = 0;  ///< nothing new is asked after it, what runs is given up; 0: none
    AttemptPolicy attempts{};
    /// So many samples in a row without an answer end the run: the server is gone.
    int give_up_after = 25;
};

/// Counts so far, for a progress line.
struct RunnerProgress {
    std::size_t total = 0;
    std::size_t done = 0;  ///< with a record
    std::size_t unanswered = 0;
    int at_once = 0;
    int retrying = 0;  ///< wait for another attempt
    double seconds = 0;
    std::string last_failure;
};

struct RunnerOutcome {
    std::size_t asked = 0;
    std::size_t not_asked = 0;
    std::string concurrency;  ///< Concurrency::describe
    std::string ended_by;     ///< "": all were asked; else "cancelled", "the time limit", ...
    double seconds = 0;
};

struct RunnerCalls {
    /// For each finished sample; an error ends the run (the disk is full, say).
    std::function<Result<void>(ResponseRecord&&, std::size_t prompt)> on_record;
    /// After a record or a failed attempt, at most every 50 ms, and at the end. May be empty.
    std::function<void(const RunnerProgress&)> on_progress;
};

/// Asks `requests` in their order. `suite_hash` goes into the records. Errors: what on_record
/// returned. Cancellable: what runs is given up and counted as not asked.
Task<Result<RunnerOutcome>> run_requests(
    std::vector<PlannedRequest> requests,
    const Suite* suite,
    Ask ask,
    RunnerOptions options,
    RunnerCalls calls
);

}  // namespace punie::eval
