#include "relay/upstream.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <map>
#include <system_error>
#include <utility>

#include "http/resolve.hpp"
#include "http/tls.hpp"
#include "relay/answer.hpp"
#include "relay/link.hpp"
#include "relay/syntax.hpp"

namespace punie::relay {

namespace {

constexpr Milliseconds oldest{55'000};       // most servers close after 60 s or more
constexpr std::size_t block = 256UL << 10U;  // of a body that is read from its file

http::HostPort peer_of(const Origin& origin) {
    return {.host = origin.host, .port = origin.port};
}

bool sends_length(const UpstreamRequest& request, const Body& body) {
    return body.size() > 0 || request.method == "POST" || request.method == "PUT" ||
           request.method == "PATCH";
}

/// Errors: invalid_argument for what cannot be sent.
Result<std::string> head_text(
    const Origin& origin, const UpstreamRequest& request, const Body& body
) {
    const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
    if (!is_token(request.method) || !request.target.starts_with('/') ||
        !std::ranges::all_of(request.target, visible)) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} {} cannot be asked of a server", request.method, request.target)
        );
    }
    std::string text;
    text.reserve(512);
    text.append(request.method).append(" ").append(origin.prefix).append(request.target);
    text.append(" HTTP/1.1\r\nHost: ");
    const bool own_port = origin.port == (origin.tls ? 443 : 80);
    const bool bare = own_port && !origin.host.contains(':');
    text.append(bare ? origin.host : peer_of(origin).text()).append("\r\n");
    if (sends_length(request, body))
        text.append("Content-Length: ").append(fmt::format_int(body.size()).c_str()).append("\r\n");
    std::string_view connection;
    for (const auto& [name, value] : request.headers) {
        if (name.size() == 10 && same_name(name, "connection")) connection = value;
    }
    for (const auto& [name, value] : request.headers) {
        if (is_hop_by_hop(name) || same_name(name, "host") || same_name(name, "expect")) continue;
        if (!connection.empty() && has_item(connection, name)) continue;
        if (!is_token(name) || !is_field_value(value)) {
            return fail(
                ErrorCode::invalid_argument, fmt::format("the header {} cannot be sent on", name)
            );
        }
        text.append(name).append(": ").append(value).append("\r\n");
    }
    text.append("\r\n");
    return text;
}

}  // namespace

std::unique_ptr<Link> KeptLinks::take() {
    const auto now = std::chrono::steady_clock::now();
    while (!links.empty()) {
        auto link = std::move(links.back());
        links.pop_back();
        if (now - link->idle_since < oldest && link->stream().quiet()) return link;
    }
    return nullptr;
}

void KeptLinks::put(std::unique_ptr<Link> link) {
    if (forgotten || most == 0) return;
    link->buffer().release();
    link->idle_since = std::chrono::steady_clock::now();
    if (links.size() >= most) links.erase(links.begin());
    links.push_back(std::move(link));
}

struct Upstreams::Impl {
    Impl(const asio::any_io_executor& on, std::size_t idle)
        : executor(on), idle_per_origin(idle), state(std::make_shared<UpstreamState>(on)) {}

    struct Server {
        std::shared_ptr<KeptLinks> kept;
        std::shared_ptr<http::TlsContext> tls;
    };

    Server& server(const Origin& origin);
    Task<std::expected<std::unique_ptr<Link>, UpstreamFailure>> connect(
        Origin origin, std::shared_ptr<http::TlsContext> tls, UpstreamLimits limits
    );

    asio::any_io_executor executor;
    std::size_t idle_per_origin;
    std::shared_ptr<UpstreamState> state;
    std::map<Origin, Server> servers;
};

Upstreams::Impl::Server& Upstreams::Impl::server(const Origin& origin) {
    auto& found = servers[origin];
    if (!found.kept) {
        found.kept = std::make_shared<KeptLinks>();
        found.kept->most = idle_per_origin;
        found.kept->peer = peer_of(origin).text();
        if (origin.tls) found.tls = std::make_shared<http::TlsContext>(true, origin.ca_file);
    }
    return found;
}

namespace {

UpstreamFailure not_connected(const Origin& origin, const LinkIo& result, Milliseconds limit) {
    const auto peer = peer_of(origin).text();
    if (result.cancelled)
        return {
            .error =
                Error(ErrorCode::cancelled, fmt::format("{}: the request was cancelled", peer)),
            .not_begun = true
        };
    if (result.timed_out) {
        return {
            .error = Error(
                ErrorCode::timeout,
                fmt::format(
                    "{}: no connection within {:.1f} s",
                    peer,
                    static_cast<double>(limit.count()) / 1000
                )
            ),
            .not_begun = true
        };
    }
    return {
        .error = Error(
            ErrorCode::connection,
            fmt::format(
                "{}: cannot connect: {}", peer, std::generic_category().message(result.io.error)
            )
        ),
        .not_begun = true
    };
}

}  // namespace

