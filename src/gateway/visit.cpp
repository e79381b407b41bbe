#include "gateway/visit.hpp"

#include <fmt/compile.h>

#include <algorithm>
#include <random>

namespace punie::gateway {

namespace {

constexpr bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == ':';
}

std::string_view code_of(fleet::Refusal::Kind kind) {
    using Kind = fleet::Refusal::Kind;
    switch (kind) {
        case Kind::unknown_model:
            return "model_not_found";
        case Kind::queue_full:
            return "queue_full";
        case Kind::deadline:
            return "queue_timeout";
        case Kind::backing_off:
            return "model_backing_off";
        case Kind::does_not_fit:
            return "insufficient_memory";
        case Kind::start_failed:
            return "model_failed_to_start";
        case Kind::poisoned:
            return "request_kills_servers";
        case Kind::not_allowed:
            return "model_not_allowed";
        case Kind::closing:
            return "shutting_down";
        case Kind::cancelled:
            break;
    }
    return "client_left";
}

int status_of(fleet::Refusal::Kind kind) {
    using Kind = fleet::Refusal::Kind;
    switch (kind) {
        case Kind::unknown_model:
            return 404;
        case Kind::not_allowed:
            return 403;
        case Kind::queue_full:
            return 429;
        case Kind::deadline:
            return 504;
        case Kind::poisoned:
            return 502;
        case Kind::cancelled:
            return 499;
        case Kind::backing_off:
        case Kind::does_not_fit:
        case Kind::start_failed:
        case Kind::closing:
            break;
    }
    return 503;
}

}  // namespace

std::string request_id(std::string_view from_client) {
    constexpr std::size_t longest = 128;
    if (!from_client.empty() && from_client.size() <= longest &&
        std::ranges::all_of(from_client, is_plain)) {
        return std::string(from_client);
    }
    static std::mt19937_64 random{std::random_device{}()};
    return fmt::format(FMT_COMPILE("req-{:016x}"), random());
}

Refused refused_by(const fleet::Refusal& refusal) {
    return {
        .status = status_of(refusal.kind),
        .code = std::string(code_of(refusal.kind)),
        .error = refusal.error,
        .retry_after = refusal.retry_after
    };
}

Refused refused_by(const Barred& barred) {
    return {
        .status = barred.status,
        .code = barred.code,
        .error = Error(ErrorCode::invalid_argument, barred.message),
        .retry_after = barred.retry_after
    };
}

Visit::Visit(Services& services, relay::Exchange& exchange, std::string route)
    : services_(services),
      exchange_(exchange),
      live_(services.book.begin()),
      begun_(std::chrono::steady_clock::now()) {
    record_.id = request_id(exchange.head().header("x-request-id"));
    record_.route = std::move(route);
    record_.method = exchange.head().method;
    record_.peer = exchange.peer().address;
    record_.time = std::chrono::system_clock::now();
    live_->id = record_.id;
    live_->route = record_.route;
    live_->peer = record_.peer;
    live_->phase = "arrived";
    live_->begun = begun_;
    services_.metrics.begun(record_.route);
}

Visit::~Visit() {
    record_.total = seconds();
    record_.bytes_out = exchange_.bytes_sent();
    if (exchange_.status() != 0) record_.status = exchange_.status();
    if (record_.status == 0) record_.status = 499;
    if (pass_.key) record_.key = pass_.key->name;
    services_.metrics.ended(record_.route);
    services_.metrics.add(record_);
    services_.gate.spent(
        pass_, record_.tokens_in + record_.tokens_out, std::chrono::steady_clock::now()
    );
    for (const auto& sink : services_.sinks) sink(record_);
    services_.book.end(std::move(record_));
}

double Visit::seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
}

void Visit::add_own_headers(relay::Headers& headers) const {
    headers.emplace_back("x-request-id", record_.id);
    if (!pass_.allowed_origin.empty()) {
        headers.emplace_back("Access-Control-Allow-Origin", pass_.allowed_origin);
        headers.emplace_back("Access-Control-Expose-Headers", "x-request-id, retry-after");
        headers.emplace_back("Vary", "Origin");
    }
}

void Visit::count(const translate::StreamEye& eye) {
    if (eye.events() > 0 && !record_.first_byte) record_.first_byte = seconds();
    record_.events = eye.events();
    record_.tokens_in = eye.prompt_tokens();
    record_.tokens_out = eye.completion_tokens() > 0 ? eye.completion_tokens() : eye.events();
    live_->tokens = eye.events();
}

void Visit::note(std::string code, std::string reason) {
    record_.error = std::move(code);
    record_.reason = std::move(reason);
}

Task<Result<void>> Visit::reply(relay::Reply reply) {
    add_own_headers(reply.headers);
    return exchange_.reply(std::move(reply));
}

std::string Visit::error_text(int status, const Error& error, std::string_view code) const {
    if (protocol_ != nullptr) return protocol_->error(status, error);
    auto message = error.message();
    if (!error.log_tail().empty()) {
        message += fmt::format("; its log ended with: {}", fmt::join(error.log_tail(), " | "));
    }
    if (!error.hint().empty()) message += fmt::format(" (hint: {})", error.hint());
    return translate::openai_error(status, message, code);
}

Task<void> Visit::refuse(Refused refused) {
    note(refused.code, refused.error.message());
    if (exchange_.begun()) {
        record_.torn = true;
        const auto event =
            translator_ != nullptr
                ? translator_->fail(refused.error)
                : fmt::format(
                      "data: {}\n\n", error_text(refused.status, refused.error, refused.code)
                  );
        (void)co_await exchange_.write(event);
        exchange_.abort();
        co_return;
    }
    relay::Reply answer{
        .status = refused.status, .body = error_text(refused.status, refused.error, refused.code)
    };
    if (refused.retry_after) {
        const auto seconds = std::chrono::ceil<std::chrono::seconds>(*refused.retry_after).count();
        answer.headers.emplace_back("Retry-After", fmt::format("{}", std::max<long>(1, seconds)));
    }
    if (refused.status == 401) answer.headers.emplace_back("WWW-Authenticate", "Bearer");
    (void)co_await reply(std::move(answer));
}

std::string Visit::own_lines() const {
    relay::Headers headers;
    add_own_headers(headers);
    std::string lines;
    for (const auto& [name, value] : headers)
        lines.append(name).append(": ").append(value).append("\r\n");
    return lines;
}

Task<Result<void>> Visit::begin_with(
    int status, std::string_view lines, std::optional<std::uint64_t> length, std::string_view first
) {
    const auto own = own_lines();
    co_return co_await exchange_.begin_with({status, lines, own, length}, first, false);
}

Task<Result<void>> Visit::answer_with(int status, std::string_view lines, std::string_view body) {
    const auto own = own_lines();
    co_return co_await exchange_.begin_with({status, lines, own, body.size()}, body, true);
}

Task<Result<void>> Visit::begin_stream(std::string_view content_type) {
    if (exchange_.begun()) co_return Result<void>{};
    relay::Headers headers{
        {"Content-Type", std::string(content_type)},
        {"Cache-Control", "no-cache"},
        {"X-Accel-Buffering", "no"},  // nginx in front of us must not hold events back
    };
    add_own_headers(headers);
    co_return co_await exchange_.begin(200, std::move(headers), std::nullopt);
}

Task<Result<void>> Visit::write(std::string_view piece) {
    return exchange_.write(piece);
}

}  // namespace punie::gateway
