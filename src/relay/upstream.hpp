#pragma once
// Requests to the servers behind us, on connections that are kept.

#include <punie/error.hpp>

#include <memory>

#include "relay/front.hpp"

namespace punie::relay {

/// A server behind us.
struct Origin {
    std::string host;  ///< name or address
    std::uint16_t port = 0;
    bool tls = false;       ///< verified against the system's certificates
    std::string ca_file{};  ///< further trusted certificates (PEM)
    std::string prefix{};   ///< of paths: "/api" makes "/v1/models" "/api/v1/models"
    auto operator<=>(const Origin&) const = default;
};

/// Zero means none.
struct UpstreamLimits {
    Milliseconds connect{5'000};
    Milliseconds first_byte{0};     ///< from the request sent to the answer's head
    Milliseconds between_bytes{0};  ///< between two pieces of the answer
};

/// Its texts must live until `send` returns.
struct UpstreamRequest {
    std::string_view method;
    std::string_view target;  ///< path and query, without the origin's prefix
    HeaderViews headers;      ///< hop-by-hop ones, Host and Content-Length are the relay's own
};

/// Why an upstream gave no whole answer.
struct UpstreamFailure {
    Error error;
    /// The server cannot have begun to work on it (refused, or a kept connection closed before it
    /// took a byte): a repeat is safe.
    bool not_begun = false;
    /// Nothing of an answer had arrived.
    bool before_first_byte = true;
};

/// An answer whose body is read in pieces. Destroying it before its end closes the connection.
class UpstreamAnswer {
public:
    UpstreamAnswer(UpstreamAnswer&&) noexcept;
    UpstreamAnswer& operator=(UpstreamAnswer&&) noexcept;
    ~UpstreamAnswer();

    int status() const;
    const Headers& headers() const;  ///< without hop-by-hop ones
    /// The same as they stood, "Name: value\r\n" each, and one of them; "" none.
    std::string_view lines() const;
    std::string_view header(std::string_view name) const;
    std::optional<std::uint64_t> length() const;

    /// The next piece (valid until the next call), nothing at the proper end. Errors: protocol or
    /// connection for every improper end: shorter than declared, reset, bad chunk, and an HTTP/1.0
    /// body without a length that ends by a reset.
    Task<Result<std::optional<std::string_view>>> next();

    /// The whole body, if it has arrived with the head already and its length is known: without a
    /// wait, so that a short answer costs no more than it must. Valid as long as this. Nothing:
    /// read it with `next`.
    std::optional<std::string_view> whole_at_once();

private:
    friend class Upstreams;
    friend class PassOn;
    struct Impl;
    explicit UpstreamAnswer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// Connections to upstreams, kept and used again. Owner: outlives its calls. Thread: the
/// executor's.
class Upstreams {
public:
    explicit Upstreams(const asio::any_io_executor& executor, std::size_t idle_per_origin = 64);
    ~Upstreams();
    Upstreams(const Upstreams&) = delete;
    Upstreams& operator=(const Upstreams&) = delete;

    /// Sends and waits for the answer's head. `body` must live until it returns. A kept connection
    /// that was closed meanwhile is replaced by a fresh one, once and only if nothing of an answer
    /// came. Cancellable: closes the connection at once (the server sees it within 100 ms).
    Task<std::expected<UpstreamAnswer, UpstreamFailure>> send(
        Origin origin, UpstreamRequest request, const Body& body, UpstreamLimits limits
    );

    /// Closes the kept connections of an origin that is gone.
    void forget(const Origin& origin);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// How an answer was passed on.
struct Passed {
    std::uint64_t bytes = 0;
    std::optional<SteadyTime> first_byte;  ///< of the body
    std::optional<Error> upstream_error;   ///< the upstream broke: nothing further was sent
    std::optional<Error> client_error;     ///< the client left or took nothing
};

/// Called with each piece before it is passed on (counting tokens, looking for the end). Must not
/// suspend.
using Watch = std::function<void(std::string_view piece)>;

/// Passes head and body on as they are, piece by piece: a piece is read when the one before has
/// been taken. When the upstream breaks it neither finishes nor aborts: the caller says how the
/// torn answer ends. At the proper end it has called `finish`.
Task<Passed> pass_on(Exchange& exchange, UpstreamAnswer& answer, Headers added, Watch watch);

}  // namespace punie::relay
