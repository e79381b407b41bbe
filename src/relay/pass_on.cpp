#include <fmt/format.h>

#include <utility>

#include "relay/answer.hpp"
#include "relay/syntax.hpp"
#include "relay/upstream.hpp"

namespace punie::relay {

/// Reaches behind the public classes: pieces are passed on with the knowledge whether they are the
/// last, so that an answer of one packet leaves as one packet.
class PassOn {
public:
    PassOn(Exchange& exchange, UpstreamAnswer& answer, Watch watch)
        : exchange_(exchange), answer_(*answer.impl_), watch_(std::move(watch)) {}

    Task<Passed> run(Headers added) {
        auto piece = answer_.ready();
        if (!piece) {
            passed_.upstream_error = std::move(piece).error();
            co_return std::move(passed_);
        }
        auto head = head_of(added);
        count(piece->bytes);
        auto sent = co_await exchange_.begin_with(std::move(head), piece->bytes, piece->last);
        bool last = piece->last;
        while (sent && !last) {
            auto next = co_await answer_.next_piece();
            if (!next) {
                auto& place = next.error().code() == ErrorCode::cancelled ? passed_.client_error
                                                                          : passed_.upstream_error;
                place = std::move(next).error();
                co_return std::move(passed_);
            }
            last = next->last;
            count(next->bytes);
            sent = last ? co_await exchange_.finish_with(next->bytes)
                        : co_await exchange_.write(next->bytes);
        }
        if (sent) {
            answer_.release();
        } else {
            passed_.client_error = std::move(sent).error();
        }
        co_return std::move(passed_);
    }

private:
    AnswerHead head_of(const Headers& added) {
        AnswerHead head{.status = answer_.head.status, .lines = answer_.head.lines};
        if (answer_.head.framing == Framing::length || answer_.head.length > 0)
            head.length = answer_.head.length;
        for (const auto& [name, value] : added) {
            if (!is_token(name) || !is_field_value(value)) continue;
            head.lines.append(name).append(": ").append(value).append("\r\n");
        }
        return head;
    }

    void count(std::string_view bytes) {
        if (bytes.empty()) return;
        if (!passed_.first_byte) passed_.first_byte = std::chrono::steady_clock::now();
        passed_.bytes += bytes.size();
        if (watch_) watch_(bytes);
    }

    Exchange& exchange_;
    UpstreamAnswer::Impl& answer_;
    Watch watch_;
    Passed passed_;
};

Task<Passed> pass_on(Exchange& exchange, UpstreamAnswer& answer, Headers added, Watch watch) {
    PassOn pass(exchange, answer, std::move(watch));
    co_return co_await pass.run(std::move(added));
}

}  // namespace punie::relay
