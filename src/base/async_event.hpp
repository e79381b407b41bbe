#pragma once
// A wake-up for any number of coroutines of one executor: Asio 1.81 has no condition variable.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/awaitable.hpp"

namespace punie {

/// Coroutines wait for `notify`; none is missed by a coroutine that already waits. Thread: its
/// executor's only.
class AsyncEvent {
public:
    explicit AsyncEvent(const asio::any_io_executor& executor)
        : timer_(executor, SteadyTime::max()) {}

    void notify() {
        ++generation_;
        timer_.cancel();
    }

    /// True after a notify, false when the wait was cancelled; never throws for cancellation.
    Task<bool> wait() {
        // The setting belongs to the whole chain of coroutines, not to this one: it is put back.
        const bool throws = co_await asio::this_coro::throw_if_cancelled();
        co_await asio::this_coro::throw_if_cancelled(false);
        const auto before = generation_;
        while (generation_ == before) {
            const auto state = co_await asio::this_coro::cancellation_state;
            if (state.cancelled() != asio::cancellation_type::none)
                break;  // perhaps before this wait began
            co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        }
        co_await asio::this_coro::throw_if_cancelled(throws);
        co_return generation_ != before;
    }

private:
    asio::steady_timer timer_;
    unsigned long generation_ = 0;
};

}  // namespace punie
