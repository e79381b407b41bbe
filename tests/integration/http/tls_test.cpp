// https against certificates good and bad, and through proxies.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <mutex>
#include <string>

#include "base/files.hpp"
#include "http/client.hpp"
#include "loop.hpp"
#include "peer_server.hpp"
#include "tls_peer.hpp"

namespace punie::http {
namespace {

using test::Authority;
using test::CertificateWish;
using test::fetch;
using test::Peer;
using test::PeerServer;
using test::TlsPeer;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecure";

/// An https server with a certificate of its own authority, whose certificate the client may be
/// given.
class TlsServer {
public:
    explicit TlsServer(const CertificateWish& wish, std::string says = answer, bool goodbye = true)
        : context_(authority_.server_context(wish)),
          says_(std::move(says)),
          goodbye_(goodbye),
          folder_(TemporaryFolder::make("punie-tls").value()),
          server_([this](Peer& peer) { serve(peer); }) {
        authority_.write_certificate(folder_.path() / "ca.pem");
    }

    void serve(Peer& peer) {
        TlsPeer tls(peer, context_.get());
        if (!tls.accept()) return;
        const auto header = tls.read_header();
        {
            const std::lock_guard lock(mutex_);
            header_ = header;
            name_ = tls.server_name();
        }
        tls.send(says_);
        if (goodbye_) tls.say_goodbye();
    }

    std::string ca_file() const { return folder_.path() / "ca.pem"; }

    std::uint16_t port() const { return server_.port(); }

    std::string url(std::string_view host) const {
        return fmt::format("https://{}:{}/x", host, port());
    }

    std::string header() const {
        const std::lock_guard lock(mutex_);
        return header_;
    }

    std::string name() const {
        const std::lock_guard lock(mutex_);
        return name_;
    }

private:
    Authority authority_;
    test::Owned<SSL_CTX> context_;
    std::string says_;
    bool goodbye_;
    mutable std::mutex mutex_;
    std::string header_;
    std::string name_;
    TemporaryFolder folder_;
    PeerServer server_;
};

struct Row {
    const char* name;
    CertificateWish wish;
    const char* host;
    bool trusted = true;            ///< the client knows the authority
    const char* problem = nullptr;  ///< words of the error; none: it works
};

class Certificates : public testing::TestWithParam<Row> {};

TEST_P(Certificates, AreAcceptedOrNot) {
    const TlsServer server(GetParam().wish);
    const Client client(ClientOptions{.ca_file = GetParam().trusted ? server.ca_file() : ""});
    const auto response = fetch(client, Request{.url = server.url(GetParam().host)});
    if (GetParam().problem == nullptr) {
        ASSERT_TRUE(response) << response.error().message();
        EXPECT_EQ(response->body, "secure");
        return;
    }
    ASSERT_FALSE(response) << "accepted";
    EXPECT_EQ(response.error().code(), ErrorCode::connection);
    EXPECT_THAT(response.error().message(), StartsWith("TLS: the certificate of "));
    EXPECT_THAT(response.error().message(), HasSubstr(GetParam().problem));
    EXPECT_THAT(response.error().hint(), HasSubstr("SSL_CERT_FILE"));
    EXPECT_EQ(server.header(), "") << "nothing is said to a server that is not trusted";
}

const CertificateWish for_name{.subject_alt_name = "DNS:localhost"};
const CertificateWish for_address{.subject_alt_name = "IP:127.0.0.1"};

INSTANTIATE_TEST_SUITE_P(
    Table,
    Certificates,
    testing::Values(
        Row{"Name", for_name, "localhost"},
        Row{"Address", for_address, "127.0.0.1"},
        Row{"Wildcard", {.subject_alt_name = "DNS:*.site.localhost"}, "a.site.localhost"},
        Row{"WrongName",
            {.subject_alt_name = "DNS:example.org"},
            "localhost",
            true,
            "hostname mismatch"},
        Row{"WrongAddress",
            {.subject_alt_name = "IP:127.0.0.2"},
            "127.0.0.1",
            true,
            "IP address mismatch"},
        Row{"NameForAnAddress", for_name, "127.0.0.1", true, "IP address mismatch"},
        Row{"WildcardTooWide",
            {.subject_alt_name = "DNS:*.localhost"},
            "a.b.localhost",
            true,
            "hostname mismatch"},
        Row{"PartialWildcard",
            {.subject_alt_name = "DNS:a*.x.localhost"},
            "ab.x.localhost",
            true,
            "hostname mismatch"},
        Row{"Expired",
            {.subject_alt_name = "DNS:localhost", .valid_from = -7200, .valid_until = -3600},
            "localhost",
            true,
            "certificate has expired"},
        Row{"NotYetValid",
            {.subject_alt_name = "DNS:localhost", .valid_from = 3600, .valid_until = 7200},
            "localhost",
            true,
            "certificate is not yet valid"},
        Row{"SelfSigned",
            {.subject_alt_name = "DNS:localhost", .self_signed = true},
            "localhost",
            true,
            "self-signed"},
        Row{"UnknownAuthority",
            for_name,
            "localhost",
            false,
            "unable to get local issuer certificate"}
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

TEST(Tls, VerifyOffAcceptsAnything) {
    const TlsServer server({.subject_alt_name = "DNS:example.org", .self_signed = true});
    const auto response =
        fetch(Client(ClientOptions{.verify = false}), Request{.url = server.url("localhost")});
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->body, "secure");
}

TEST(Tls, AsksForTheNameButNeverForAnAddress) {
    const TlsServer server(for_name);
    const Client client(ClientOptions{.verify = false});
    ASSERT_TRUE(fetch(client, Request{.url = server.url("localhost")}));
    EXPECT_EQ(server.name(), "localhost");
    ASSERT_TRUE(fetch(client, Request{.url = server.url("127.0.0.1")}));
    EXPECT_EQ(server.name(), "");
}

TEST(Tls, HonoursSslCertFile) {
    const TlsServer server(for_name);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs here that reads the environment
    ::setenv("SSL_CERT_FILE", server.ca_file().c_str(), 1);
    const auto response = fetch(Client(), Request{.url = server.url("localhost")});
    // NOLINTNEXTLINE(concurrency-mt-unsafe)
    ::unsetenv("SSL_CERT_FILE");
    EXPECT_TRUE(response) << response.error().message();
}

TEST(Tls, AMissingCaFileIsNamed) {
    const TlsServer server(for_name);
    const auto response = fetch(
        Client(ClientOptions{.ca_file = "/no/such/ca.pem"}), Request{.url = server.url("localhost")}
    );
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(response.error().message(), HasSubstr("/no/such/ca.pem"));
}

TEST(Tls, AServerWithoutTlsIsRecognised) {
    PeerServer server([](Peer& peer) {
        peer.read_exactly(5);
        peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
        peer.wait_for_close();
    });
    const auto response = fetch(fmt::format("https://127.0.0.1:{}/", server.port()));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), ErrorCode::connection);
    EXPECT_THAT(response.error().message(), StartsWith("TLS: the handshake with "));
    EXPECT_THAT(response.error().hint(), HasSubstr("http://"));
}

TEST(Tls, AServerThatHangsInTheHandshakeIsATimeout) {
    PeerServer server([](Peer& peer) { peer.wait_for_close(); });
    const auto response = fetch(
        fmt::format("https://127.0.0.1:{}/", server.port()), Deadlines{.connect = Milliseconds(300)}
    );
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), ErrorCode::timeout);
    EXPECT_THAT(response.error().message(), HasSubstr("for the TLS handshake"));
}