Task<std::expected<std::unique_ptr<Link>, UpstreamFailure>> Upstreams::Impl::connect(
    Origin origin, std::shared_ptr<http::TlsContext> tls, UpstreamLimits limits
) {
    const auto deadline = limits.connect.count() > 0
                              ? std::chrono::steady_clock::now() + limits.connect
                              : SteadyTime::max();
    const http::Wait waiting{.what = "its address", .deadline = deadline, .limit = limits.connect};
    auto endpoints = co_await http::resolve(peer_of(origin), waiting);
    if (!endpoints) {
        co_return std::unexpected(
            UpstreamFailure{.error = std::move(endpoints).error(), .not_begun = true}
        );
    }
    auto link = std::make_unique<Link>(executor, state->deadlines, state->buffers);
    LinkIo result;
    for (const auto& endpoint : *endpoints) {
        result = co_await link->connect(endpoint, limits.connect);
        if (result.fine() || result.cancelled) break;
    }
    if (!result.fine()) co_return std::unexpected(not_connected(origin, result, limits.connect));
    if (!tls) co_return std::move(link);
    auto context = tls->context();
    if (!context) {
        co_return std::unexpected(
            UpstreamFailure{.error = std::move(context).error(), .not_begun = true}
        );
    }
    result = co_await link->handshake(
        (*context)->native_handle(), origin.host, tls->verify(), limits.connect
    );
    if (result.fine()) co_return std::move(link);
    auto failure = not_connected(origin, result, limits.connect);
    if (!result.timed_out && !result.cancelled) {
        const auto code =
            result.io.kind == Io::Kind::end
                ? boost::system::error_code(asio::error::eof)
                : boost::system::error_code(result.io.error, boost::system::system_category());
        failure.error = http::handshake_error(link->stream().tls(), code, peer_of(origin).text());
    }
    co_return std::unexpected(std::move(failure));
}

Upstreams::Upstreams(const asio::any_io_executor& executor, std::size_t idle_per_origin)
    : impl_(std::make_unique<Impl>(executor, idle_per_origin)) {}

Upstreams::~Upstreams() {
    for (auto& [origin, server] : impl_->servers) {
        server.kept->forgotten = true;
        server.kept->links.clear();
    }
    impl_->state->deadlines.stop();
}

void Upstreams::forget(const Origin& origin) {
    const auto found = impl_->servers.find(origin);
    if (found == impl_->servers.end()) return;
    found->second.kept->forgotten = true;  // those in use are closed when they come back
    found->second.kept->links.clear();
    impl_->servers.erase(found);
}

namespace {

/// Sends the rest of what did not go at once, and a body that lies in a file in blocks.
Task<Result<LinkIo>> send_rest(Link* link, std::span<iovec> parts, const Body* body) {
    auto sent = co_await link->send(parts);
    if (body->in_memory()) co_return sent;
    Turns turns;
    for (std::uint64_t at = 0; at < body->size() && sent.fine() && !link->early();) {
        auto bytes = body->read(at, block);
        if (!bytes) co_return std::unexpected(std::move(bytes).error());
        std::array<iovec, 1> piece{part(*bytes)};
        sent = co_await link->send(piece);
        at += bytes->size();
        if (turns.over(bytes->size())) co_await let_others_run();
    }
    co_return sent;
}

}  // namespace

Task<std::expected<UpstreamAnswer, UpstreamFailure>> Upstreams::send(
    Origin origin,
    UpstreamRequest request,
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): lives until the end
    const Body& body,
    UpstreamLimits limits
) {
    const auto head = head_text(origin, request, body);
    if (!head) co_return std::unexpected(UpstreamFailure{.error = head.error(), .not_begun = true});
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    if (throws) co_await asio::this_coro::throw_if_cancelled(false);
    const auto state = impl_->state;
    std::expected<UpstreamAnswer, UpstreamFailure> outcome = std::unexpected(UpstreamFailure{
        .error = Error(ErrorCode::cancelled, "the request was cancelled"), .not_begun = true
    });
    bool begun = false;  // perhaps, by the first of two attempts
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
        if (cancelled != asio::cancellation_type::none) break;
        const auto server = impl_->server(origin);
        auto link = attempt == 0 ? server.kept->take() : nullptr;
        const bool kept = link != nullptr;
        if (!kept) {
            auto made = co_await impl_->connect(origin, server.tls, limits);
            if (!made) {
                outcome = std::unexpected(std::move(made).error());
                outcome.error().not_begun = !begun;
                break;
            }
            link = *std::move(made);
        }
        std::array<iovec, 2> parts{part(*head), part(body.text())};  // no text: it is in a file
        auto unsent = std::span(parts).first(body.text().empty() ? 1 : 2);
        Result<LinkIo> sent;
        if (!link->send_now(unsent) || !body.in_memory())
            sent = co_await send_rest(link.get(), unsent, &body);
        if (!sent) {
            outcome = std::unexpected(UpstreamFailure{.error = std::move(sent).error()});
            break;
        }
        auto answer =
            std::make_unique<UpstreamAnswer::Impl>(state, std::move(link), server.kept, limits);
        auto failure = co_await answer->read_head(*sent, request.method == "HEAD");
        if (!failure) {
            outcome = UpstreamAnswer(std::move(answer));
            break;
        }
        // A kept connection that ends without a byte was closed by the server meanwhile.
        const bool raced =
            kept && failure->before_first_byte && failure->error.code() == ErrorCode::connection;
        failure->not_begun = raced && !answer->server_took;
        begun = begun || !failure->not_begun;
        outcome = std::unexpected(*std::move(failure));
        if (!raced) break;
    }
    if (throws) co_await asio::this_coro::throw_if_cancelled(true);
    co_return std::move(outcome);
}

}  // namespace punie::relay
