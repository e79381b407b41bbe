#pragma once
// A small HTTP/1.1 server on the loopback interface: a handler answers whole requests. Not for the
// open network: no TLS, no authentication, small requests only.

#include <punie/error.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/awaitable.hpp"

namespace punie::http {

struct IncomingRequest {
    std::string method;  ///< "GET"
    std::string path;    ///< decoded from %XX, without the query; begins with "/"
    std::string query;   ///< as it stood, without "?"
    std::string host;    ///< the Host header
    std::string body;
};

struct Reply {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers{};
};

struct ServerLimits {
    std::size_t header_bytes = 16 * 1024;
    std::size_t body_bytes = 64 * 1024;
    std::size_t connections = 64;  ///< further ones wait in the system's queue
    Milliseconds request{10'000};  ///< to arrive whole, from its connection's last answer
    Milliseconds answer{60'000};   ///< to be taken whole by the client
};

/// Answers one request; an exception becomes status 500 without its words.
using RequestHandler = std::function<Task<Reply>(IncomingRequest)>;

/// Refuses before the handler is asked: other Host headers than loopback names with this server's
/// port (421: another site's page may have been pointed here, "DNS rebinding"), targets that are no
/// path (400), bad HTTP (400), what is over the limits (413, 431).
///
/// Owner: must outlive `run`. Thread: the executor's, one thread at a time; `stop` from any.
class Server {
public:
    /// Listens on 127.0.0.1. `port` 0 takes a free one. Errors: port_in_use, io.
    static Result<Server> listen(
        const asio::any_io_executor& executor,
        std::uint16_t port,
        RequestHandler handler,
        ServerLimits limits = {}
    );

    Server(Server&&) noexcept;
    Server& operator=(Server&&) noexcept;
    ~Server();

    std::uint16_t port() const;

    /// Serves until `stop`; returns when every connection is closed.
    Task<void> run();

    /// Closes the listener and all connections.
    void stop();

private:
    struct Impl;
    explicit Server(std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> impl_;
};

/// What `Server` refuses by its Host header alone: true for "127.0.0.1:PORT", "localhost:PORT",
/// "[::1]:PORT". Pure.
bool is_own_host(std::string_view host, std::uint16_t port);

/// A target's path decoded; nothing when it is no absolute path or %XX is broken or stands for a
/// NUL. Pure.
Result<std::string> decoded_path(std::string_view target);

}  // namespace punie::http
