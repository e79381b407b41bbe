#include "http/tls.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>

namespace punie::http {

namespace ssl = boost::asio::ssl;

Result<void> TlsContext::build() {
    boost::system::error_code error;
    context_.emplace(ssl::context::tls_client);
    context_->set_options(
        ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1
    );
    SSL_CTX_set_mode(context_->native_handle(), SSL_MODE_RELEASE_BUFFERS);
    context_->set_verify_mode(verify_ ? ssl::verify_peer : ssl::verify_none, error);
    if (!verify_) return {};
    // a system without any certificate is no reason to fail here: the handshake will say what is
    // missing
    context_->set_default_verify_paths(error);
    if (ca_file_.empty()) return {};
    context_->load_verify_file(ca_file_, error);
    if (!error) return {};
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("ca_file: no certificate can be read from {}: {}", ca_file_, error.message()),
        "name a file with certificates in PEM form"
    );
}

Result<ssl::context*> TlsContext::context() {
    std::call_once(once_, [this] {
        ERR_clear_error();
        if (auto built = build(); !built) failed_ = std::move(built).error();
    });
    if (failed_) return std::unexpected(*failed_);
    return &*context_;
}

Result<void> expect_host(SSL* session, const std::string& host, bool verify) {
    boost::system::error_code not_numeric;
    boost::asio::ip::make_address(host, not_numeric);
    bool fine = true;
    if (not_numeric) fine = SSL_set_tlsext_host_name(session, host.c_str()) == 1;
    if (fine && verify) {
        auto* parameters = SSL_get0_param(session);
        X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        fine = not_numeric ? X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size()) == 1
                           : X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1;
    }
    if (fine) return {};
    return fail(
        ErrorCode::invalid_argument, fmt::format("\"{}\" cannot be the host of an https URL", host)
    );
}

Error handshake_error(
    SSL* session, const boost::system::error_code& error, const std::string& peer
) {
    if (const auto verdict = SSL_get_verify_result(session); verdict != X509_V_OK) {
        return Error(
                   ErrorCode::connection,
                   fmt::format(
                       "TLS: the certificate of {} is not accepted: {}",
                       peer,
                       X509_verify_cert_error_string(verdict)
                   )
        )
            .with_hint(
                "if you trust this server, put its certificate's issuer (PEM) in the file that "
                "SSL_CERT_FILE names"
            );
    }
    auto report = Error(
        ErrorCode::connection,
        fmt::format("TLS: the handshake with {} failed: {}", peer, error.message())
    );
    const bool no_tls =
        error.category() == boost::asio::error::get_ssl_category() &&
        ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_WRONG_VERSION_NUMBER;
    return no_tls ? std::move(report).with_hint(
                        "the server does not speak TLS: is the URL an http:// one?"
                    )
                  : std::move(report);
}

}  // namespace punie::http
