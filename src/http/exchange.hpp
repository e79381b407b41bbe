#pragma once
// One request and its response over a connection of its own, or a kept one: dial, tunnel, TLS,
// send, header, body pieces.

#include <punie/error.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/awaitable.hpp"
#include "http/connection.hpp"
#include "http/idle.hpp"
#include "http/plan.hpp"
#include "http/reader.hpp"
#include "http/resolve.hpp"
#include "http/tls.hpp"
#include "http/waiting.hpp"

namespace punie::http {

/// How the message of every error ends that means a refused connection, and of no other.
inline constexpr std::string_view refused_words = "connection refused";

/// Used by one coroutine at a time, which must not throw on cancellation. After an error the
/// connection is closed and every further call gives the same error.
class Exchange {
public:
    /// `tls` must outlive the exchange. `idle`: where connections are kept, null for none.
    Exchange(
        const asio::any_io_executor& executor,
        Plan plan,
        Deadlines deadlines,
        TlsContext& tls,
        std::shared_ptr<IdleConnections> idle = nullptr
    );

    /// Everything up to the response's header.
    Task<Result<void>> begin();

    /// The next body bytes, nothing at the proper end.
    Task<Result<std::optional<std::string>>> next();

    int status() const { return reader_.status(); }

    const Headers& headers() const { return headers_; }

    std::optional<std::uint64_t> declared_length() const { return reader_.declared_length(); }

    void close() { connection_.close(); }

    /// Closes the connection and keeps the error for the calls to come.
    Error failed(Error error);

private:
    Task<Result<void>> ask_on_kept();
    Task<Result<void>> connect();
    Task<Result<void>> ask();
    void finish();
    IdleKey idle_key() const;
    Task<Result<void>> dial();
    Task<IoResult> connect_to_one_of(Endpoints endpoints, SteadyTime deadline);
    Task<Result<void>> open_tunnel();
    Task<Result<void>> secure();
    Task<Result<void>> send(bool tunnel);
    Task<Result<void>> read_header();
    Task<Result<void>> read_body_bytes();
    Task<Result<std::size_t>> fill(Wait wait);
    Result<void> digest();
    Error trouble(const IoResult& result, const Wait& wait) const;
    std::string arrived() const;
    std::string peer() const;

    Plan plan_;
    TlsContext* tls_;
    std::shared_ptr<IdleConnections> idle_;
    Limits limits_;
    Connection connection_;
    ResponseReader reader_;
    Headers headers_;
    std::unique_ptr<char[]> buffer_;
    std::size_t filled_ = 0;
    bool sent_whole_ = false;
    std::uint64_t received_ = 0;  ///< bytes of the present response, header included
    std::optional<Error> failed_;
};

}  // namespace punie::http
