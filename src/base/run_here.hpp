#pragma once
// A coroutine run to its end in the calling thread, with a stop token.

#include <punie/error.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <stop_token>
#include <string>
#include <utility>

#include "base/awaitable.hpp"

namespace punie {

/// A stop cancels `work` (terminal), one that was asked for before too; what it then returns is
/// returned, and one that threw for it becomes `cancelled` with `what` in the message. Must not be
/// called from inside an event loop.
template <typename T>
Result<T> run_here(Task<Result<T>> work, std::stop_token stop, const std::string& what) {
    Result<T> result = fail(ErrorCode::cancelled, what + " was stopped");
    asio::io_context context(1);
    asio::cancellation_signal cancel;
    const auto done = [&result](const std::exception_ptr& thrown, Result<T> finished) {
        if (!thrown) {
            result = std::move(finished);
            return;
        }
        try {
            std::rethrow_exception(thrown);
        } catch (const boost::system::system_error& system) {
            if (system.code() != asio::error::operation_aborted)
                throw;  // aborted: `result` says so already
        }
    };
    asio::co_spawn(context, std::move(work), asio::bind_cancellation_slot(cancel.slot(), done));
    const std::stop_callback on_stop(std::move(stop), [&] {
        asio::post(context, [&cancel] { cancel.emit(asio::cancellation_type::terminal); });
    });
    context.run();
    return result;
}

}  // namespace punie
