#include "relay/connection.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/ssl.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <ctime>
#include <utility>

#include "relay/exchange.hpp"
#include "relay/syntax.hpp"

namespace punie::relay {

namespace {

constexpr std::size_t buffer_size = 16UL << 10U;
constexpr Milliseconds linger_time{2'000};
constexpr std::size_t linger_bytes = 4UL << 20U;  // what a refused client may still send
constexpr Milliseconds abort_time{1'000};         // to take what was sent before the reset

std::string json_quoted(std::string_view text) {
    std::string quoted;
    quoted.reserve(text.size() + 2);
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted;
}

std::string openai_error(int status, std::string_view message) {
    return fmt::format(
        R"({{"error":{{"message":"{}","type":"{}","param":null,"code":"http_{}"}}}})",
        json_quoted(message),
        status < 500 || status == 505 ? "invalid_request_error" : "server_error",
        status
    );
}

}  // namespace

FrontCore::FrontCore(const asio::any_io_executor& on, Handler asked, FrontLimits given)
    : executor(on),
      handler(std::move(asked)),
      limits(std::move(given)),
      error_body(openai_error),
      buffers(buffer_size),
      deadlines(on),
      changed(on) {}

std::string_view FrontCore::date() {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    if (now != date_of_) {
        date_of_ = now;
        const auto time = std::chrono::system_clock::to_time_t(now);
        std::tm parts{};
        ::gmtime_r(&time, &parts);
        date_ = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", parts);
    }
    return date_;
}

std::string FrontCore::refusal(int status, std::string_view message) {
    const auto body = error_body(status, message);
    return fmt::format(
        "HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nDate: {}\r\n"
        "Connection: close\r\n\r\n{}",
        status,
        reason_phrase(status),
        body.size(),
        date(),
        body
    );
}

Connection::Connection(std::shared_ptr<FrontCore> front, int socket, Peer peer)
    : front_(std::move(front)),
      stream_(front_->executor, socket),
      peer_(std::move(peer)),
      buffer_(front_->buffers) {
    place_ = front_->connections.insert(front_->connections.end(), this);
}

Connection::~Connection() {
    close();
}

void Connection::start(SSL_CTX* tls, bool refused) {
    if (refused) {
        if (tls != nullptr) return close();
        return refuse(503, "this server has as many connections as it may: try again later");
    }
    if (tls == nullptr) {
        front_->deadlines.set(*this, front_->limits.head);
        return wait_readable();
    }
    if (!stream_.start_tls(tls, true)) return close();
    phase_ = Phase::handshake;
    front_->deadlines.set(*this, front_->limits.head);
    wait_readable();
}

void Connection::stop() {
    if (phase_ != Phase::handling && phase_ != Phase::aborting) close();
}

void Connection::reset() {
    if (phase_ == Phase::closed) return;
    stream_.reset();
    close();
    cancel_.emit(asio::cancellation_type::terminal);
}

void Connection::close() {
    if (phase_ == Phase::closed) return;
    phase_ = Phase::closed;
    stream_.close();
    buffer_.release();
    Deadlines::remove(*this);
    front_->connections.erase(place_);
    front_->changed.notify();
}

void Connection::wait_readable() {
    if (waits_readable_) return;
    waits_readable_ = true;
    stream_.descriptor().async_wait(
        Stream::Descriptor::wait_read,
        [self = shared_from_this()](const boost::system::error_code& error) {
            self->waits_readable_ = false;
            if (!error) self->on_readable();
        }
    );
}

void Connection::wait_writable() {
    stream_.descriptor().async_wait(
        Stream::Descriptor::wait_write,
        [self = shared_from_this()](const boost::system::error_code& error) {
            if (!error) self->on_readable();
        }
    );
}

/// Only a reset wakes it: bytes of the next request, or their end, are already there.
void Connection::wait_for_break() {
    if (waits_break_) return;
    waits_break_ = true;
    stream_.descriptor().async_wait(
        Stream::Descriptor::wait_error,
        [self = shared_from_this()](const boost::system::error_code& error) {
            self->waits_break_ = false;
            if (!error && self->phase_ == Phase::handling && self->stream_.broken()) self->left();
        }
    );
}

void Connection::on_readable() {
    switch (phase_) {
        case Phase::handshake:
            return handshake();
        case Phase::idle:
        case Phase::head:
            return read_head();
        case Phase::handling:
            return look_at_client();
        case Phase::lingering:
            return discard();
        case Phase::aborting:
        case Phase::closed:
            return;
    }
}

void Connection::handshake() {
    const auto io = stream_.handshake();
    if (io.kind == Io::Kind::again_read) return wait_readable();
    if (io.kind == Io::Kind::again_write) return wait_writable();
    if (io.kind != Io::Kind::done) return close();
    phase_ = Phase::idle;
    read_head();
}

/// Room for more of a head, or false when it is too long.
bool Connection::has_room() {
    buffer_.room();
    if (buffer_.room_size() > 0) return true;
    if (buffer_.size() >= front_->limits.head_bytes) return false;
    buffer_.grow();
    return true;
}

void Connection::read_head() {
    while (has_room()) {
        const auto room = buffer_.room_size();
        const auto io = stream_.receive(buffer_.room(), room);
        if (io.again()) {
            if (buffer_.empty()) buffer_.release();
            return io.kind == Io::Kind::again_read ? wait_readable() : wait_writable();
        }
        if (io.kind != Io::Kind::done) return close();
        buffer_.added(io.bytes);
        if (phase_ == Phase::idle) {
            phase_ = Phase::head;
            front_->deadlines.set(*this, front_->limits.head);
        }
        if (take_head()) return;
        if (io.bytes < room && stream_.tls() == nullptr) return wait_readable();
    }
    refuse(431, fmt::format("the request's head is over {} bytes", front_->limits.head_bytes));
}

/// True when the buffer held a head, good or bad.
bool Connection::take_head() {
    // RFC 9112, 2.2: an empty line before a request is forgiven
    if (scanner_.fresh() && buffer_.view().starts_with("\r\n")) buffer_.used(2);
    if (buffer_.empty()) return false;
    const auto state = scanner_.scan(buffer_.view());
    if (state == HeadScanner::State::bad) {
        const bool tls = buffer_.view().starts_with('\x16');
        refuse(
            400, tls ? "this port speaks HTTP without TLS" : "the request's head is not HTTP/1.1"
        );
        return true;
    }
    if (buffer_.size() > front_->limits.head_bytes &&
        (state != HeadScanner::State::complete || scanner_.size() > front_->limits.head_bytes)) {
        refuse(431, fmt::format("the request's head is over {} bytes", front_->limits.head_bytes));
        return true;
    }
    if (state != HeadScanner::State::complete) return false;
    const auto text = buffer_.view().substr(0, scanner_.size());
    auto request = parse_request_head(text, front_->limits.headers);
    if (!request) {
        refuse(request.error().status, request.error().message);
        return true;
    }
    buffer_.used(scanner_.size());
    scanner_ = HeadScanner();
    begin_request(*std::move(request));
    return true;
}

namespace {

Task<void> serve(std::shared_ptr<Connection> connection, ClientExchange* exchange) {
    co_await asio::this_coro::throw_if_cancelled(false);
    try {
        co_await connection->front().handler(*exchange);
        // NOLINTNEXTLINE(bugprone-empty-catch): its words may be none of the client's business
    } catch (...) {  // 500 or a torn answer says enough
    }
    co_await exchange->conclude();
}

}  // namespace

void Connection::begin_request(RequestHead request) {
    phase_ = Phase::handling;
    timed_out_ = false;
    clear_deadline();
    exchange_ = std::make_unique<ClientExchange>(*this, std::move(request));
    if (buffer_.empty()) buffer_.release();
    if (exchange_->body_done()) watch();
    ++front_->handlers;
    asio::co_spawn(
        front_->executor,
        serve(shared_from_this(), exchange_.get()),
        asio::bind_cancellation_slot(
            cancel_.slot(),
            [self = shared_from_this()](const std::exception_ptr&) { self->after_request(); }
        )
    );
}

void Connection::after_request() {
    const auto done = std::move(exchange_);
    if (--front_->handlers == 0 && front_->stopping) front_->changed.notify();
    if (gone()) return;
    if (!done->keeps() || front_->stopping) return linger();
    phase_ = Phase::idle;
    front_->deadlines.set(*this, front_->limits.idle);
    if (buffer_.empty()) {
        buffer_.release();
        if (waits_readable_ && !stream_.has_pending()) return;
        return read_head();
    }
    // posted: a thousand requests in one packet must not become a thousand frames on the stack
    asio::post(front_->executor, [self = shared_from_this()] {
        if (self->phase_ != Phase::idle) return;
        self->phase_ = Phase::head;
        self->front_->deadlines.set(*self, self->front_->limits.head);
        if (!self->take_head()) self->read_head();
    });
}

void Connection::watch() {
    if (!buffer_.empty() || half_closed_) return wait_for_break();
    wait_readable();
}

/// Something came from the client while its answer is due.
void Connection::look_at_client() {
    if (!exchange_ || exchange_->reads_body()) return;
    if (stream_.broken()) return left();
    if (!half_closed_ && stream_.peer_ended()) {
        half_closed_ = true;
        exchange_->probe();
        if (phase_ != Phase::handling) return;
        if (stream_.broken()) return left();
    }
    wait_for_break();
}

void Connection::left() {
    close();
    cancel_.emit(asio::cancellation_type::terminal);
}

void Connection::expired() {
    const auto self = shared_from_this();
    switch (phase_) {
        case Phase::head:
            return refuse(408, "the request's head did not arrive in time");
        case Phase::handling:
            return expired_while_handling();
        case Phase::aborting:
            stream_.reset();
            return close();
        case Phase::handshake:
        case Phase::idle:
        case Phase::lingering:
            return close();
        case Phase::closed:
            return;
    }
}

void Connection::expired_while_handling() {
    timed_out_ = true;
    if (exchange_ && exchange_->reads_body()) {
        stream_.descriptor().cancel();
        return;
    }
    // a slow reader makes the socket writable rarely, but it takes bytes: that is no silence
    if (unsent_bytes(stream_.native()) < unsent_) {
        timed_out_ = false;
        return expect_progress();
    }
    stream_.reset();
    left();
}

void Connection::expect_progress() {
    unsent_ = unsent_bytes(stream_.native());
    front_->deadlines.set(*this, front_->limits.write_silence);
}

void Connection::abort() {
    if (gone()) return;
    if (!stream_.open() || unsent_bytes(stream_.native()) == 0) {
        stream_.reset();
        return close();
    }
    phase_ = Phase::aborting;
    front_->deadlines.set(*this, abort_time);
}

void Connection::refuse(int status, std::string_view message) {
    const auto text = front_->refusal(status, message);
    const auto bytes = part(text);
    stream_.send({&bytes, 1});  // an empty socket takes it whole
    linger();
}

/// Closing with unread bytes would reset the connection, and the answer with it.
void Connection::linger() {
    buffer_.release();
    stream_.shutdown_send();
    phase_ = Phase::lingering;
    front_->deadlines.set(*this, linger_time);
    if (!waits_readable_) discard();
}

void Connection::discard() {
    while (discarded_ < linger_bytes) {
        const auto io = stream_.receive(buffer_.room(), buffer_.room_size());
        buffer_.release();
        if (io.again()) return wait_readable();
        if (io.kind != Io::Kind::done) break;
        discarded_ += io.bytes;
    }
    close();
}

}  // namespace punie::relay
