#include "http/server.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <list>
#include <optional>

#include "http/url.hpp"

namespace punie::http {

namespace beast = boost::beast;
namespace wire = boost::beast::http;
using tcp = asio::ip::tcp;

namespace {

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

int hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

Reply refusal(int status, std::string words) {
    words += '\n';
    return {.status = status, .body = std::move(words)};
}

/// What is told to a client whose bytes could not be read; nothing when it has gone or was silent.
std::optional<Reply> refusal_of(const beast::error_code& error) {
    if (error == wire::error::header_limit)
        return refusal(431, "the request's header is too large");
    if (error == wire::error::body_limit) return refusal(413, "the request's body is too large");
    const bool of_bytes = error.category() == make_error_code(wire::error::bad_method).category();
    if (of_bytes && error != wire::error::end_of_stream && error != wire::error::partial_message)
        return refusal(400, "not valid HTTP");
    return std::nullopt;
}

}  // namespace

bool is_own_host(std::string_view host, std::uint16_t port) {
    const auto ending = fmt::format(":{}", port);
    if (!host.ends_with(ending)) return false;
    host.remove_suffix(ending.size());
    return host == "127.0.0.1" || host == "localhost" || host == "[::1]";
}

Result<std::string> decoded_path(std::string_view target) {
    target = target.substr(0, target.find_first_of("?#"));
    if (!target.starts_with('/'))
        return fail(ErrorCode::protocol, "the request's target is no path");
    std::string path;
    path.reserve(target.size());
    for (std::size_t at = 0; at < target.size(); ++at) {
        if (target[at] != '%') {
            path += target[at];
            continue;
        }
        const int high = at + 2 < target.size() ? hex_digit(target[at + 1]) : -1;
        const int low = high >= 0 ? hex_digit(target[at + 2]) : -1;
        if (low < 0 || high * 16 + low == 0)
            return fail(ErrorCode::protocol, "the request's path has a broken %XX");
        path += static_cast<char>(high * 16 + low);
        at += 2;
    }
    return path;
}

struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
    Impl(tcp::acceptor listener, RequestHandler asked, ServerLimits given)
        : acceptor(std::move(listener)),
          changed(acceptor.get_executor()),
          handler(std::move(asked)),
          limits(given),
          port(acceptor.local_endpoint().port()) {}

    using Streams = std::list<beast::tcp_stream>;

    tcp::acceptor acceptor;
    asio::steady_timer changed;  ///< never expires; cancelled when a connection ends
    RequestHandler handler;
    ServerLimits limits;
    std::uint16_t port;  ///< kept: a closed listener does not know it any more
    Streams streams;     ///< of the connections that run
    bool stopping = false;

    Task<void> accept_all();
    Task<void> until_fewer_than(std::size_t count);
    void serve(tcp::socket socket);
    Task<void> talk(Streams::iterator stream);
    Task<bool> one_exchange(beast::tcp_stream& stream, beast::flat_buffer& buffer);
    Task<Reply> answer(wire::request<wire::string_body> request);
    Task<bool> send(beast::tcp_stream& stream, Reply reply, bool keep);
    void close_all();
};

/// The owner of every connection: `run` returns only when this list is empty.
Task<void> Server::Impl::until_fewer_than(std::size_t count) {
    while (streams.size() >= count) {
        changed.expires_at(asio::steady_timer::time_point::max());
        co_await changed.async_wait(as_value);
    }
}

Task<void> Server::Impl::accept_all() {
    while (!stopping) {
        auto [error, socket] = co_await acceptor.async_accept(as_value);
        if (stopping || error == asio::error::operation_aborted) break;
        // A connection that was reset in the queue: the next may do. Without a free descriptor it
        // cannot, and asking again at once would only burn a core.
        if (!error) serve(std::move(socket));
        const bool full = error == asio::error::no_descriptors && !streams.empty();
        co_await until_fewer_than(full ? streams.size() : limits.connections);
    }
}

