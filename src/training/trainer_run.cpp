#include "training/trainer_run.hpp"

#include <fmt/format.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "base/async_event.hpp"
#include "base/text.hpp"
#include "process/system.hpp"
#include "training/printed_text.hpp"
#include "training/trainer_exit.hpp"

namespace punie::training {

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr Milliseconds tick{50};           // how late a printed line may be seen
constexpr int ticks_a_sample = 4;          // of the tree's memory: every 200 ms
constexpr int ticks_a_heartbeat = 20;      // of the progress: every second
constexpr Milliseconds reader_grace{500};  // for the last events after the tree is gone
constexpr double working = 1.0;            // processor seconds that count as a sign of life
constexpr std::size_t shown_lines = 20;

enum class Reason { none, exited, cancelled, too_slow, silent };

class Watcher {
public:
    Watcher(
        const asio::any_io_executor& executor,
        TrainerRun& run,
        process::ManagedChild& child,
        Clock::time_point start
    )
        : executor_(executor),
          run_(run),
          child_(child),
          start_(start),
          changed_(executor),
          timer_(executor) {}

    /// Returns when the tree is empty and both coroutines have ended.
    Task<Result<TrainerOutcome>> watch();

private:
    Task<void> read_events();
    Task<void> sample();
    Task<void> wait_exit();
    Task<void> wind_up();

    void own(Task<void> task);
    void take(const TrainerEvent& event, Source source);
    void take_printed();
    void take_sample();
    void judge_pace();
    void report(const char* phase = nullptr, bool with_iteration = false);
    void end(Reason reason);

    double elapsed() const { return Seconds(Clock::now() - start_).count(); }

    Result<TrainerOutcome> outcome();
    Error silence_error() const;

    asio::any_io_executor executor_;
    TrainerRun& run_;
    process::ManagedChild& child_;
    Clock::time_point start_;
    AsyncEvent changed_;
    asio::steady_timer timer_;
    asio::cancellation_signal stop_reading_;
    int running_ = 0;

    Reason reason_ = Reason::none;
    bool winding_up_ = false;
    double exit_seconds_ = 0;
    Measurement measurement_;
    std::uint64_t bad_lines_ = 0;
    PrintedText printed_;
    std::uint64_t printed_seen_ = 0;
    std::uint64_t tree_peak_ = 0;
    double cpu_seen_ = 0;
    std::uint64_t output_seen_ = 0;
    Clock::time_point last_sign_ = Clock::now();
};

/// Starts a coroutine that `watch` waits for.
void Watcher::own(Task<void> task) {
    ++running_;
    const auto done = [this](const std::exception_ptr& error) {
        --running_;
        changed_.notify();
        if (error) std::rethrow_exception(error);
    };
    asio::co_spawn(executor_, std::move(task), done);
}

void Watcher::end(Reason reason) {
    if (reason_ == Reason::none) reason_ = reason;
    changed_.notify();
}

void Watcher::report(const char* phase, bool with_iteration) {
    if (!run_.on_progress) return;
    const auto& done = measurement_.iterations();
    BenchmarkProgress progress{
        .phase = phase != nullptr ? phase : measurement_.phase(run_.validation),
        .iteration = done.empty() ? 0 : done.back().iteration,
        .iterations = run_.iterations,
        .elapsed_seconds = elapsed(),
        .report = std::nullopt,
    };
    if (with_iteration && !done.empty()) progress.report = done.back();
    run_.on_progress(progress);
}

void Watcher::take(const TrainerEvent& event, Source source) {
    last_sign_ = Clock::now();
    const auto before = measurement_.iterations().size();
    measurement_.take(event, elapsed(), source);
    report(nullptr, measurement_.iterations().size() > before);
    if (event.kind == EventKind::iteration) judge_pace();
}

void Watcher::judge_pace() {
    const bool more_to_come = !measurement_.iterations().empty() &&
                              measurement_.iterations().back().iteration < run_.iterations;
    if (!run_.stop_when_too_slow || !more_to_come) return;
    if (plainly_too_slow(measurement_.steady_seconds())) end(Reason::too_slow);
}

Task<void> Watcher::read_events() {
    co_await asio::this_coro::throw_if_cancelled(false);
    try {
        while (auto line = co_await child_.next_event()) {
            if (trim(*line).empty()) continue;
            if (const auto event = parse_event(*line)) {
                take(*event, Source::callback);
            } else {
                ++bad_lines_;
            }
        }
    } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::operation_aborted)
            throw;  // cancelled: somebody holds the pipe open
    }
}

/// The new bytes of the ring through the parser of printed text; what the ring lost in a flood is
/// lost.
void Watcher::take_printed() {
    const auto total = child_.output().total();
    if (total == printed_seen_ || measurement_.source() == Source::callback) {
        printed_seen_ = total;
        return;
    }
    const auto kept = child_.output().contents();
    const auto fresh = std::min<std::uint64_t>(total - printed_seen_, kept.size());
    printed_seen_ = total;
    printed_.feed(std::string_view(kept).substr(kept.size() - static_cast<std::size_t>(fresh)));
    for (const auto& event : printed_.take()) take(event, Source::printed_text);
}

