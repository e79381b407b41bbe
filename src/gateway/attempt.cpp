#include "gateway/attempt.hpp"

#include <fmt/format.h>

#include <boost/asio/this_coro.hpp>

#include "base/text.hpp"

namespace punie::gateway {

namespace {

/// A server may think for long, unless its configuration says how long.
relay::UpstreamLimits limits_for(const fleet::Lease& lease) {
    relay::UpstreamLimits limits;
    if (const auto silence = lease.model().silence) {
        limits.first_byte = *silence;
        limits.between_bytes = *silence;
    }
    if (lease.model().upstream) limits.connect = Milliseconds(10'000);
    return limits;
}

Refused bad_gateway(const fleet::Lease& lease, const Error& error) {
    auto told = Error(
        ErrorCode::connection,
        fmt::format("the server of {} gave no answer: {}", lease.served_name(), error.message())
    );
    if (!error.log_tail().empty()) told = std::move(told).with_log(error.log_tail());
    return {
        .status = error.code() == ErrorCode::timeout ? 504 : 502,
        .code = "server_failed",
        .error = std::move(told)
    };
}

Refused closed_route(std::string_view path, const fleet::Lease& lease) {
    return {
        .status = 403,
        .code = "route_not_allowed",
        .error = Error(
            ErrorCode::invalid_argument,
            fmt::format(
                "{} of the server of {} is no client's: it changes the server for all, or shows "
                "what is not theirs",
                printable(path),
                lease.served_name()
            )
        )
    };
}

/// One attempt; the error of a server that broke is in `server_error`.
Task<Outcome> attempt(
    Visit& visit,
    const Question& question,
    const Deliver& deliver,
    const fleet::Lease& lease,
    Error& server_error
) {
    if (!lease.may_ask(question.path)) {
        co_await visit.refuse(closed_route(question.path, lease));
        co_return Outcome::done;
    }
    const auto body = question.body(lease);
    if (!body) {
        co_await visit.refuse({.status = 400, .code = "invalid_request", .error = body.error()});
        co_return Outcome::done;
    }
    const auto& key = lease.api_key();
    const auto authorization = key.empty() ? std::string() : fmt::format("Bearer {}", key);
    relay::UpstreamRequest request{
        .method = question.method,
        .target = target_for(lease, question.target),
        .headers = headers_for(visit.head().headers, authorization)
    };
    auto origin = origin_of(visit.services(), lease);
    visit.live().phase = "sent";
    auto answer = co_await visit.services().upstreams.send(
        std::move(origin), std::move(request), *body, limits_for(lease)
    );
    if (!answer) {
        server_error = std::move(answer.error().error);
        co_return co_await client_left() ? Outcome::done : Outcome::retry;
    }
    visit.live().phase = "answering";
    co_return co_await deliver(*answer, lease, server_error);
}

}  // namespace

Task<bool> client_left() {
    const auto state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

bool is_event_stream(const relay::UpstreamAnswer& answer) {
    return answer.header("content-type").starts_with("text/event-stream");
}

Task<std::expected<std::string, Outcome>> read_whole(
    Visit& visit, relay::UpstreamAnswer& answer, Error& server_error
) {
    constexpr std::size_t longest = 32U << 20U;
    const auto length = answer.length().value_or(0);
    std::string text;
    if (length <= longest) text.reserve(static_cast<std::size_t>(length));
    while (length <= longest && text.size() <= longest) {
        auto piece = co_await answer.next();
        if (!piece) {
            server_error = std::move(piece).error();
            co_return std::unexpected(Outcome::retry);
        }
        if (!*piece) co_return text;
        text.append(**piece);
    }
    co_await visit.refuse(
        {.status = 502,
         .code = "answer_too_large",
         .error =
             Error(
                 ErrorCode::protocol, fmt::format("an answer of more than {}", human_bytes(longest))
             )
                 .with_hint("streamed answers may be of any size")}
    );
    co_return std::unexpected(Outcome::done);
}

Task<void> ask_server(Visit& visit, Question question, Deliver deliver) {
    int deaths = 0;
    auto& fleet = visit.services().fleet;
    if (auto name = fleet.name_of(question.model)) visit.record().model = *std::move(name);
    while (true) {
        visit.live().phase = "waiting";
        const double asked_at = visit.seconds();
        auto ask = ask_of(visit, question.model, question.body_bytes);
        ask.on_wait = question.sign;
        ask.deaths = deaths;
        auto lease = co_await fleet.admit(std::move(ask));
        visit.record().waited += visit.seconds() - asked_at;
        if (!lease) {
            co_await visit.refuse(refused_by(lease.error()));
            co_return;
        }
        visit.record().model = lease->served_name();  // of a fallback, it may be
        visit.live().model = visit.record().model;
        Error server_error(ErrorCode::connection, "");
        const auto outcome = co_await attempt(visit, question, deliver, *lease, server_error);
        if (outcome == Outcome::done) {
            // One that fell silent in an answer may be lost to the others, too.
            if (server_error.code() == ErrorCode::timeout) lease->broke(server_error);
            co_return;
        }
        const bool again = lease->broke(server_error);
        deaths = lease->deaths();
        if (!again) {
            co_await visit.refuse(bad_gateway(*lease, server_error));
            co_return;
        }
        ++visit.record().attempts;
    }
}

}  // namespace punie::gateway
