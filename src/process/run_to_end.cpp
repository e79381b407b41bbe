// Short-lived programs: start, wait with a limit, collect.
#include <fmt/format.h>

#include <boost/asio.hpp>

#include "base/text.hpp"
#include "process/child.hpp"

namespace punie::process {

namespace {

using namespace std::chrono_literals;

constexpr auto leftover_grace =
    200ms;  // what a finished program leaves running is ended after this

/// Ends a child when its time is over. Shared with the timer's handler, which may run after the
/// child is gone.
struct Limit {
    explicit Limit(const asio::any_io_executor& executor) : timer(executor) {}

    asio::steady_timer timer;
    ManagedChild* child = nullptr;
    bool expired = false;
};

void arm(const std::shared_ptr<Limit>& limit, Milliseconds time) {
    limit->timer.expires_after(time);
    limit->timer.async_wait([limit](const boost::system::error_code& error) {
        if (error || limit->child == nullptr) return;
        limit->expired = !limit->child->exit_status();
        limit->child->kill();
    });
}

/// False when it was cancelled.
Task<bool> wait_for_end(std::shared_ptr<Limit> limit) {
    auto& child = *limit->child;
    try {
        co_await child.wait_exit();
        if (child.tree_alive() && !limit->expired) arm(limit, leftover_grace);
        co_await child.wait_gone();
        co_return true;
    } catch (const boost::system::system_error&) {
        co_return false;
    }
}

/// The program's own coroutine: its cancellation state is not its caller's.
Task<Result<Captured>> run_child(SpawnOptions options, Milliseconds time) {
    const auto command = shell_quoted(options.argv);
    auto spawned = co_await ManagedChild::spawn(std::move(options));
    if (!spawned) co_return std::unexpected(spawned.error());
    auto& child = *spawned;
    const auto limit = std::make_shared<Limit>(co_await asio::this_coro::executor);
    limit->child = &child;
    arm(limit, time);
    const bool waited = co_await wait_for_end(limit);
    if (!waited) {
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        child.kill();
        co_await child.wait_gone();
    }
    limit->child = nullptr;
    limit->timer.cancel();
    if (!waited) co_return fail(ErrorCode::cancelled, fmt::format("{} was cancelled", command));
    if (limit->expired) {
        auto error = Error(
            ErrorCode::timeout,
            fmt::format("{} did not end within {}", command, human_duration(time))
        );
        co_return std::unexpected(std::move(error).with_log(child.output().last_lines(20)));
    }
    co_return Captured{
        .status = child.exit_status().value_or(ExitStatus{}), .output = child.output().contents()
    };
}

}  // namespace

Task<Result<Captured>> run_to_end(SpawnOptions options, Milliseconds limit) {
    const auto executor = co_await asio::this_coro::executor;
    try {
        co_return co_await asio::co_spawn(
            executor, run_child(std::move(options), limit), asio::use_awaitable
        );
    } catch (const boost::system::system_error& error) {
        co_return fail(
            ErrorCode::cancelled,
            fmt::format("the start of a program was cancelled: {}", error.what())
        );
    }
}

Result<Captured> run_to_end_blocking(SpawnOptions options, Milliseconds limit) {
    asio::io_context context;
    std::optional<Result<Captured>> result;
    asio::co_spawn(
        context,
        run_to_end(std::move(options), limit),
        [&](const std::exception_ptr& error, Result<Captured> captured) {
            if (error) std::rethrow_exception(error);
            result.emplace(std::move(captured));
        }
    );
    context.run();
    return std::move(*result);
}

}  // namespace punie::process
