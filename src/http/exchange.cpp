#include "http/exchange.hpp"

#include <fmt/format.h>

#include <boost/asio/error.hpp>
#include <cstring>
#include <string_view>
#include <utility>

namespace punie::http {

namespace {

constexpr std::size_t buffer_size = header_limit;  // a header must fit

std::string in_words(const boost::system::error_code& error) {
    if (error == asio::error::connection_refused) return std::string(refused_words);
    if (error == asio::error::connection_reset || error == asio::error::broken_pipe)
        return "it was reset by the peer";
    return error.message();
}

}  // namespace

Exchange::Exchange(
    const asio::any_io_executor& executor,
    Plan plan,
    Deadlines deadlines,
    TlsContext& tls,
    std::shared_ptr<IdleConnections> idle
)
    : plan_(std::move(plan)),
      tls_(&tls),
      idle_(plan_.keep_alive ? std::move(idle) : nullptr),
      limits_(deadlines, std::chrono::steady_clock::now()),
      connection_(executor),
      reader_(plan_.rule),
      buffer_(std::make_unique_for_overwrite<char[]>(buffer_size)) {}

std::string Exchange::peer() const {
    return plan_.url.peer.text();
}

Error Exchange::failed(Error error) {
    connection_.close();
    failed_ = error;
    return error;
}

std::string Exchange::arrived() const {
    if (!reader_.header_done()) return fmt::format("{} bytes had arrived", received_);
    if (const auto length = reader_.declared_length()) {
        return fmt::format("{} of {} bytes of the body had arrived", reader_.body_bytes(), *length);
    }
    return fmt::format("{} bytes of the body had arrived", reader_.body_bytes());
}

/// An operation that did not end well, in words.
Error Exchange::trouble(const IoResult& result, const Wait& wait) const {
    if (result.stop == Stop::cancelled) return cancelled(wait, peer());
    if (result.stop == Stop::timed_out) return timed_out(wait, peer(), arrived());
    return {
        ErrorCode::connection,
        fmt::format(
            "the connection to {} failed while waiting for {}, {}: {}",
            peer(),
            wait.what,
            arrived(),
            in_words(result.error)
        )
    };
}

IdleKey Exchange::idle_key() const {
    return {.tls = plan_.tls(), .host = plan_.url.peer.host, .port = plan_.url.peer.port};
}

Task<Result<void>> Exchange::begin() {
    std::optional<Connection> kept;
    if (idle_) kept = idle_->take(connection_.executor(), idle_key());
    Result<void> done;
    if (kept) {
        connection_ = *std::move(kept);
        done = co_await ask_on_kept();
    } else {
        done = co_await connect();
        if (done) done = co_await ask();
    }
    plan_.wire.clear();
    plan_.wire.shrink_to_fit();
    if (!done) co_return std::unexpected(failed(std::move(done).error()));
    co_return Result<void>();
}

/// The server may have closed it just now: then nothing has come back, and a fresh connection tells
/// whether the server is there.
Task<Result<void>> Exchange::ask_on_kept() {
    auto done = co_await ask();
    if (done || received_ > 0 || done.error().code() != ErrorCode::connection) co_return done;
    connection_ = Connection(connection_.executor());
    limits_.connect_again(std::chrono::steady_clock::now());
    done = co_await connect();
    if (done) done = co_await ask();
    co_return done;
}

Task<Result<void>> Exchange::connect() {
    auto done = co_await dial();
    if (done && !plan_.tunnel.empty()) done = co_await open_tunnel();
    if (done && plan_.tls()) done = co_await secure();
    co_return done;
}

Task<Result<void>> Exchange::ask() {
    auto done = co_await send(false);
    if (done) done = co_await read_header();
    co_return done;
}

/// The response is whole: the connection is kept where both sides agree on where it ended.
void Exchange::finish() {
    const bool keep =
        idle_ && sent_whole_ && filled_ == 0 && reader_.keeps_connection() && connection_.quiet();
    if (keep) {
        idle_->put(idle_key(), std::move(connection_));
    } else {
        connection_.close();
    }
}

/// Tries the addresses in turn, each with its share of the time: one that never answers must not
/// use up the next one's. When none works, a refusal tells more than the others (::1 fails in its
/// own way where there is no IPv6).
Task<IoResult> Exchange::connect_to_one_of(Endpoints endpoints, SteadyTime deadline) {
    IoResult worst;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        auto until = deadline;
        if (deadline != SteadyTime::max()) {
            const auto now = std::chrono::steady_clock::now();
            until = now + (deadline - now) / static_cast<int>(endpoints.size() - i);
        }
        auto result = co_await connection_.connect(endpoints[i], until);
        if (result.fine() || result.stop == Stop::cancelled) co_return result;
        if (i == 0 || result.error == asio::error::connection_refused) worst = result;
    }
    co_return worst;
}

Task<Result<void>> Exchange::dial() {
    auto endpoints = co_await resolve(plan_.dialled(), limits_.connect("the name look-up"));
    if (!endpoints) co_return std::unexpected(std::move(endpoints).error());
    const auto wait = limits_.connect("the TCP connection");
    const auto result = co_await connect_to_one_of(std::move(*endpoints), wait.deadline);
    if (result.fine()) co_return Result<void>();
    if (result.stop != Stop::none) co_return std::unexpected(trouble(result, wait));
    const auto* role = plan_.proxy ? "the proxy " : "";
    co_return fail(
        ErrorCode::connection,
        fmt::format(
            "cannot connect to {}{}: {}", role, plan_.dialled().text(), in_words(result.error)
        ),
        result.error == asio::error::connection_refused
            ? "nothing listens there: is the server running?"
            : ""
    );
}

