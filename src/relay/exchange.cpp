#include "relay/exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <iterator>
#include <system_error>
#include <utility>

#include "relay/syntax.hpp"

namespace punie::relay {

namespace {

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
constexpr std::uint64_t worth_reading = 64UL << 10U;  // of a body that the handler did not want

bool has_no_body(int status) {
    return status < 200 || status == 204 || status == 304;
}

Task<bool> wait(Stream* stream, Io::Kind kind) {
    const auto what = kind == Io::Kind::again_read ? Stream::Descriptor::wait_read
                                                   : Stream::Descriptor::wait_write;
    const auto [error] = co_await stream->descriptor().async_wait(what, as_value);
    co_return !error;
}

}  // namespace

Task<Result<void>> Exchange::begin_with(AnswerHead head, std::string_view piece, bool last) {
    auto headers = headers_of_lines(head.lines);
    std::ranges::move(headers_of_lines(head.more_lines), std::back_inserter(headers));
    auto begun = co_await begin(head.status, std::move(headers), head.length);
    if (begun && !piece.empty()) begun = co_await write(piece);
    if (begun && last) begun = co_await finish();
    co_return begun;
}

Task<Result<void>> Exchange::finish_with(std::string_view piece) {
    auto written = co_await write(piece);
    if (written) written = co_await finish();
    co_return written;
}

ClientExchange::ClientExchange(Connection& connection, RequestHead request)
    : connection_(connection),
      request_(std::move(request)),
      body_left_(request_.length),
      keep_(request_.keep_alive),
      body_done_(request_.framing == Framing::none) {}

// ---- the request's body

/// When a body is too slow: a silence, or fewer bytes than it must have made by then.
SteadyTime ClientExchange::body_deadline(SteadyTime begun) const {
    const auto& limits = connection_.front().limits;
    auto deadline = SteadyTime::max();
    if (limits.body_silence.count() > 0)
        deadline = std::chrono::steady_clock::now() + limits.body_silence;
    if (limits.body_rate > 0) {
        const Milliseconds paid(body_received_ * 1000 / limits.body_rate);
        deadline = std::min(deadline, begun + std::max(limits.body_grace, paid));
    }
    return deadline;
}

/// What the buffer holds of the body, without copying it.
Result<std::string_view> ClientExchange::take_body() {
    auto& buffer = connection_.buffer();
    if (request_.framing == Framing::length) {
        const auto size =
            static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, buffer.size()));
        const auto data = buffer.view().substr(0, size);
        body_left_ -= size;
        body_done_ = body_left_ == 0;
        buffer.used(size);
        return data;
    }
    const auto step = chunks_.decode(buffer.data(), buffer.size());
    if (step.bad != nullptr) return fail(ErrorCode::protocol, step.bad);
    buffer.used(step.used);
    body_done_ = chunks_.done();
    return step.data;
}

/// Waits until bytes of the body are in the buffer.
Task<Result<void>> ClientExchange::more_body(SteadyTime begun) {
    auto& buffer = connection_.buffer();
    auto& stream = connection_.stream();
    while (true) {
        if (connection_.timed_out())
            co_return co_await body_failed(
                408, ErrorCode::timeout, "the body did not arrive in time"
            );
        if (connection_.gone()) co_return fail(ErrorCode::cancelled, "the connection is closed");
        const auto io = stream.receive(buffer.room(), buffer.room_size());
        if (io.kind == Io::Kind::done) {
            buffer.added(io.bytes);
            body_received_ += io.bytes;
            if (turns_.over(io.bytes)) co_await let_others_run();
            co_return Result<void>();
        }
        if (!io.again()) {
            keep_ = false;
            connection_.abort();
            co_return fail(ErrorCode::connection, "the client left before its request was whole");
        }
        connection_.set_deadline(body_deadline(begun));
        co_await wait(&stream, io.kind);
    }
}

Task<std::unexpected<Error>> ClientExchange::body_failed(
    int status, ErrorCode code, std::string message
) {
    reading_ = false;
    keep_ = false;
    connection_.clear_deadline();
    if (!begun()) {
        Reply answer;
        answer.status = status;
        answer.body = connection_.front().error_body(status, message);
        co_await reply(std::move(answer));
    }
    co_return fail(code, std::move(message));
}

