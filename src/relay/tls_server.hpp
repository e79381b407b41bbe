#pragma once
// A listener's certificate, as OpenSSL wants it.

#include <openssl/ossl_typ.h>
#include <punie/error.hpp>

#include <memory>

#include "relay/front.hpp"

namespace punie::relay {

/// TLS 1.2 or newer, HTTP/1.1 by ALPN. Errors: invalid_argument (names the file and what is wrong).
Result<std::shared_ptr<SSL_CTX>> server_tls(const TlsFiles& files);

}  // namespace punie::relay
