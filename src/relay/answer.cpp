#include "relay/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace punie::relay {

namespace {

constexpr int most_interim = 8;  // 1xx answers before the answer

}  // namespace

UpstreamAnswer::Impl::Impl(
    std::shared_ptr<UpstreamState> shared,
    std::unique_ptr<Link> on,
    std::shared_ptr<KeptLinks> home,
    UpstreamLimits given
)
    : state(std::move(shared)), link(std::move(on)), kept(std::move(home)), limits(given) {}

UpstreamAnswer::Impl::~Impl() {
    if (ended) release();
}

void UpstreamAnswer::Impl::release() {
    if (!link) return;
    const bool again = ended && whole_sent && head.keep_alive &&
                       head.framing != Framing::until_close && link->buffer().empty() &&
                       link->open();
    if (again) kept->put(std::move(link));
    link.reset();
}

Error UpstreamAnswer::Impl::torn(std::string_view why) const {
    return {
        ErrorCode::connection,
        fmt::format("{}: the answer ended before its end: {}", kept->peer, why)
    };
}

UpstreamFailure UpstreamAnswer::Impl::head_failure(const LinkIo& result) const {
    const auto fail_with = [this](ErrorCode code, std::string words) {
        return UpstreamFailure{
            .error = Error(code, fmt::format("{}: {}", kept->peer, words)),
            .before_first_byte = !answered_
        };
    };
    if (result.cancelled) return fail_with(ErrorCode::cancelled, "the request was cancelled");
    if (result.timed_out) {
        return fail_with(
            ErrorCode::timeout,
            fmt::format(
                "no answer within {:.1f} s", static_cast<double>(limits.first_byte.count()) / 1000
            )
        );
    }
    if (result.io.kind == Io::Kind::end)
        return fail_with(
            ErrorCode::connection, "the server closed the connection without an answer"
        );
    return fail_with(
        ErrorCode::connection,
        fmt::format("the connection broke: {}", std::generic_category().message(result.io.error))
    );
}

/// Parses what is in the buffer, if it is a whole head; interim ones are dropped.
std::optional<Error> UpstreamAnswer::Impl::take_head(bool answer_to_head) {
    auto& buffer = link->buffer();
    while (scanner_.scan(buffer.view()) == HeadScanner::State::complete) {
        const auto size = scanner_.size();
        auto taken = parse_response_head(buffer.view().substr(0, size), answer_to_head, head);
        buffer.used(size);
        scanner_ = HeadScanner();
        if (!taken)
            return Error(
                ErrorCode::protocol,
                fmt::format("{}: not a valid answer: {}", kept->peer, taken.error())
            );
        if (head.status == 101 || (head.status < 200 && ++interim_ > most_interim))
            return Error(
                ErrorCode::protocol, fmt::format("{}: answered {} unasked", kept->peer, head.status)
            );
        if (head.status < 200) {
            head.status = 0;
            continue;
        }
        left = head.length;
        ended = head.framing == Framing::none || (head.framing == Framing::length && left == 0);
        return std::nullopt;
    }
    if (scanner_.bad())
        return Error(
            ErrorCode::protocol, fmt::format("{}: the answer is not HTTP/1.1", kept->peer)
        );
    if (buffer.size() >= state->buffers.size())
        return Error(
            ErrorCode::protocol, fmt::format("{}: the answer's head is too long", kept->peer)
        );
    return std::nullopt;
}

Task<std::optional<UpstreamFailure>> UpstreamAnswer::Impl::read_head(
    LinkIo sent, bool answer_to_head
) {
    if (sent.cancelled || sent.timed_out) co_return head_failure(sent);
    whole_sent = sent.fine() && !link->early();
    const auto deadline = limits.first_byte.count() > 0
                              ? std::chrono::steady_clock::now() + limits.first_byte
                              : SteadyTime::max();
    while (head.status == 0) {
        auto rest = Milliseconds(0);
        if (deadline != SteadyTime::max()) {
            rest = std::chrono::ceil<Milliseconds>(deadline - std::chrono::steady_clock::now());
            rest = std::max(rest, Milliseconds(1));
        }
        auto& buffer = link->buffer();
        buffer.room();
        if (buffer.room_size() == 0) buffer.grow();
        const auto got = co_await link->read(rest);
        if (!got.fine()) {
            server_took = link->open() && unsent_bytes(link->stream().native()) == 0;
            link->close();
            // what broke the sending says more than the end that follows from it
            const bool send_broke = !sent.fine() && got.io.kind == Io::Kind::end;
            co_return head_failure(send_broke ? sent : got);
        }
        answered_ = true;
        if (auto error = take_head(answer_to_head)) {
            link->close();
            co_return UpstreamFailure{.error = *std::move(error), .before_first_byte = false};
        }
    }
    co_return std::nullopt;
}

