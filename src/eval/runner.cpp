#include "eval/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <memory>
#include <random>

#include "base/async_event.hpp"
#include "eval/concurrency.hpp"
#include "openai/tool_calls/answer.hpp"

namespace punie::eval {

namespace {

using Clock = std::chrono::steady_clock;

/// A server that answered so lately is there, whatever it says now: limits are often by the minute.
constexpr auto recently = std::chrono::minutes(2);

/// More often nobody can read it, and thousands of answers may come in a second.
constexpr auto progress_every = std::chrono::milliseconds(50);

double seconds_since(SteadyTime since) {
    return std::chrono::duration<double>(Clock::now() - since).count();
}

/// The completion tokens of a response, 1 where it does not count them.
double work_of(const json::value& response) {
    const auto* usage = member(response, "usage");
    if (usage == nullptr) return 1;
    return std::max(1.0, number_member(*usage, "completion_tokens").value_or(1));
}

bool is_response(const json::value& value) {
    const auto* choices = member(value, "choices");
    return choices != nullptr && choices->is_array() && !choices->as_array().empty();
}

/// A 2xx that is no response: some servers hide their errors in one.
std::string words_for(const json::value& value) {
    const auto* error = member(value, "error");
    if (error == nullptr) return "the answer has no choices";
    const auto words = error->is_string() ? std::string(error->get_string())
                                          : string_member(*error, "message").value_or("");
    return words.empty() ? "the answer is an error" : "the answer is an error: " + words;
}

/// Whether the answer is whole: not cut at the token limit, thinking closed.
SampleState state_of(const json::value& response) {
    const auto answer = openai::read_response(response);
    return answer.cut || answer.thinking_cut ? SampleState::cut : SampleState::answered;
}

class Run {
public:
    Run(asio::any_io_executor executor,
        std::vector<PlannedRequest> requests,
        const Suite& suite,
        Ask ask,
        RunnerOptions options)
        : executor_(std::move(executor)),
          requests_(std::move(requests)),
          suite_(suite),
          ask_(std::move(ask)),
          options_(options),
          concurrency_(options.concurrency, options.most_at_once),
          changed_(executor_),
          limit_timer_(executor_) {}

    Task<Result<RunnerOutcome>> to_end(RunnerCalls calls) {
        calls_ = std::move(calls);
        watch_time();
        bool stopping = false;
        while (true) {
            if (!stopping) fill_up();
            if (active_ == 0) break;
            if (co_await changed_.wait()) continue;
            // Cancelled, perhaps again: the workers are told, and their end is waited for all the
            // same.
            stopping = true;
            stop("cancelled");
            co_await asio::this_coro::reset_cancellation_state();
        }
        limit_timer_.cancel();
        show_progress();
        co_return outcome();
    }

private:
    struct Worker {
        asio::cancellation_signal cancel;
    };

    /// One attempt on its way.
    struct Sent {
        SteadyTime began;  ///< of the request's first attempt
        SteadyTime at;
    };

    void watch_time() {
        if (options_.max_seconds <= 0) return;
        limit_timer_.expires_after(std::chrono::duration_cast<Clock::duration>(
            std::chrono::duration<double>(options_.max_seconds)
        ));
        // It may have fired, and wait to be called, when the run is over.
        limit_timer_.async_wait(
            [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
                if (!error && !alive.expired()) stop("the time limit");
            }
        );
    }

    /// Nothing new is asked, and what runs is given up.
    void stop(std::string why) {
        if (!ended_by_.empty()) return;
        ended_by_ = std::move(why);
        for (auto& worker : workers_) worker.cancel.emit(asio::cancellation_type::terminal);
        changed_.notify();
    }

    void fail_with(Error error) {
        if (!error_) error_ = std::move(error);
        stop("an error");
    }

    bool may_begin() const {
        return ended_by_.empty() && next_ < requests_.size() && active_ < concurrency_.limit();
    }

    void fill_up() {
        while (may_begin()) {
            ++active_;
            workers_.emplace_back();
            const auto worker = std::prev(workers_.end());
            asio::co_spawn(
                executor_,
                work(worker),
                asio::bind_cancellation_slot(
                    worker->cancel.slot(),
                    [this, worker](const std::exception_ptr&) {  // work() does not throw
                        workers_.erase(worker);
                        --active_;
                        changed_.notify();
                    }
                )
            );
        }
    }

    /// One request after the other, as long as so many may run.
    Task<> work(std::list<Worker>::iterator) {
        co_await asio::this_coro::throw_if_cancelled(false);
        while (ended_by_.empty() && next_ < requests_.size() && active_ <= concurrency_.limit()) {
            const auto index = next_++;
            co_await ask_until_done(index);
            changed_.notify();  // more may run now
        }
    }

    Task<> ask_until_done(std::size_t index) {
        const auto began = Clock::now();
        AttemptState tries;
        while (true) {
            const Sent sent{.began = began, .at = Clock::now()};
            ++in_flight_;
            auto asked = co_await ask_(to_text(requests_[index].body));
            auto response = parsed(asked);
            const auto decision = decide(asked, !response.is_null(), tries, sent);
            --in_flight_;
            if (!decision.again) {
                keep(index, std::move(response), decision.state, tries, seconds_since(began));
                co_return;
            }
            ++progress_.retrying;
            report(tries.last_failure);
            changed_.notify();  // another one may be in flight now
            const bool goes_on = co_await pause(decision.wait) && co_await turn();
            --progress_.retrying;
            if (!goes_on) co_return;
        }
    }