Task<Result<void>> Exchange::open_tunnel() {
    auto sent = co_await send(true);
    if (!sent) co_return sent;
    reader_ = ResponseReader(BodyRule::none);
    const auto wait = limits_.connect("the proxy's answer to CONNECT");
    while (!reader_.done()) {
        auto count = co_await fill(wait);
        if (!count) co_return std::unexpected(std::move(count).error());
        auto digested = *count == 0 ? reader_.end_of_input() : digest();
        if (!digested) {
            co_return std::unexpected(
                std::move(digested).error().in("proxy " + plan_.proxy->peer.text())
            );
        }
    }
    const int status = reader_.status();
    if (status / 100 != 2) {
        co_return fail(
            ErrorCode::connection,
            fmt::format(
                "the proxy {} opens no connection to {}: it answered with status {}",
                plan_.proxy->peer.text(),
                peer(),
                status
            ),
            status == 407
                ? "give the proxy's user and password in its URL: http://user:password@host:port"
                : ""
        );
    }
    if (filled_ != 0) {
        co_return fail(
            ErrorCode::protocol,
            fmt::format(
                "the proxy {} sent {} bytes too many in its answer",
                plan_.proxy->peer.text(),
                filled_
            )
        );
    }
    received_ = 0;
    reader_ = ResponseReader(plan_.rule);
    co_return Result<void>();
}

Task<Result<void>> Exchange::secure() {
    auto context = tls_->context();
    if (!context) co_return std::unexpected(std::move(context).error());
    SSL* session = connection_.start_tls(**context);
    if (auto expected = expect_host(session, plan_.url.peer.host, tls_->verify()); !expected)
        co_return expected;
    const auto wait = limits_.connect("the TLS handshake");
    const auto result = co_await connection_.handshake(wait.deadline);
    if (result.fine()) co_return Result<void>();
    if (result.stop != Stop::none) co_return std::unexpected(trouble(result, wait));
    co_return std::unexpected(handshake_error(session, result.error, peer()));
}

/// A server may answer before it has read everything and close: what it says is then worth more
/// than the failed write.
Task<Result<void>> Exchange::send(bool tunnel) {
    std::string_view rest = tunnel ? plan_.tunnel : plan_.wire;
    while (!rest.empty()) {
        const auto wait =
            tunnel ? limits_.connect("the proxy to take the CONNECT request")
                   : limits_.first_byte(
                         "the server to take the request", std::chrono::steady_clock::now()
                     );
        const auto result = co_await connection_.write_some(asio::buffer(rest), wait.deadline);
        if (result.stop != Stop::none) co_return std::unexpected(trouble(result, wait));
        if (result.error == asio::error::broken_pipe ||
            result.error == asio::error::connection_reset)
            break;
        if (result.error) co_return std::unexpected(trouble(result, wait));
        rest.remove_prefix(result.bytes);
    }
    sent_whole_ = rest.empty();
    co_return Result<void>();
}

/// Reads once into the free part of the buffer. Zero bytes: the peer closed its side properly.
Task<Result<std::size_t>> Exchange::fill(Wait wait) {
    const auto free = asio::buffer(buffer_.get() + filled_, buffer_size - filled_);
    const auto result = co_await connection_.read_some(free, wait.deadline);
    if (result.stop == Stop::none && result.error == asio::error::eof) co_return std::size_t{0};
    if (!result.fine()) co_return std::unexpected(trouble(result, wait));
    filled_ += result.bytes;
    received_ += result.bytes;
    co_return result.bytes;
}

/// Gives the buffer to the reader and moves what is left to its front.
Result<void> Exchange::digest() {
    auto used = reader_.put({buffer_.get(), filled_});
    if (!used) return std::unexpected(std::move(used).error());
    filled_ -= *used;
    if (filled_ > 0 && *used > 0) std::memmove(buffer_.get(), buffer_.get() + *used, filled_);
    return {};
}

Task<Result<void>> Exchange::read_header() {
    const auto wait = limits_.first_byte("the response header", std::chrono::steady_clock::now());
    while (!reader_.header_done()) {
        auto count = co_await fill(wait);
        if (!count) co_return std::unexpected(std::move(count).error());
        auto digested = *count == 0 ? reader_.end_of_input() : digest();
        if (!digested) co_return std::unexpected(std::move(digested).error().in(peer()));
    }
    headers_ = reader_.take_headers();
    co_return Result<void>();
}

Task<Result<void>> Exchange::read_body_bytes() {
    auto count =
        co_await fill(limits_.between_bytes("more of the body", std::chrono::steady_clock::now()));
    if (!count) co_return std::unexpected(std::move(count).error());
    auto digested = *count == 0 ? reader_.end_of_input() : digest();
    if (!digested) co_return std::unexpected(std::move(digested).error().in(peer()));
    co_return Result<void>();
}

Task<Result<std::optional<std::string>>> Exchange::next() {
    if (failed_) co_return std::unexpected(*failed_);
    while (true) {
        if (auto piece = reader_.take_body(); !piece.empty())
            co_return std::optional(std::move(piece));
        if (reader_.done()) break;
        if (auto read = co_await read_body_bytes(); !read) {
            co_return std::unexpected(failed(std::move(read).error()));
        }
    }
    finish();
    co_return std::optional<std::string>();
}

}  // namespace punie::http
