#include <string>
#include <utility>

#include "relay/answer.hpp"
#include "relay/syntax.hpp"
#include "relay/upstream.hpp"

namespace punie::relay {

/// Reaches behind the public class: pieces are passed on with the knowledge whether they are the
/// last, so that an answer of one packet leaves as one packet.
class PassOn {
public:
    static UpstreamAnswer::Impl& behind(UpstreamAnswer& answer) { return *answer.impl_; }
};

namespace {

std::string lines_of(const Headers& headers) {
    std::string lines;
    for (const auto& [name, value] : headers) {
        if (!is_token(name) || !is_field_value(value)) continue;
        lines.append(name).append(": ").append(value).append("\r\n");
    }
    return lines;
}

std::optional<std::uint64_t> length_of(const ResponseHead& head) {
    const bool told = head.framing == Framing::length || head.length > 0;  // of a HEAD, too
    return told ? std::optional(head.length) : std::nullopt;
}

void count(Passed& passed, std::string_view bytes, const Watch& watch) {
    if (bytes.empty()) return;
    if (!passed.first_byte) passed.first_byte = std::chrono::steady_clock::now();
    passed.bytes += bytes.size();
    if (watch) watch(bytes);
}

/// A wait that was cancelled was so because the client left.
void note_failure(Passed& passed, Error error) {
    auto& place =
        error.code() == ErrorCode::cancelled ? passed.client_error : passed.upstream_error;
    place = std::move(error);
}

}  // namespace

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): the caller's, who waits
Task<Passed> pass_on(Exchange& exchange, UpstreamAnswer& answer, Headers added, Watch watch) {
    auto& from = PassOn::behind(answer);
    Passed passed;
    auto piece = from.ready();
    if (!piece) {
        note_failure(passed, std::move(piece).error());
        co_return passed;
    }
    const auto more = lines_of(added);
    const AnswerHead head{from.head.status, from.head.lines, more, length_of(from.head)};
    count(passed, piece->bytes, watch);
    auto sent = co_await exchange.begin_with(head, piece->bytes, piece->last);
    while (sent && !piece->last) {
        piece = co_await from.next_piece();
        if (!piece) {
            note_failure(passed, std::move(piece).error());
            co_return passed;
        }
        count(passed, piece->bytes, watch);
        sent = piece->last ? co_await exchange.finish_with(piece->bytes)
                           : co_await exchange.write(piece->bytes);
    }
    if (sent) {
        from.release();
    } else {
        passed.client_error = std::move(sent).error();
    }
    co_return passed;
}

}  // namespace punie::relay
