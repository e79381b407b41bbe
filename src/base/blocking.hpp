#pragma once
// From a thread without an event loop into one: run a coroutine on another thread's io_context and
// wait for it.

#include <punie/error.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <memory>
#include <stop_token>
#include <utility>

#include "base/awaitable.hpp"

namespace punie {

/// Runs `work` on `executor` (whose context another thread runs) and blocks until its result.
/// `stop` cancels the coroutine; what it then returns is returned, and a coroutine that threw for
/// the cancellation becomes `cancelled`. Must not be called from the executor's own thread.
template <typename T>
Result<T> run_blocking(
    const asio::any_io_executor& executor, Task<Result<T>> work, std::stop_token stop
) {
    struct Shared {  // outlives this call in the hands of a stop callback that fires late
        std::promise<Result<T>> promise;
        asio::cancellation_signal cancel;
    };

    auto shared = std::make_shared<Shared>();
    auto future = shared->promise.get_future();
    const auto done = [shared](const std::exception_ptr& thrown, Result<T> result) {
        if (thrown) {
            shared->promise.set_value(fail(ErrorCode::cancelled, "the call was cancelled"));
        } else {
            shared->promise.set_value(std::move(result));
        }
    };
    asio::co_spawn(
        executor, std::move(work), asio::bind_cancellation_slot(shared->cancel.slot(), done)
    );
    const std::stop_callback on_stop(std::move(stop), [shared, executor] {
        asio::post(executor, [shared] { shared->cancel.emit(asio::cancellation_type::all); });
    });
    return future.get();
}

}  // namespace punie