TEST(Tls, AServerThatClosesInTheHandshakeIsAnError) {
    PeerServer server([](Peer& peer) { peer.read_exactly(5); });
    const auto response = fetch(fmt::format("https://127.0.0.1:{}/", server.port()));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), ErrorCode::connection);
}

TEST(Tls, ABodyUntilCloseNeedsTlsOwnEnd) {
    for (const bool goodbye : {true, false}) {
        const TlsServer server(for_name, "HTTP/1.0 200 OK\r\n\r\nhalf", goodbye);
        const Client client(ClientOptions{.ca_file = server.ca_file()});
        const auto response = fetch(client, Request{.url = server.url("localhost")});
        EXPECT_EQ(response.has_value(), goodbye) << "anybody on the way can cut a connection";
        if (!response) EXPECT_EQ(response.error().code(), ErrorCode::connection);
    }
}

TEST(Tls, ALargeBodyArrivesWhole) {
    const std::string body(5'000'000, 'y');
    const TlsServer server(
        for_name, fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.size()) + body
    );
    const Client client(ClientOptions{.ca_file = server.ca_file()});
    const auto response = fetch(client, Request{.url = server.url("localhost")});
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->body, body);
}

/// A proxy that answers CONNECT by joining both sides, wherever the client wanted to go.
class TunnelProxy {
public:
    explicit TunnelProxy(TlsServer& target, std::string extra = "")
        : target_(target), extra_(std::move(extra)), server_([this](Peer& peer) { join(peer); }) {}

    void join(Peer& peer) {
        const auto header = peer.read_header();
        {
            const std::lock_guard lock(mutex_);
            header_ = header;
        }
        peer.send("HTTP/1.1 200 Connection established\r\nContent-Length: 99\r\n\r\n" + extra_);
        if (extra_.empty()) target_.serve(peer);
    }

    std::string address() const { return fmt::format("127.0.0.1:{}", server_.port()); }

    std::string header() const {
        const std::lock_guard lock(mutex_);
        return header_;
    }

private:
    TlsServer& target_;
    std::string extra_;
    mutable std::mutex mutex_;
    std::string header_;
    PeerServer server_;
};

