#pragma once
// One TCP connection, with or without TLS. Every operation ends at its deadline or at a
// cancellation, whichever step of TLS it is in: both close the socket, after which nothing can be
// waiting any more.

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "base/awaitable.hpp"

namespace punie::http {

/// What ended an operation before it was done.
enum class Stop { none, timed_out, cancelled };

struct IoResult {
    boost::system::error_code error;
    std::size_t bytes = 0;
    Stop stop = Stop::none;

    bool fine() const { return stop == Stop::none && !error; }
};

/// Thread: the executor's; with more than one thread it must be a strand. One operation at a time.
/// The calling coroutine must not throw on cancellation (this_coro::throw_if_cancelled(false)).
class Connection {
public:
    explicit Connection(const asio::any_io_executor& executor);
    Connection(Connection&&) noexcept = default;
    Connection& operator=(Connection&&) noexcept = default;
    ~Connection();

    Task<IoResult> connect(asio::ip::tcp::endpoint endpoint, SteadyTime deadline);

    /// From now on TLS; `handshake` must follow. `context` must outlive the connection.
    SSL* start_tls(asio::ssl::context& context);
    Task<IoResult> handshake(SteadyTime deadline);

    /// At least one byte. The peer's proper end is asio::error::eof; TLS cut off without its own
    /// end is another error.
    Task<IoResult> read_some(asio::mutable_buffer into, SteadyTime deadline);
    Task<IoResult> write_some(asio::const_buffer from, SteadyTime deadline);

    void close();

    /// Open, and nothing has arrived that was not read: fit to serve another exchange.
    bool quiet() const;

    const asio::any_io_executor& executor() const;

private:
    struct Core;

    template <typename Start>
    Task<IoResult> watched(SteadyTime deadline, Start start);

    std::shared_ptr<Core> core_;  // shared with handlers of the timer, which may run late
};

}  // namespace punie::http
