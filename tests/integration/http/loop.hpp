#pragma once
// An event loop for one test: runs a coroutine to its result, and cancels it from any thread.

#include <gtest/gtest.h>
#include <punie/error.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <optional>
#include <string>

#include "base/awaitable.hpp"
#include "http/client.hpp"

namespace punie::test {

class Loop {
public:
    /// The coroutine's result; a failure of the test when it takes over 20 s or throws.
    template <typename T>
    Result<T> run(Task<Result<T>> task) {
        std::optional<Result<T>> result;
        const auto done = [&result](const std::exception_ptr& thrown, Result<T> value) {
            if (!thrown) {
                result = std::move(value);
                return;
            }
            try {
                std::rethrow_exception(thrown);
            } catch (const std::exception& error) {
                result = fail(ErrorCode::state, error.what());
            }
        };
        asio::co_spawn(io_, std::move(task), asio::bind_cancellation_slot(signal_.slot(), done));
        io_.restart();
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!result && io_.run_one_until(end) > 0) {
        }
        if (!result) return fail(ErrorCode::state, "the coroutine did not end within 20 s");
        return std::move(*result);
    }

    /// Thread: any.
    void cancel() {
        asio::post(io_, [this] { signal_.emit(asio::cancellation_type::all); });
    }

    asio::io_context& io() { return io_; }

private:
    asio::cancellation_signal signal_;
    asio::io_context io_;
};

inline Result<http::Response> fetch(
    const http::Client& client, http::Request request, http::Deadlines deadlines = {}
) {
    Loop loop;
    return loop.run(client.send(std::move(request), deadlines));
}

inline Result<http::Response> fetch(const std::string& url, http::Deadlines deadlines = {}) {
    http::Request request;
    request.url = url;
    return fetch(http::Client(), std::move(request), deadlines);
}

}  // namespace punie::test
