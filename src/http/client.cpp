#include "http/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/ascii.hpp"
#include "base/text.hpp"
#include "http/exchange.hpp"
#include "http/idle.hpp"
#include "http/plan.hpp"

namespace punie::http {

std::optional<std::string> find_header(const Headers& headers, std::string_view name) {
    const auto found = std::ranges::find_if(headers, [name](const auto& header) {
        return same_ignoring_case(header.first, name);
    });
    if (found == headers.end()) return std::nullopt;
    return found->second;
}

bool connection_refused(const Error& error) {
    return error.code() == ErrorCode::connection && error.message().ends_with(refused_words);
}

struct Client::Shared {
    explicit Shared(ClientOptions given)
        : options(std::move(given)),
          tls(options.verify, options.ca_file),
          idle(options.keep_alive ? std::make_shared<IdleConnections>(options.max_idle) : nullptr) {
    }

    ClientOptions options;
    mutable TlsContext tls;                 // locks itself
    std::shared_ptr<IdleConnections> idle;  // likewise; null: none are kept
};

struct ResponseStream::Impl {
    Impl(std::shared_ptr<const void> tls, Exchange begun)
        : tls_owner(std::move(tls)), exchange(std::move(begun)) {}

    /// The rest of the body in one piece. Errors: as `next`; protocol beyond `limit` bytes.
    Task<Result<Response>> whole(std::size_t limit);

    std::shared_ptr<const void> tls_owner;  // the TLS context must outlive the exchange
    Exchange exchange;
};

namespace {

constexpr std::size_t first_reserve = 1UL << 20U;  // a declared length is only a claim

Error too_large(std::size_t limit) {
    return Error(
               ErrorCode::protocol,
               fmt::format(
                   "the response body is larger than the {} that are accepted", human_bytes(limit)
               )
    )
        .with_hint("read it as a stream");
}

}  // namespace

Task<Result<Response>> ResponseStream::Impl::whole(std::size_t limit) {
    Response response{.status = exchange.status(), .headers = exchange.headers()};
    const auto declared = exchange.declared_length().value_or(0);
    if (declared > limit) co_return std::unexpected(exchange.failed(too_large(limit)));
    response.body.reserve(std::min<std::size_t>(declared, first_reserve));
    while (true) {
        auto piece = co_await exchange.next();
        if (!piece) co_return std::unexpected(std::move(piece).error());
        if (!*piece) co_return response;
        if (response.body.size() + (*piece)->size() > limit) {
            co_return std::unexpected(exchange.failed(too_large(limit)));
        }
        response.body += **piece;
    }
}

ResponseStream::ResponseStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ResponseStream::ResponseStream(ResponseStream&&) noexcept = default;
ResponseStream& ResponseStream::operator=(ResponseStream&&) noexcept = default;
ResponseStream::~ResponseStream() = default;

int ResponseStream::status() const {
    return impl_->exchange.status();
}

const Headers& ResponseStream::headers() const {
    return impl_->exchange.headers();
}

Task<Result<std::optional<std::string>>> ResponseStream::next() {
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    auto piece = co_await impl_->exchange.next();
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return piece;
}

Client::Client(ClientOptions options)
    : shared_(std::make_shared<const Shared>(std::move(options))) {}

Task<Result<ResponseStream>> Client::open(Request request, Deadlines deadlines) const {
    const auto shared = shared_;
    auto plan = plan_exchange(std::move(request), shared->options);
    if (!plan) co_return std::unexpected(std::move(plan).error());
    const auto executor = co_await asio::this_coro::executor;
    auto impl = std::make_unique<ResponseStream::Impl>(
        shared, Exchange(executor, std::move(*plan), deadlines, shared->tls, shared->idle)
    );
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    auto begun = co_await impl->exchange.begin();
    co_await asio::this_coro::throw_if_cancelled(throws);
    if (!begun) co_return std::unexpected(std::move(begun).error());
    co_return ResponseStream(std::move(impl));
}

Task<Result<Response>> Client::send(Request request, Deadlines deadlines) const {
    const auto limit = shared_->options.max_body;
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    Result<Response> response;
    if (auto stream = co_await open(std::move(request), deadlines); !stream) {
        response = std::unexpected(std::move(stream).error());
    } else {
        response = co_await stream->impl_->whole(limit);
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return response;
}

}  // namespace punie::http
