#pragma once
// A limit for a coroutine: Asio 1.81 has no cancel_after.

#include <punie/error.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <optional>
#include <utility>
#include <variant>

#include "base/awaitable.hpp"

namespace punie::openai {

/// When a wait that begins now has lasted too long; a limit of zero is none (SteadyTime::max()).
inline SteadyTime after(Milliseconds limit) {
    return limit.count() > 0 ? std::chrono::steady_clock::now() + limit : SteadyTime::max();
}

/// Whether the coroutine was asked to stop. To be looked at before each wait: a cancellation that
/// came while nothing was waited for is only noted, and the next wait would not end.
inline Task<bool> was_cancelled() {
    const auto state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

inline std::unexpected<Error> cancelled() {
    return fail(ErrorCode::cancelled, "the request was cancelled");
}

/// The result of `work`, or nothing when `deadline` came first (then `work` was cancelled and has
/// ended). `work` must not throw and must answer a cancellation; that of the caller reaches it.
/// SteadyTime::max() is no limit.
template <typename T>
Task<std::optional<Result<T>>> until(SteadyTime deadline, Task<Result<T>> work) {
    using asio::experimental::awaitable_operators::operator||;
    if (co_await was_cancelled()) co_return Result<T>(cancelled());
    if (deadline == SteadyTime::max()) co_return co_await std::move(work);
    asio::steady_timer timer(co_await asio::this_coro::executor, deadline);
    // A timer that is cancelled throws, which makes `||` wait for the work's own answer: what we
    // want.
    auto first = co_await (std::move(work) || timer.async_wait(asio::use_awaitable));
    if (first.index() == 1) co_return std::nullopt;
    co_return std::get<0>(std::move(first));
}

}  // namespace punie::openai