Task<Result<Body>> ClientExchange::read_body() {
    if (std::exchange(body_asked_, true))
        co_return fail(ErrorCode::state, "the body was read before");
    if (request_.framing == Framing::none) co_return Body();
    const auto& limits = connection_.front().limits.body;
    const auto too_large = [&] { return fmt::format("the body is over {} bytes", limits.bytes); };
    if (request_.length > limits.bytes)
        co_return co_await body_failed(413, ErrorCode::invalid_argument, too_large());
    if (request_.expects_continue && connection_.buffer().empty()) {
        const auto bytes = part("HTTP/1.1 100 Continue\r\n\r\n");
        connection_.stream().send({&bytes, 1});
    }
    const auto begun_at = std::chrono::steady_clock::now();
    BodyReader reader(limits);
    reader.expect(std::min<std::size_t>(static_cast<std::size_t>(request_.length), 64UL << 10U));
    reading_ = true;
    while (!body_done_) {
        if (connection_.buffer().empty()) {
            if (auto more = co_await more_body(begun_at); !more) {
                reading_ = false;
                co_return std::unexpected(std::move(more).error());
            }
        }
        const auto piece = take_body();
        if (!piece)
            co_return co_await body_failed(400, ErrorCode::protocol, piece.error().message());
        const auto size = reader.size() + piece->size();
        if (size > limits.bytes || chunks_.announced() > limits.bytes - size)
            co_return co_await body_failed(413, ErrorCode::invalid_argument, too_large());
        if (auto added = reader.add(*piece); !added) {
            co_await body_failed(
                507, added.error().code(), "the request is too large for this server's disk"
            );
            co_return std::unexpected(std::move(added).error());
        }
    }
    reading_ = false;
    if (connection_.buffer().empty()) connection_.buffer().release();
    connection_.clear_deadline();
    connection_.watch();
    co_return reader.take();
}

/// The rest of a body that nobody wanted: read if it is small, so that the connection can be kept.
Task<void> ClientExchange::drop_body() {
    reading_ = true;
    const auto begun_at = std::chrono::steady_clock::now();
    while (!body_done_) {
        if (connection_.buffer().empty() && !co_await more_body(begun_at)) break;
        if (!take_body()) break;
    }
    reading_ = false;
}

Task<void> ClientExchange::conclude() {
    if (connection_.gone()) co_return;
    if (!begun()) {
        Reply answer;
        answer.status = 500;
        answer.body = connection_.front().error_body(500, "the request could not be answered");
        co_await reply(std::move(answer));
    }
    if (!finished_ && length_ && sent_ == *length_) finished_ = true;
    if (!finished_ && !connection_.gone()) {
        abort();
        co_return;
    }
    if (keep_ && !body_done_) co_await drop_body();
}

// ---- the answer

std::optional<Error> ClientExchange::cannot_begin() const {
    if (connection_.gone()) return Error(ErrorCode::cancelled, "the client left");
    if (begun()) return Error(ErrorCode::state, "an answer has begun before");
    return std::nullopt;
}

/// Status line and the front's own headers.
void ClientExchange::begin_head(int status, std::optional<std::uint64_t> length) {
    status_ = status;
    bodiless_ = has_no_body(status) || request_.head.method == "HEAD";
    chunked_ = !length && !has_no_body(status) && request_.head.minor == 1;
    length_ = length;
    const bool until_close = !length && !has_no_body(status) && request_.head.minor == 0;
    const bool wants_rest =
        !body_done_ && (request_.expects_continue || body_left_ > worth_reading ||
                        request_.framing == Framing::chunked);
    if (until_close || wants_rest || connection_.front().stopping) keep_ = false;
    const auto phrase = reason_phrase(status);
    head_text_.reserve(512);
    head_text_.append("HTTP/1.1 ");
    head_text_.append(fmt::format_int(status).c_str());
    head_text_.append(" ").append(phrase).append("\r\nDate: ").append(connection_.front().date());
    if (chunked_) {
        head_text_.append("\r\nTransfer-Encoding: chunked");
    } else if (length && !has_no_body(status)) {
        head_text_.append("\r\nContent-Length: ").append(fmt::format_int(*length).c_str());
    }
    if (!keep_) {
        head_text_.append("\r\nConnection: close");
    } else if (request_.head.minor == 0) {
        head_text_.append("\r\nConnection: keep-alive");
    }
    head_text_.append("\r\n");
}

/// All but the front's own. Errors: invalid_argument for what is no header.
std::optional<Error> ClientExchange::add_headers(const Headers& headers) {
    for (const auto& [name, value] : headers) {
        if (is_hop_by_hop(name) || same_name(name, "date")) continue;
        if (!is_token(name) || !is_field_value(value)) {
            status_ = 0;
            head_text_.clear();
            return Error(
                ErrorCode::invalid_argument, fmt::format("the header {} cannot be sent", name)
            );
        }
        head_text_.append(name).append(": ").append(value).append("\r\n");
    }
    return std::nullopt;
}

void ClientExchange::end_head() {
    head_text_.append("\r\n");
}

