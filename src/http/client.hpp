#pragma once
// HTTP/1.1 client on Beast, with a deadline on every wait. Beast stays behind this header.

#include <punie/error.hpp>

#include <memory>
#include <optional>
#include <string>

#include "base/awaitable.hpp"
#include "http/message.hpp"

namespace punie::http {

/// A response whose body is read piece by piece. Destroying it drops the connection.
class ResponseStream {
public:
    ResponseStream(ResponseStream&&) noexcept;
    ResponseStream& operator=(ResponseStream&&) noexcept;
    ~ResponseStream();

    int status() const;
    const Headers& headers() const;

    /// The next piece of the body, nothing at its proper end. Errors: connection or protocol (a
    /// body that ends before its declared length, reset, bad chunk: never taken for an end),
    /// timeout, cancelled. HTTP/1.0 bodies without a length end with the connection.
    Task<Result<std::optional<std::string>>> next();

private:
    friend class Client;
    struct Impl;
    explicit ResponseStream(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// Each exchange opens its own connection (mlx_lm.server closes after each answer), unless
/// `keep_alive` is set. Cheap to make; copies share TLS state and kept connections. Thread:
/// coroutines run on the caller's executor (a strand, if several threads run it). Every call can be
/// cancelled at every wait (error `cancelled`) and leaves the caller's throw_if_cancelled as it
/// was. Redirects are not followed. The client sets Host, User-Agent, Accept and Authorization
/// (from the URL's user) unless the request has them; Content-Length, Transfer-Encoding and
/// Connection are its own.
class Client {
public:
    explicit Client(ClientOptions options = {});

    /// The whole response. Errors: invalid_argument (URL, method, header, ca_file), unsupported
    /// (kind of proxy), connection (its message tells refused from unresolved and TLS), timeout,
    /// protocol (also: more than max_body), cancelled. An error status of the server is a Response.
    Task<Result<Response>> send(Request request, Deadlines deadlines) const;

    /// As `send` up to the header; the body is read from what it gives back.
    Task<Result<ResponseStream>> open(Request request, Deadlines deadlines) const;

private:
    struct Shared;
    std::shared_ptr<const Shared> shared_;
};

/// Whether this error means that the connection was refused: nothing was sent, a repeat is safe.
bool connection_refused(const Error& error);

}  // namespace punie::http
