#pragma once
// Certificates made on the spot, and a Peer that speaks TLS.

#include <openssl/ssl.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "peer_server.hpp"

namespace punie::test {

struct Freed {
    void operator()(X509* certificate) const { X509_free(certificate); }

    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }

    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

    void operator()(SSL* session) const { SSL_free(session); }
};

template <typename T>
using Owned = std::unique_ptr<T, Freed>;

/// What a certificate says; times in seconds from now.
struct CertificateWish {
    std::string subject_alt_name;  ///< "DNS:a.b" or "IP:127.0.0.1"
    long valid_from = -3600;
    long valid_until = 3600;
    bool self_signed = false;
};

/// A certificate authority of this test.
class Authority {
public:
    Authority();

    void write_certificate(const std::filesystem::path& file) const;

    /// A server's context with a certificate of this authority (or one that it signed itself).
    Owned<SSL_CTX> server_context(const CertificateWish& wish) const;

private:
    Owned<EVP_PKEY> key_;
    Owned<X509> certificate_;
};

/// TLS over a Peer, blocking.
class TlsPeer {
public:
    TlsPeer(Peer& peer, SSL_CTX* context);

    /// Whether the handshake came to a good end.
    bool accept();
    std::string read_header();
    bool send(std::string_view bytes);
    std::string server_name() const;  ///< as the client asked for by SNI

    /// The proper end; without it the client must take the end of the connection for a cut.
    void say_goodbye();

private:
    Owned<SSL> session_;
};

}  // namespace punie::test
