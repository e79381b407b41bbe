#pragma once
// Runs one coroutine to its end for a caller without an event loop.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "base/awaitable.hpp"

namespace punie::backend {

/// Must not be called from inside an event loop. An exception of the coroutine comes out here.
template <typename Value>
Value run_blocking(Task<Value> task) {
    asio::io_context context;
    std::optional<Value> result;
    std::exception_ptr thrown;
    asio::co_spawn(context, std::move(task), [&](std::exception_ptr error, Value value) {
        thrown = std::move(error);
        result.emplace(std::move(value));
    });
    context.run();
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*result);
}

}  // namespace punie::backend
