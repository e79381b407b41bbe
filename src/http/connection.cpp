#include "http/connection.hpp"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <optional>
#include <tuple>
#include <utility>

namespace punie::http {

using asio::ip::tcp;

struct Connection::Core {
    explicit Core(asio::any_io_executor on)
        : executor(std::move(on)), socket(executor), timer(executor) {}

    void close() {
        boost::system::error_code ignored;  // closing is all that is left to do
        socket.close(ignored);
    }

    void stop_for(Stop why) {
        stop = why;
        close();
    }

    asio::any_io_executor executor;
    tcp::socket socket;
    std::optional<asio::ssl::stream<tcp::socket&>> tls;
    asio::steady_timer timer;
    Stop stop = Stop::none;
    unsigned long operation = 0;  // a timer that fires late belongs to an earlier one
};

Connection::Connection(const asio::any_io_executor& executor)
    : core_(std::make_shared<Core>(executor)) {}

Connection::~Connection() {
    close();
}

void Connection::close() {
    if (core_) core_->close();
}

bool Connection::quiet() const {
    if (!core_ || !core_->socket.is_open()) return false;
    if (core_->tls) {
        SSL* session = core_->tls->native_handle();
        if (SSL_has_pending(session) != 0 || BIO_ctrl_pending(SSL_get_rbio(session)) > 0)
            return false;
    }
    char byte = 0;
    const auto descriptor = core_->socket.native_handle();
    const auto got = ::recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

const asio::any_io_executor& Connection::executor() const {
    return core_->executor;
}

/// Runs one operation: `start(core, token)` begins it. The operation itself gets no cancellation
/// slot, as Asio's TLS would lose a cancellation between two of its steps; ours closes the socket
/// instead.
template <typename Start>
Task<IoResult> Connection::watched(SteadyTime deadline, Start start) {
    const auto core = core_;
    auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        core->close();
        co_return IoResult{.stop = Stop::cancelled};
    }
    core->stop = Stop::none;
    const auto operation = ++core->operation;
    const auto end = [weak = std::weak_ptr(core), operation](Stop why) {
        const auto alive = weak.lock();
        if (alive && alive->operation == operation) alive->stop_for(why);
    };
    if (deadline != SteadyTime::max()) {
        core->timer.expires_at(deadline);
        core->timer.async_wait([end](const boost::system::error_code& error) {
            if (!error) end(Stop::timed_out);
        });
    }
    auto slot = state.slot();
    if (slot.is_connected()) slot.assign([end](asio::cancellation_type) { end(Stop::cancelled); });

    auto token = asio::bind_cancellation_slot(
        asio::cancellation_slot(), asio::as_tuple(asio::use_awaitable)
    );
    const auto outcome = co_await start(*core, std::move(token));

    ++core->operation;
    core->timer.cancel();
    if (slot.is_connected()) slot.clear();
    IoResult result{.error = std::get<0>(outcome), .stop = core->stop};
    if constexpr (std::tuple_size_v<std::remove_cvref_t<decltype(outcome)>> > 1) {
        result.bytes = std::get<1>(outcome);
    }
    if (state.cancelled() != asio::cancellation_type::none) result.stop = Stop::cancelled;
    co_return result;
}

Task<IoResult> Connection::connect(tcp::endpoint endpoint, SteadyTime deadline) {
    boost::system::error_code error;
    core_->close();
    core_->socket.open(endpoint.protocol(), error);
    if (error) co_return IoResult{.error = error};
    // a child that is started meanwhile must not inherit it; the narrow gap until here is what
    // macOS leaves us
    ::fcntl(core_->socket.native_handle(), F_SETFD, FD_CLOEXEC);
    core_->socket.set_option(tcp::no_delay(true), error);
    co_return co_await watched(deadline, [endpoint](Core& core, auto token) {
        return core.socket.async_connect(endpoint, std::move(token));
    });
}

SSL* Connection::start_tls(asio::ssl::context& context) {
    core_->tls.emplace(core_->socket, context);
    return core_->tls->native_handle();
}

Task<IoResult> Connection::handshake(SteadyTime deadline) {
    co_return co_await watched(deadline, [](Core& core, auto token) {
        return core.tls->async_handshake(asio::ssl::stream_base::client, std::move(token));
    });
}

Task<IoResult> Connection::read_some(asio::mutable_buffer into, SteadyTime deadline) {
    co_return co_await watched(deadline, [into](Core& core, auto token) {
        return core.tls ? core.tls->async_read_some(into, std::move(token))
                        : core.socket.async_read_some(into, std::move(token));
    });
}

Task<IoResult> Connection::write_some(asio::const_buffer from, SteadyTime deadline) {
    co_return co_await watched(deadline, [from](Core& core, auto token) {
        return core.tls ? core.tls->async_write_some(from, std::move(token))
                        : core.socket.async_write_some(from, std::move(token));
    });
}

}  // namespace punie::http
