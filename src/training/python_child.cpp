#include "training/python_child.hpp"

#include <algorithm>
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

namespace punie::training {

namespace {

using Clock = std::chrono::steady_clock;

constexpr Milliseconds sample_every{200};  // of the tree's memory
constexpr int samples_a_beat = 5;
constexpr Milliseconds reader_grace{500};  // for the last events after the tree is gone
constexpr double working = 1.0;            // processor seconds that count as a sign of life
constexpr std::size_t shown_lines = 20;

class Watch {
public:
    Watch(const asio::any_io_executor& executor, PythonRun& run, process::ManagedChild& child)
        : executor_(executor), run_(run), child_(child), changed_(executor), timer_(executor) {}

    Task<PythonEnd> watch();

private:
    using Why = PythonEnd::Why;

    void own(Task<void> task, asio::cancellation_slot slot);
    Task<void> read_events();
    Task<void> pulse();
    Task<void> wait_exit();
    Task<void> wind_up();
    void sample();
    void end(Why why);

    asio::any_io_executor executor_;
    PythonRun& run_;
    process::ManagedChild& child_;
    AsyncEvent changed_;
    asio::steady_timer timer_;
    asio::cancellation_signal stop_reading_;
    int running_ = 0;
    bool winding_up_ = false;
    std::optional<Why> why_;
    bool killed_ = false;
    std::uint64_t tree_peak_ = 0;
    double cpu_seen_ = 0;
    std::uint64_t output_seen_ = 0;
    Clock::time_point start_ = Clock::now();
    Clock::time_point last_sign_ = start_;
};

/// Starts a coroutine that `watch` waits for.
void Watch::own(Task<void> task, asio::cancellation_slot slot) {
    ++running_;
    const auto done = [this](const std::exception_ptr& error) {
        --running_;
        changed_.notify();
        if (error) std::rethrow_exception(error);
    };
    asio::co_spawn(executor_, std::move(task), asio::bind_cancellation_slot(slot, done));
}

void Watch::end(Why why) {
    if (!why_) why_ = why;
    changed_.notify();
}

Task<void> Watch::read_events() {
    co_await asio::this_coro::throw_if_cancelled(false);
    try {
        while (const auto line = co_await child_.next_event()) {
            last_sign_ = Clock::now();
            if (!trim(*line).empty()) run_.on_event(*line);
        }
    } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::operation_aborted)
            throw;  // cancelled: somebody holds the pipe open
    }
}

void Watch::sample() {
    const auto usage = process::tree_usage(child_.guard_pid());
    tree_peak_ = std::max(tree_peak_, usage.resident);
    const auto now = Clock::now();
    const auto output = child_.output().total();
    if (usage.cpu.count() > cpu_seen_ + working || output != output_seen_) {
        cpu_seen_ = usage.cpu.count();
        output_seen_ = output;
        last_sign_ = now;
    }
    if (now - last_sign_ > run_.silence_limit) end(Why::hung);
}

Task<void> Watch::pulse() {
    for (int count = 0; !winding_up_; ++count) {
        sample();
        if (count % samples_a_beat == 0 && run_.on_beat) run_.on_beat();
        timer_.expires_after(sample_every);
        co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

Task<void> Watch::wait_exit() {
    co_await child_.wait_exit();
    end(Why::exited);
}

/// Ends the tree if it still runs, then waits for the last events.
Task<void> Watch::wind_up() {
    if (why_ != Why::exited && run_.on_stopping) run_.on_stopping();
    const auto grace = run_.stop_grace ? run_.stop_grace() : Milliseconds{2'000};
    const auto stopped = co_await child_.stop(grace);
    killed_ = stopped.how == process::StopReport::How::killed;
    winding_up_ = true;
    timer_.cancel();
    asio::steady_timer patience(executor_, reader_grace);
    patience.async_wait([this](const boost::system::error_code& error) {
        if (!error) stop_reading_.emit(asio::cancellation_type::terminal);
    });
    while (running_ > 0) co_await changed_.wait();
    patience.cancel();
}

Task<PythonEnd> Watch::watch() {
    co_await asio::this_coro::throw_if_cancelled(false);  // a cancellation winds up, in order
    own(read_events(), stop_reading_.slot());
    own(pulse(), {});
    own(wait_exit(), {});
    while (!why_) {
        if (!co_await changed_.wait()) end(Why::stopped);
    }
    // From here on everything is waited for, whoever asks to hurry: the waits are bounded.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await wind_up();
    co_return PythonEnd{
        .why = *why_,
        .status = child_.exit_status().value_or(process::ExitStatus{}),
        .killed = killed_,
        .log_lines = child_.output().last_lines(shown_lines),
        .seconds = std::chrono::duration<double>(Clock::now() - start_).count(),
        .tree_peak_gb = static_cast<double>(tree_peak_) / 1e9,
    };
}

/// A cancelled spawn as a value.
Task<Result<process::ManagedChild>> spawn(process::SpawnOptions options) {
    try {
        co_return co_await process::ManagedChild::spawn(std::move(options));
    } catch (const boost::system::system_error&) {
        co_return fail(ErrorCode::cancelled, "stopped before it began");
    }
}

}  // namespace

Task<Result<PythonEnd>> run_python(PythonRun run) {
    run.spawn.events = true;
    run.spawn.environment["PYTHONUNBUFFERED"] = "1";
    run.spawn.drop_environment = {"PYTHONSTARTUP", "PYTHONINSPECT"};
    auto child = co_await spawn(std::move(run.spawn));
    if (!child) co_return std::unexpected(std::move(child).error());
    const auto executor = co_await asio::this_coro::executor;
    Watch watch(executor, run, *child);
    co_return co_await watch.watch();
}

}  // namespace punie::training