void Watcher::take_sample() {
    const auto usage = process::tree_usage(child_.guard_pid());
    tree_peak_ = std::max(tree_peak_, usage.resident);
    const auto now = Clock::now();
    const auto output = child_.output().total();
    if (usage.cpu.count() > cpu_seen_ + working || output != output_seen_) {
        cpu_seen_ = usage.cpu.count();
        output_seen_ = output;
        last_sign_ = now;
    }
    if (now - last_sign_ > run_.silence_limit) end(Reason::silent);
}

Task<void> Watcher::sample() {
    for (int count = 0; !winding_up_; ++count) {
        take_printed();
        if (count % ticks_a_sample == 0) take_sample();
        if (count % ticks_a_heartbeat == 0) report();
        timer_.expires_after(tick);
        co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

Task<void> Watcher::wait_exit() {
    co_await child_.wait_exit();
    exit_seconds_ = elapsed();
    end(Reason::exited);
}

/// Ends the tree if it still runs, then waits for the last events.
Task<void> Watcher::wind_up() {
    if (reason_ != Reason::exited) report("stopping");
    co_await child_.stop(run_.stop_grace);
    winding_up_ = true;
    timer_.cancel();
    asio::steady_timer patience(executor_, reader_grace);
    patience.async_wait([this](const boost::system::error_code& error) {
        if (!error) stop_reading_.emit(asio::cancellation_type::terminal);
    });
    while (running_ > 0) co_await changed_.wait();
    patience.cancel();
    take_printed();
    for (const auto& event : printed_.take()) take(event, Source::printed_text);
}

Task<Result<TrainerOutcome>> Watcher::watch() {
    co_await asio::this_coro::throw_if_cancelled(false
    );  // a cancellation is a reason to wind up, in order
    ++running_;
    const auto reader_done = [this](const std::exception_ptr& error) {
        --running_;
        changed_.notify();
        if (error) std::rethrow_exception(error);
    };
    asio::co_spawn(
        executor_, read_events(), asio::bind_cancellation_slot(stop_reading_.slot(), reader_done)
    );
    own(sample());
    own(wait_exit());
    while (reason_ == Reason::none) {
        if (!co_await changed_.wait()) end(Reason::cancelled);
    }
    // From here on everything is waited for, whoever asks to hurry: the waits are short and
    // bounded.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await wind_up();
    co_return outcome();
}

Error Watcher::silence_error() const {
    return Error(
               ErrorCode::timeout,
               fmt::format(
                   "the trainer of {} hangs: for {} it reported nothing, printed nothing and used "
                   "no processor time, "
                   "after {} iterations",
                   run_.model_path,
                   human_duration(run_.silence_limit),
                   measurement_.iterations().size()
               )
    )
        .with_hint("try again; if it hangs again, take a smaller batch or shorter sequences")
        .with_log(child_.output().last_lines(shown_lines));
}

Result<TrainerOutcome> Watcher::outcome() {
    if (reason_ == Reason::cancelled)
        return fail(ErrorCode::cancelled, "the training benchmark was stopped");
    if (reason_ == Reason::silent) return std::unexpected(silence_error());
    const auto status = child_.exit_status().value_or(process::ExitStatus{});
    const int done =
        measurement_.iterations().empty() ? 0 : measurement_.iterations().back().iteration;
    if (reason_ == Reason::exited && !status.success()) {
        TrainerEnd trainer_end{
            .status = status,
            .log_lines = child_.output().last_lines(shown_lines),
            .reported_error = measurement_.reported_error(),
            .model_path = run_.model_path,
            .iterations = done,
        };
        return std::unexpected(explain_trainer_exit(std::move(trainer_end)));
    }
    if (done == 0) {
        auto error = Error(
            ErrorCode::protocol,
            fmt::format(
                "the trainer of {} ended without an error, but reported no iteration ({} "
                "unreadable event lines)",
                run_.model_path,
                bad_lines_
            )
        );
        return std::unexpected(std::move(error).with_log(child_.output().last_lines(shown_lines)));
    }
    return TrainerOutcome{
        .measurement = std::move(measurement_),
        .seconds = exit_seconds_,
        .tree_peak_gb = static_cast<double>(tree_peak_) / 1e9,
        .stopped_early = reason_ == Reason::too_slow,
        .bad_event_lines = bad_lines_,
    };
}

/// A cancelled spawn as a value.
Task<Result<process::ManagedChild>> spawn(process::SpawnOptions options) {
    try {
        co_return co_await process::ManagedChild::spawn(std::move(options));
    } catch (const boost::system::system_error&) {
        co_return fail(ErrorCode::cancelled, "the training benchmark was stopped");
    }
}

}  // namespace

Task<Result<TrainerOutcome>> run_trainer(TrainerRun run) {
    const auto start = Clock::now();
    run.spawn.events = true;
    auto child = co_await spawn(std::move(run.spawn));
    if (!child) co_return std::unexpected(std::move(child).error());
    const auto executor = co_await asio::this_coro::executor;
    Watcher watcher(executor, run, *child, start);
    co_return co_await watcher.watch();
}

}  // namespace punie::training
