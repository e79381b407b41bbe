#pragma once
// What https needs: trusted certificates, read once and only when the first https connection is
// made.

#include <punie/error.hpp>

#include <boost/asio/ssl/context.hpp>
#include <mutex>
#include <optional>
#include <string>

namespace punie::http {

/// One OpenSSL context. Thread: any; `context` may be called from several at once.
class TlsContext {
public:
    TlsContext(bool verify, std::string ca_file) : verify_(verify), ca_file_(std::move(ca_file)) {}

    /// Reads the system's certificates (SSL_CERT_FILE and SSL_CERT_DIR instead, where set) and
    /// `ca_file`: about 100 ms, once a client. Errors: invalid_argument when `ca_file` has no
    /// certificate.
    Result<boost::asio::ssl::context*> context();

    bool verify() const { return verify_; }

private:
    Result<void> build();

    bool verify_;
    std::string ca_file_;
    std::once_flag once_;
    std::optional<Error> failed_;
    std::optional<boost::asio::ssl::context> context_;
};

/// Asks for the certificate of `host` (SNI for names) and, with `verify`, has it checked against
/// that name or address.
Result<void> expect_host(SSL* session, const std::string& host, bool verify);

/// Why a handshake failed, in words, with what to do.
Error handshake_error(
    SSL* session, const boost::system::error_code& error, const std::string& peer
);

}  // namespace punie::http