/// Takes the body's bytes out of the buffer, in place.
Result<Piece> UpstreamAnswer::Impl::take() {
    auto& buffer = link->buffer();
    if (ended || buffer.empty()) return Piece{.bytes = {}, .last = ended};
    if (head.framing == Framing::chunked) {
        const auto step = chunks.decode(buffer.data(), buffer.size());
        if (step.bad != nullptr) {
            link->close();
            return fail(
                ErrorCode::protocol,
                fmt::format("{}: the answer is broken: {}", kept->peer, step.bad)
            );
        }
        buffer.used(step.used);
        ended = chunks.done();
        return Piece{.bytes = step.data, .last = ended};
    }
    auto bytes = buffer.view();
    if (head.framing == Framing::length) {
        bytes =
            bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size())));
        left -= bytes.size();
        ended = left == 0;
    }
    buffer.used(bytes.size());
    return Piece{.bytes = bytes, .last = ended};
}

Result<Piece> UpstreamAnswer::Impl::ready() {
    if (!link) return Piece{.bytes = {}, .last = true};
    return take();
}

Error UpstreamAnswer::Impl::body_failure(const LinkIo& result) const {
    if (result.cancelled)
        return {ErrorCode::cancelled, fmt::format("{}: the request was cancelled", kept->peer)};
    if (result.timed_out) {
        return {
            ErrorCode::timeout,
            fmt::format(
                "{}: nothing more of the answer for {:.1f} s",
                kept->peer,
                static_cast<double>(limits.between_bytes.count()) / 1000
            )
        };
    }
    if (result.io.kind != Io::Kind::end)
        return torn(std::generic_category().message(result.io.error));
    if (head.framing == Framing::length)
        return torn(fmt::format("{} of {} bytes are missing", left, head.length));
    return torn("the last chunk is missing");
}

Task<Result<Piece>> UpstreamAnswer::Impl::next_piece() {
    if (!link) co_return Piece{.bytes = {}, .last = true};
    while (true) {
        auto piece = take();
        if (!piece || piece->last || !piece->bytes.empty()) {
            if (piece && turns_.over(piece->bytes.size())) co_await let_others_run();
            co_return piece;
        }
        const auto got = co_await link->read(limits.between_bytes);
        if (got.fine()) continue;
        link->close();
        if (got.io.kind == Io::Kind::end && head.framing == Framing::until_close) {
            ended = true;
            co_return Piece{.bytes = {}, .last = true};
        }
        co_return std::unexpected(body_failure(got));
    }
}

const Headers& UpstreamAnswer::Impl::headers() {
    if (!parsed) parsed = headers_of_lines(head.lines);
    return *parsed;
}

UpstreamAnswer::UpstreamAnswer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

UpstreamAnswer::UpstreamAnswer(UpstreamAnswer&&) noexcept = default;
UpstreamAnswer& UpstreamAnswer::operator=(UpstreamAnswer&&) noexcept = default;
UpstreamAnswer::~UpstreamAnswer() = default;

int UpstreamAnswer::status() const {
    return impl_->head.status;
}

const Headers& UpstreamAnswer::headers() const {
    return impl_->headers();
}

std::optional<std::uint64_t> UpstreamAnswer::length() const {
    const auto& head = impl_->head;
    if (head.framing == Framing::length) return head.length;
    if (head.framing == Framing::none && head.length > 0) return head.length;  // of HEAD
    return std::nullopt;
}

std::string_view UpstreamAnswer::lines() const {
    return impl_->head.lines;
}

std::string_view UpstreamAnswer::header(std::string_view name) const {
    return value_in_lines(lines(), name);
}

std::optional<std::string_view> UpstreamAnswer::whole_at_once() {
    auto& impl = *impl_;
    const bool here = impl.link && impl.head.framing == Framing::length &&
                      impl.left == impl.head.length && impl.link->buffer().size() >= impl.left;
    if (!here) return std::nullopt;
    return impl.ready().value().bytes;
}

Task<Result<std::optional<std::string_view>>> UpstreamAnswer::next() {
    auto& impl = *impl_;
    if (impl.ended) {
        impl.release();
        co_return std::optional<std::string_view>();
    }
    const auto piece = co_await impl.next_piece();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->bytes.empty()) {
        impl.release();
        co_return std::optional<std::string_view>();
    }
    co_return std::optional<std::string_view>(piece->bytes);
}

}  // namespace punie::relay