    /// The response, null when the body is none. Its failure is then in words.
    json::value parsed(Asked& asked) const {
        if (asked.status < 200 || asked.status > 299) return nullptr;
        auto value = parse_json(asked.body);
        if (value && is_response(*value)) return std::move(*value);
        asked.failure = value ? words_for(*value)
                              : fmt::format("the answer is no JSON: {}", value.error().message());
        return nullptr;
    }

    AttemptDecision decide(const Asked& asked, bool whole, AttemptState& tries, const Sent& sent) {
        const auto now = Clock::now();
        const bool said_so = asks_to_wait(asked.status, asked.retry_after.has_value());
        if (said_so || asked.status == 503 || asked.timed_out) {
            concurrency_.overloaded(
                {.sent = sent.at, .now = now, .in_flight = in_flight_, .said_so = said_so}
            );
        }
        const AttemptEnd end{
            .status = asked.status,
            .whole_answer = whole,
            .cancelled = asked.cancelled || !ended_by_.empty(),
            .others_answered = last_answer_ > std::min(sent.began, now - recently),
            .failure = asked.failure,
            .retry_after = asked.retry_after
        };
        return after_attempt(tries, end, jitter_(random_), options_.attempts);
    }

    void keep(
        std::size_t index,
        json::value response,
        SampleState state,
        const AttemptState& tries,
        double seconds
    ) {
        if (state == SampleState::not_asked) return;  // nothing to record: a resume asks again
        auto& request = requests_[index];
        ResponseRecord record{
            .suite_hash = suite_.asked_hash,
            .prompt_id = suite_.prompts[request.prompt].id,
            .sample = request.sample,
            .request = std::move(request.body),
            .response = std::move(response),
            .state = state,
            .seconds = seconds,
            .attempts = tries.attempts
        };
        if (state == SampleState::answered) {
            record.state = state_of(record.response);
            last_answer_ = Clock::now();
            concurrency_.answered(work_of(record.response), last_answer_);
            unanswered_in_a_row_ = 0;
        } else {
            record.error = tries.last_failure;
            ++progress_.unanswered;
            ++unanswered_in_a_row_;
        }
        ++progress_.done;
        const auto failure = record.error;
        if (auto kept = calls_.on_record(std::move(record), request.prompt); !kept)
            fail_with(std::move(kept).error());
        report(failure);
        if (unanswered_in_a_row_ >= options_.give_up_after)
            stop(fmt::format("{} samples in a row without an answer", unanswered_in_a_row_));
    }

    void report(const std::string& failure) {
        if (!failure.empty()) progress_.last_failure = failure;
        if (const auto now = Clock::now(); now - reported_ >= progress_every) {
            reported_ = now;
            show_progress();
        }
    }

    void show_progress() {
        if (!calls_.on_progress) return;
        progress_.total = requests_.size();
        progress_.at_once = active_;
        progress_.seconds = seconds_since(began_);
        calls_.on_progress(progress_);
    }

    /// Waits until one more may be in flight: after a halving more wait for another attempt than
    /// may be sent. False when the run ended meanwhile.
    Task<bool> turn() {
        while (ended_by_.empty() && in_flight_ >= concurrency_.limit()) co_await changed_.wait();
        const bool goes_on = ended_by_.empty();
        co_return goes_on;
    }

    /// False when the run ended meanwhile.
    Task<bool> pause(Milliseconds time) {
        asio::steady_timer timer(executor_, time);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        const bool goes_on = ended_by_.empty();
        co_return goes_on;
    }

    Result<RunnerOutcome> outcome() {
        if (error_) return std::unexpected(std::move(*error_));
        return RunnerOutcome{
            .asked = progress_.done,
            .not_asked = requests_.size() - progress_.done,
            .concurrency = concurrency_.describe(),
            .ended_by = ended_by_,
            .seconds = seconds_since(began_)
        };
    }

    asio::any_io_executor executor_;
    std::vector<PlannedRequest> requests_;
    const Suite& suite_;
    Ask ask_;
    RunnerOptions options_;
    RunnerCalls calls_;
    Concurrency concurrency_;
    AsyncEvent changed_;
    asio::steady_timer limit_timer_;
    std::list<Worker> workers_;
    int active_ = 0;     ///< workers
    int in_flight_ = 0;  ///< of these, at the server
    SteadyTime last_answer_{};
    std::size_t next_ = 0;
    int unanswered_in_a_row_ = 0;
    RunnerProgress progress_;
    SteadyTime reported_{};
    std::string ended_by_;
    std::optional<Error> error_;
    SteadyTime began_ = Clock::now();
    std::minstd_rand random_{std::random_device{}()};
    std::uniform_real_distribution<double> jitter_{0, 1};
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace

Task<Result<RunnerOutcome>> run_requests(
    std::vector<PlannedRequest> requests,
    const Suite* suite,
    Ask ask,
    RunnerOptions options,
    RunnerCalls calls
) {
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    Run run(
        co_await asio::this_coro::executor, std::move(requests), *suite, std::move(ask), options
    );
    auto result = co_await run.to_end(std::move(calls));
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return result;
}

}  // namespace punie::eval
