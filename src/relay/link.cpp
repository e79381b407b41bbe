#include "relay/link.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

#include "http/tls.hpp"

namespace punie::relay {

namespace {

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

LinkIo failed(int error) {
    return {.io = {.kind = Io::Kind::failed, .error = error}};
}

}  // namespace

void Link::expired() {
    timed_out_ = true;
    if (open()) stream_->descriptor().cancel();
}

/// Waits until the operation that said "again" may go on: `done` then.
Task<LinkIo> Link::wait(Io::Kind kind) {
    const auto what = kind == Io::Kind::again_read ? Stream::Descriptor::wait_read
                                                   : Stream::Descriptor::wait_write;
    LinkIo result;
    if ((co_await asio::this_coro::cancellation_state).cancelled() ==
        asio::cancellation_type::none) {
        const auto [error] = co_await stream_->descriptor().async_wait(what, as_value);
        if (error && !timed_out_) result = failed(ECANCELED);
    }
    result.timed_out = timed_out_;
    result.cancelled =
        (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none;
    co_return result;
}

Task<LinkIo> Link::connect(asio::ip::tcp::endpoint endpoint, Milliseconds limit) {
    const int socket = make_socket(endpoint.protocol().family(), SOCK_STREAM);
    if (socket < 0) co_return failed(errno);
    stream_ = std::make_unique<Stream>(executor_, socket);
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(socket, endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0)
        co_return LinkIo{};
    if (errno != EINPROGRESS && errno != EINTR) co_return failed(errno);
    timed_out_ = false;
    deadlines_.set(*this, limit);
    auto waited = co_await wait(Io::Kind::again_write);
    Deadlines::remove(*this);
    if (!waited.fine()) co_return waited;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
    co_return error == 0 ? LinkIo{} : failed(error);
}

Task<LinkIo> Link::handshake(SSL_CTX* context, std::string host, bool verify, Milliseconds limit) {
    if (!stream_->start_tls(context, false)) co_return failed(ENOMEM);
    if (!http::expect_host(stream_->tls(), host, verify)) co_return failed(EINVAL);
    timed_out_ = false;
    deadlines_.set(*this, limit);
    LinkIo result;
    while (true) {
        result.io = stream_->handshake();
        if (!result.io.again()) break;
        result = co_await wait(result.io.kind);
        if (!result.fine()) break;
    }
    Deadlines::remove(*this);
    co_return result;
}

/// For a request that the peer does not take at once: it may be answering already, and then never
/// take the rest.
Task<LinkIo> Link::wait_writable_or_answer() {
    auto& descriptor = stream_->descriptor();
    const auto answered = std::make_shared<bool>(false);
    descriptor.async_wait(
        Stream::Descriptor::wait_read,
        [answered,
         &descriptor,
         alive = std::weak_ptr(answered)](const boost::system::error_code& error) {
            if (error || answered.use_count() < 2) return;
            *answered = true;
            descriptor.cancel();
        }
    );
    auto result = co_await wait(Io::Kind::again_write);
    if (*answered && !result.cancelled && !result.timed_out) {
        early_ = true;
        result.io = {};
    }
    descriptor.cancel();
    co_return result;
}

bool Link::send_now(std::span<iovec>& parts) {
    early_ = false;
    const auto io = stream_->send(parts);
    if (io.kind == Io::Kind::done) parts = advanced(parts, io.bytes);
    return parts.empty();
}

Task<LinkIo> Link::send(std::span<iovec> parts) {
    early_ = false;
    while (!parts.empty()) {
        const auto io = stream_->send(parts);
        if (io.kind == Io::Kind::done) {
            parts = advanced(parts, io.bytes);
            continue;
        }
        if (!io.again()) co_return LinkIo{.io = io};
        auto waited =
            stream_->tls() == nullptr ? co_await wait_writable_or_answer() : co_await wait(io.kind);
        if (!waited.fine() || early_) co_return waited;
    }
    co_return LinkIo{};
}

LinkIo Link::read_now() {
    const auto room = buffer_.room_size();
    const auto io = stream_->receive(buffer_.room(), room);
    if (io.kind == Io::Kind::done) {
        buffer_.added(io.bytes);
        full_ = io.bytes == room || stream_->has_pending();
    }
    return {.io = io};
}

Task<LinkIo> Link::read(Milliseconds limit) {
    buffer_.room();
    const bool plain = stream_->tls() == nullptr;
    if (full_ || !plain) {  // where nothing is to be expected the try would be a call in vain
        auto now = read_now();
        if (!now.io.again()) co_return now;
        full_ = false;
    }
    if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
        co_return LinkIo{.io = {.kind = Io::Kind::failed, .error = ECANCELED}, .cancelled = true};
    timed_out_ = false;
    if (limit.count() > 0) deadlines_.set(*this, limit);
    LinkIo result;
    if (plain) {
        const auto room = buffer_.room_size();
        const auto [error, bytes] = co_await stream_->descriptor().async_read_some(
            asio::buffer(buffer_.room(), room), as_value
        );
        buffer_.added(bytes);
        full_ = bytes == room;
        if (error) {
            result.io.kind = error == asio::error::eof ? Io::Kind::end : Io::Kind::failed;
            result.io.error = error == asio::error::eof ? 0 : error.value();
            result.timed_out = timed_out_;
            result.cancelled = !timed_out_ && error == asio::error::operation_aborted;
        }
    } else {
        do {
            result = co_await wait(Io::Kind::again_read);
            if (result.fine()) result = read_now();
        } while (result.io.again());
    }
    if (limit.count() > 0) Deadlines::remove(*this);
    co_return result;
}

}  // namespace punie::relay