/// Puts a piece of the body, and the end of it, into `to_send_` behind what is there of the head.
std::optional<Error> ClientExchange::frame(std::string_view piece, bool last) {
    std::size_t count = 0;
    if (sent_ == 0 && !head_text_.empty()) parts_[count++] = part(head_text_);
    if (bodiless_) piece = {};
    if (length_ && !bodiless_ &&
        (sent_ + piece.size() > *length_ || (last && sent_ + piece.size() < *length_))) {
        abort();
        return Error(ErrorCode::state, "the answer is not as long as was said");
    }
    const bool framed = chunked_ && !bodiless_;
    if (framed && !piece.empty()) {
        auto* end = std::to_chars(size_line_.begin(), size_line_.end() - 2, piece.size(), 16).ptr;
        end = std::copy_n("\r\n", 2, end);
        parts_[count++] = part({size_line_.begin(), end});
    }
    if (!piece.empty()) parts_[count++] = part(piece);
    if (framed && last) {
        parts_[count++] = part(piece.empty() ? "0\r\n\r\n" : "\r\n0\r\n\r\n");
    } else if (framed && !piece.empty()) {
        parts_[count++] = part("\r\n");
    }
    sent_ += piece.size();
    finished_ = last;
    to_send_ = std::span(parts_).first(count);
    return std::nullopt;
}

Error ClientExchange::broken(int error) const {
    return {
        ErrorCode::connection,
        connection_.timed_out()
            ? std::string("the client took nothing of the answer for too long")
            : fmt::format("the client left: {}", std::generic_category().message(error))
    };
}

/// The whole, if the socket takes it at once; nothing if it has to be waited for.
std::optional<Result<void>> ClientExchange::try_send() {
    if (connection_.gone()) return fail(ErrorCode::cancelled, "the client left");
    while (!to_send_.empty()) {
        const auto io = connection_.stream().send(to_send_);
        if (io.again()) return std::nullopt;
        if (io.kind != Io::Kind::done) {
            connection_.abort();
            return std::unexpected(broken(io.error));
        }
        to_send_ = advanced(to_send_, io.bytes);
    }
    head_text_.clear();
    return Result<void>();
}

Task<Result<void>> ClientExchange::send_rest() {
    sending_ = true;
    std::optional<Result<void>> done;
    while (!done) {
        connection_.expect_progress();
        co_await wait(&connection_.stream(), Io::Kind::again_write);
        if (connection_.gone() && connection_.timed_out()) {
            done = std::unexpected(broken(0));
        } else {
            done = try_send();
        }
    }
    sending_ = false;
    connection_.clear_deadline();
    co_return *std::move(done);
}

Task<Result<void>> ClientExchange::send() {
    if (auto done = try_send()) co_return *std::move(done);
    co_return co_await send_rest();
}

Task<Result<void>> ClientExchange::reply(Reply reply) {
    if (auto error = cannot_begin()) co_return std::unexpected(*std::move(error));
    begin_head(reply.status, reply.body.size());
    if (!reply.content_type.empty() && !has_no_body(reply.status))
        head_text_.append("Content-Type: ").append(reply.content_type).append("\r\n");
    if (auto error = add_headers(reply.headers)) co_return std::unexpected(*std::move(error));
    end_head();
    if (auto error = frame(reply.body, true)) co_return std::unexpected(*std::move(error));
    co_return co_await send();
}

Task<Result<void>> ClientExchange::begin(
    int status, Headers headers, std::optional<std::uint64_t> length
) {
    if (auto error = cannot_begin()) co_return std::unexpected(*std::move(error));
    begin_head(status, length);
    if (auto error = add_headers(headers)) co_return std::unexpected(*std::move(error));
    end_head();
    if (auto error = frame({}, false)) co_return std::unexpected(*std::move(error));
    co_return co_await send();
}

Task<Result<void>> ClientExchange::begin_with(AnswerHead head, std::string_view piece, bool last) {
    if (auto error = cannot_begin()) co_return std::unexpected(*std::move(error));
    begin_head(head.status, head.length);
    head_text_.append(head.lines).append(head.more_lines);
    end_head();
    if (auto error = frame(piece, last)) co_return std::unexpected(*std::move(error));
    if (auto done = try_send()) co_return *std::move(done);
    co_return co_await send_rest();
}

Task<Result<void>> ClientExchange::write(std::string_view piece) {
    if (!begun() || finished_) co_return fail(ErrorCode::state, "no answer is under way");
    if (piece.empty()) co_return Result<void>();
    if (auto error = frame(piece, false)) co_return std::unexpected(*std::move(error));
    if (auto done = try_send()) co_return *std::move(done);
    co_return co_await send_rest();
}

Task<Result<void>> ClientExchange::finish() {
    return finish_with({});
}

Task<Result<void>> ClientExchange::finish_with(std::string_view piece) {
    if (!begun() || finished_) co_return fail(ErrorCode::state, "no answer is under way");
    if (auto error = frame(piece, true)) co_return std::unexpected(*std::move(error));
    if (auto done = try_send()) co_return *std::move(done);
    co_return co_await send_rest();
}

void ClientExchange::abort() {
    keep_ = false;
    connection_.abort();
}

void ClientExchange::probe() {
    if (sending_ || request_.head.minor == 0 || finished_) return;
    if (begun() && (!chunked_ || bodiless_)) return;
    const auto bytes = part(begun() ? "0" : "HTTP/1.1 100 Continue\r\n\r\n");
    if (const auto io = connection_.stream().send({&bytes, 1}); io.kind == Io::Kind::failed)
        connection_.abort();
}

}  // namespace punie::relay