ClientOptions through(const std::string& proxy, std::string ca_file = {}) {
    return ClientOptions{.ca_file = std::move(ca_file), .environment = {{"all_proxy", proxy}}};
}

TEST(ProxyTunnel, CarriesHttpsAndChecksTheRealServersName) {
    TlsServer server({.subject_alt_name = "DNS:real.example"});
    const TunnelProxy proxy(server);
    const Client client(through("http://me:pw@" + proxy.address(), server.ca_file()));
    const auto response = fetch(client, Request{.url = "https://real.example/x"});
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->body, "secure");
    EXPECT_THAT(
        proxy.header(),
        StartsWith("CONNECT real.example:443 HTTP/1.1\r\nHost: real.example:443\r\n")
    );
    EXPECT_THAT(proxy.header(), HasSubstr("Proxy-Authorization: Basic bWU6cHc=\r\n"));
    EXPECT_THAT(server.header(), StartsWith("GET /x HTTP/1.1\r\nHost: real.example\r\n"));
    EXPECT_THAT(server.header(), Not(HasSubstr("Proxy-")));
    EXPECT_EQ(server.name(), "real.example");
    const auto other = fetch(client, Request{.url = "https://other.example/"});
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().message(), HasSubstr("hostname mismatch"));
}

TEST(ProxyTunnel, BytesBehindTheAnswerAreNotTakenForTls) {
    TlsServer server({.subject_alt_name = "DNS:real.example"});
    const TunnelProxy proxy(server, "injected");
    const auto response =
        fetch(Client(through(proxy.address())), Request{.url = "https://real.example/"});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), ErrorCode::protocol) << response.error().message();
}

struct BadProxy {
    const char* name;
    const char* says;
    ErrorCode code;
    const char* words;
};

class ProxyFault : public testing::TestWithParam<BadProxy> {};

TEST_P(ProxyFault, IsToldApart) {
    PeerServer proxy([](Peer& peer) {
        peer.read_header();
        peer.send(GetParam().says);
    });
    const auto response =
        fetch(Client(through(proxy.url())), Request{.url = "https://real.example/"});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), GetParam().code) << response.error().message();
    EXPECT_THAT(response.error().describe(), HasSubstr(GetParam().words));
    EXPECT_FALSE(connection_refused(response.error()));
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    ProxyFault,
    testing::Values(
        BadProxy{
            "WantsAPassword",
            "HTTP/1.1 407 P\r\nContent-Length: 2\r\n\r\nno",
            ErrorCode::connection,
            "status 407\nhint: give the proxy's user and password"
        },
        BadProxy{
            "Forbids",
            "HTTP/1.1 403 connection refused\r\n\r\n",
            ErrorCode::connection,
            "opens no connection to real.example:443: it answered with status 403"
        },
        BadProxy{"Closes", "", ErrorCode::connection, "before the response header was whole"},
        BadProxy{"SpeaksNoHttp", "SOCKS?\r\n\r\n", ErrorCode::protocol, "not valid HTTP"}
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

TEST(ProxyPlain, GetsTheAbsoluteForm) {
    std::string header;
    {
        PeerServer proxy([&](Peer& peer) {
            header = peer.read_header();
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        });
        const auto address = fmt::format("me:pw@127.0.0.1:{}", proxy.port());
        const auto response =
            fetch(Client(through(address)), Request{.url = "http://real.example:81/x?y"});
        ASSERT_TRUE(response) << response.error().message();
        EXPECT_EQ(response->body, "ok");
    }
    EXPECT_THAT(
        header, StartsWith("GET http://real.example:81/x?y HTTP/1.1\r\nHost: real.example:81\r\n")
    );
    EXPECT_THAT(header, HasSubstr("Proxy-Authorization: Basic bWU6cHc=\r\n"));
}

TEST(ProxyPlain, ARefusingProxyIsNamed) {
    const test::ClosedPort port;
    const auto response = fetch(
        Client(through(fmt::format("http://me:pw@127.0.0.1:{}", port.port()))),
        Request{.url = "http://real.example/"}
    );
    ASSERT_FALSE(response);
    EXPECT_TRUE(connection_refused(response.error()));
    EXPECT_THAT(
        response.error().message(), HasSubstr(fmt::format("the proxy 127.0.0.1:{}", port.port()))
    );
    EXPECT_THAT(response.error().describe(), Not(HasSubstr("pw")));
}

TEST(ProxyPlain, LoopbackGoesRoundIt) {
    const test::ClosedPort nowhere;
    PeerServer server([](Peer& peer) {
        peer.read_header();
        peer.send("HTTP/1.1 204 N\r\n\r\n");
    });
    const Client client(through(fmt::format("http://127.0.0.1:{}", nowhere.port())));
    EXPECT_TRUE(fetch(client, Request{.url = server.url()}));
}

}  // namespace
}  // namespace punie::http