void Server::Impl::serve(tcp::socket socket) {
    const auto stream = streams.emplace(streams.end(), std::move(socket));
    const auto ended = [self = shared_from_this(), stream](const std::exception_ptr&) {
        self->streams.erase(stream);
        self->changed.cancel();
    };
    asio::co_spawn(acceptor.get_executor(), talk(stream), ended);
}

Task<void> Server::Impl::talk(Streams::iterator stream) {
    beast::flat_buffer buffer;
    while (!stopping && co_await one_exchange(*stream, buffer)) {
    }
    beast::error_code ignored;
    stream->socket().shutdown(tcp::socket::shutdown_send, ignored);
}

/// False when the connection is to be closed.
Task<bool> Server::Impl::one_exchange(beast::tcp_stream& stream, beast::flat_buffer& buffer) {
    wire::request_parser<wire::string_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    parser.body_limit(limits.body_bytes);
    stream.expires_after(limits.request);
    const auto [error, bytes] = co_await wire::async_read(stream, buffer, parser, as_value);
    if (error) {
        auto refused = refusal_of(error);
        if (refused) co_await send(stream, *std::move(refused), false);
        co_return false;
    }
    auto request = parser.release();
    const bool keep = request.keep_alive();
    auto reply = co_await answer(std::move(request));
    co_return co_await send(stream, std::move(reply), keep);
}

Task<Reply> Server::Impl::answer(wire::request<wire::string_body> request) {
    IncomingRequest incoming;
    incoming.host = std::string(request[wire::field::host]);
    if (!is_own_host(incoming.host, port))
        co_return refusal(421, "this server answers for its own address only");
    const std::string target(request.target());
    auto path = decoded_path(target);
    if (!path) co_return refusal(400, path.error().message());
    incoming.method = std::string(request.method_string());
    incoming.path = *std::move(path);
    const auto question = target.find('?');
    if (question != std::string::npos) incoming.query = target.substr(question + 1);
    incoming.body = std::move(request.body());
    std::optional<Reply> reply;
    try {
        reply = co_await handler(std::move(incoming));
    } catch (const std::exception&) {  // its words may tell what is none of the client's business
        reply = refusal(500, "the request could not be answered");
    }
    co_return *std::move(reply);
}

Task<bool> Server::Impl::send(beast::tcp_stream& stream, Reply reply, bool keep) {
    wire::response<wire::string_body> response;
    response.result(static_cast<unsigned>(reply.status));
    response.set(wire::field::content_type, reply.content_type);
    response.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : reply.headers) response.set(name, value);
    response.keep_alive(keep);
    response.body() = std::move(reply.body);
    response.prepare_payload();
    stream.expires_after(limits.answer);
    const auto [error, bytes] = co_await wire::async_write(stream, response, as_value);
    co_return !error && keep;
}

void Server::Impl::close_all() {
    stopping = true;
    beast::error_code ignored;
    acceptor.close(ignored);
    for (auto& stream : streams) stream.close();
    changed.cancel();
}

Server::Server(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

Result<Server> Server::listen(
    const asio::any_io_executor& executor,
    std::uint16_t port,
    RequestHandler handler,
    ServerLimits limits
) {
    const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
    tcp::acceptor acceptor(executor);
    beast::error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
    if (error == asio::error::address_in_use) {
        return fail(
            ErrorCode::port_in_use,
            fmt::format("port {} is in use by another program", port),
            "name another one with --port, or --port 0 for any free one"
        );
    }
    if (error)
        return fail(
            ErrorCode::io, fmt::format("cannot listen on 127.0.0.1:{}: {}", port, error.message())
        );
    return Server(std::make_shared<Impl>(std::move(acceptor), std::move(handler), limits));
}

std::uint16_t Server::port() const {
    return impl_->port;
}

Task<void> Server::run() {
    const auto impl = impl_;
    co_await impl->accept_all();
    impl->close_all();
    co_await impl->until_fewer_than(1);
}

void Server::stop() {
    asio::post(impl_->acceptor.get_executor(), [impl = impl_] { impl->close_all(); });
}

}  // namespace punie::http
