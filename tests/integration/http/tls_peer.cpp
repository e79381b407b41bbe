#include "tls_peer.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdio>
#include <stdexcept>

namespace punie::test {

namespace {

void must(bool fine, const char* what) {
    if (!fine) throw std::runtime_error(what);
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    auto* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    must(extension != nullptr, "extension");
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/// Version 3, a name, a key and a time; neither issuer nor signature yet.
Owned<X509> blank_certificate(EVP_PKEY* key, const char* name, const CertificateWish& wish) {
    static long serial = 0;
    Owned<X509> certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), wish.valid_from);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), wish.valid_until);
    X509_set_pubkey(certificate.get(), key);
    const auto* text = reinterpret_cast<const unsigned char*>(name);
    X509_NAME_add_entry_by_txt(
        X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC, text, -1, -1, 0
    );
    return certificate;
}

}  // namespace

Authority::Authority() : key_(EVP_EC_gen("P-256")) {
    certificate_ = blank_certificate(key_.get(), "Test authority", {});
    auto* certificate = certificate_.get();
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
    must(X509_sign(certificate, key_.get(), EVP_sha256()) > 0, "sign");
}

void Authority::write_certificate(const std::filesystem::path& file) const {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(
        std::fopen(file.c_str(), "w"), &std::fclose
    );
    must(out && PEM_write_X509(out.get(), certificate_.get()) == 1, "write certificate");
}

Owned<SSL_CTX> Authority::server_context(const CertificateWish& wish) const {
    const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
    const auto certificate = blank_certificate(key.get(), "Test server", wish);
    auto* issuer = wish.self_signed ? certificate.get() : certificate_.get();
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer));
    add_extension(certificate.get(), issuer, NID_subject_alt_name, wish.subject_alt_name);
    must(
        X509_sign(certificate.get(), wish.self_signed ? key.get() : key_.get(), EVP_sha256()) > 0,
        "sign"
    );
    Owned<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
    must(SSL_CTX_use_certificate(context.get(), certificate.get()) == 1, "use certificate");
    must(SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1, "use key");
    return context;
}

TlsPeer::TlsPeer(Peer& peer, SSL_CTX* context) : session_(SSL_new(context)) {
    SSL_set_fd(session_.get(), peer.descriptor());
}

bool TlsPeer::accept() {
    return SSL_accept(session_.get()) == 1;
}

std::string TlsPeer::read_header() {
    std::string held;
    std::array<char, 4096> buffer{};
    while (held.find("\r\n\r\n") == std::string::npos) {
        const int count = SSL_read(session_.get(), buffer.data(), static_cast<int>(buffer.size()));
        if (count <= 0) break;
        held.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return held;
}

bool TlsPeer::send(std::string_view bytes) {
    return SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
}

std::string TlsPeer::server_name() const {
    const auto* name = SSL_get_servername(session_.get(), TLSEXT_NAMETYPE_host_name);
    return name == nullptr ? "" : name;
}

void TlsPeer::say_goodbye() {
    SSL_shutdown(session_.get());
}

}  // namespace punie::test
