// Where a front listens: TCP, Unix sockets, TLS.
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "base/files.hpp"
#include "integration/http/tls_peer.hpp"
#include "relay_fixture.hpp"

namespace punie::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// Answers with who asked.
Task<void> tell_peer(relay::Exchange& exchange) {
    const auto& peer = exchange.peer();
    relay::Reply reply;
    reply.body = peer.listener + " " + peer.address + (peer.tls ? " tls" : "") +
                 (peer.unix_socket ? " unix" : "");
    co_await exchange.reply(std::move(reply));
}

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

class Listening : public RelayTest {
protected:
    Listening() : folder_(*TemporaryFolder::make()) {}

    std::filesystem::path file(std::string_view name) const { return folder_.path() / name; }

    static Options at(std::vector<relay::Listen> places) {
        Options options;
        options.places = std::move(places);
        return options;
    }

    Result<relay::Front> listen(relay::Listen place) {
        return relay::Front::listen(io().get_executor(), {std::move(place)}, tell_peer);
    }

    TemporaryFolder folder_;
};

TEST_F(Listening, AtSeveralPlaces) {
    relay::Listen control;
    control.name = "control";
    control.unix_socket = file("control.sock");
    serve(tell_peer, at({relay::Listen{}, control}));
    EXPECT_EQ(ports_.size(), 2U);
    EXPECT_GT(ports_[0], 0);
    EXPECT_EQ(ports_[1], 0);
    EXPECT_THAT(ask(get), EndsWith("\r\n\r\nmodels 127.0.0.1"));
    RawSocket client(control.unix_socket);
    ASSERT_TRUE(client.connected());
    client.send(get);
    EXPECT_THAT(client.read_all(), EndsWith("\r\n\r\ncontrol  unix"));
}

TEST_F(Listening, AtAPortInUseIsAnError) {
    serve(tell_peer);
    relay::Listen place;
    place.port = port();
    const auto second = listen(place);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::port_in_use);
    EXPECT_THAT(second.error().message(), HasSubstr(std::to_string(port())));
    EXPECT_THAT(second.error().message(), HasSubstr("process " + std::to_string(::getpid())));
}

TEST_F(Listening, AtNoAddressIsAnError) {
    relay::Listen place;
    place.host = "no.such.host.invalid";
    const auto front = listen(place);
    ASSERT_FALSE(front);
    EXPECT_EQ(front.error().code(), ErrorCode::invalid_argument);
}

TEST_F(Listening, AUnixSocketIsTheOwnersOnly) {
    relay::Listen place;
    place.unix_socket = file("control.sock");
    serve(tell_peer, at({place}));
    struct stat status{};
    ASSERT_EQ(::stat(place.unix_socket.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    stop(Milliseconds(0));
    EXPECT_FALSE(std::filesystem::exists(place.unix_socket));
}

TEST_F(Listening, AStaleSocketIsReplaced) {
    relay::Listen place;
    place.unix_socket = file("control.sock");
    const auto aside = file("aside.sock");
    {
        auto old = listen(place);
        ASSERT_TRUE(old) << old.error().describe();
        std::filesystem::create_hard_link(place.unix_socket, aside);
    }
    std::filesystem::rename(aside, place.unix_socket);  // as one that was killed leaves it
    serve(tell_peer, at({place}));
    RawSocket client(place.unix_socket);
    client.send(get);
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 200"));
}

TEST_F(Listening, ASocketThatSomebodyAnswersOnIsInUse) {
    relay::Listen place;
    place.unix_socket = file("control.sock");
    serve(tell_peer, at({place}));
    const auto second = listen(place);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::port_in_use);
    EXPECT_TRUE(RawSocket(place.unix_socket).connected());
}

TEST_F(Listening, AFileInTheWayIsLeftAlone) {
    relay::Listen place;
    place.unix_socket = file("notes.txt");
    std::ofstream(place.unix_socket) << "mine";
    const auto front = listen(place);
    ASSERT_FALSE(front);
    EXPECT_EQ(front.error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(std::filesystem::file_size(place.unix_socket), 4U);
}

// ---- TLS

class TlsListening : public Listening {
protected:
    TlsListening() {
        authority_.write_certificate(file("ca.pem"));
        write_certificate();
        place_.tls = relay::TlsFiles{.certificate = file("cert.pem"), .key = file("key.pem")};
    }

    void write_certificate() {
        const auto context = authority_.server_context({.subject_alt_name = "DNS:localhost"});
        using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
        const File certificate(std::fopen(file("cert.pem").c_str(), "w"), &std::fclose);
        PEM_write_X509(certificate.get(), SSL_CTX_get0_certificate(context.get()));
        const File key(std::fopen(file("key.pem").c_str(), "w"), &std::fclose);
        PEM_write_PrivateKey(
            key.get(), SSL_CTX_get0_privatekey(context.get()), nullptr, nullptr, 0, nullptr, nullptr
        );
    }

    Authority authority_;
    relay::Listen place_;
};

/// A TLS client over a raw socket; blocking.
class TlsClient {
public:
    explicit TlsClient(std::uint16_t port)
        : socket_(port),
          context_(SSL_CTX_new(TLS_client_method())),
          session_(SSL_new(context_.get())) {
        SSL_set_fd(session_.get(), socket_.descriptor());
        connected_ = SSL_connect(session_.get()) == 1;
    }

    bool connected() const { return connected_; }

    long serial() const {
        const Owned<X509> certificate(SSL_get1_peer_certificate(session_.get()));
        return ASN1_INTEGER_get(X509_get0_serialNumber(certificate.get()));
    }

    void send(std::string_view bytes) {
        SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size()));
    }

    std::string read_until(std::string_view words) {
        std::array<char, 16384> buffer{};
        while (words.empty() || !held_.contains(words)) {
            const int got =
                SSL_read(session_.get(), buffer.data(), static_cast<int>(buffer.size()));
            if (got <= 0) break;
            held_.append(buffer.data(), static_cast<std::size_t>(got));
        }
        return std::exchange(held_, {});
    }

    /// Whether the server said goodbye as TLS wants it.
    bool ended_properly() const {
        return (SSL_get_shutdown(session_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
    }

    RawSocket& socket() { return socket_; }

private:
    RawSocket socket_;
    Owned<SSL_CTX> context_;
    Owned<SSL> session_;
    bool connected_ = false;
    std::string held_;
};

TEST_F(TlsListening, IsAnswered) {
    serve(tell_peer, at({place_}));
    TlsClient client(port());
    ASSERT_TRUE(client.connected());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.send(get);
    const auto answers = client.read_until({});
    EXPECT_EQ(count_of(answers, "\r\n\r\nmodels 127.0.0.1 tls"), 3U);
    EXPECT_TRUE(client.ended_properly());
}

TEST_F(TlsListening, PlainBytesAreNotAnswered) {
    Options options = at({place_});
    options.limits.head = Milliseconds(300);
    serve(tell_peer, options);
    EXPECT_EQ(ask(get), "");
    RawSocket silent(port());
    EXPECT_EQ(silent.read_all(), "");
}

TEST_F(TlsListening, TakesANewCertificateWithoutTouchingConnections) {
    serve(tell_peer, at({place_}));
    TlsClient before(port());
    ASSERT_TRUE(before.connected());
    const auto old = before.serial();
    write_certificate();
    in_loop([this] { EXPECT_TRUE(front().reload_tls()); });
    TlsClient after(port());
    EXPECT_GT(after.serial(), old);
    before.send(get);
    EXPECT_THAT(before.read_until({}), StartsWith("HTTP/1.1 200"));
}

TEST_F(TlsListening, KeepsTheOldCertificateWhenTheNewOneIsBroken) {
    serve(tell_peer, at({place_}));
    std::ofstream(file("cert.pem")) << "broken";
    in_loop([this] {
        const auto reloaded = front().reload_tls();
        ASSERT_FALSE(reloaded);
        EXPECT_EQ(reloaded.error().code(), ErrorCode::invalid_argument);
        EXPECT_THAT(reloaded.error().message(), HasSubstr("cert.pem"));
    });
    EXPECT_TRUE(TlsClient(port()).connected());
}

TEST_F(TlsListening, WithAForeignKeyIsAnError) {
    std::filesystem::copy_file(file("cert.pem"), file("other.pem"));
    write_certificate();
    place_.tls->certificate = file("other.pem");
    const auto front = listen(place_);
    ASSERT_FALSE(front);
    EXPECT_EQ(front.error().code(), ErrorCode::invalid_argument);
}

TEST_F(TlsListening, AClientThatClosesCancels) {
    Mailbox<bool> began;
    Mailbox<bool> ended;
    const auto silent = upstream([&](Peer& peer) {
        peer.read_header();
        began.put(true);
        peer.wait_for_close();
        ended.put(true);
    });
    proxy_to(silent, at({place_}));
    TlsClient client(port());
    client.send(get);
    ASSERT_TRUE(began.take());
    client.socket().close();
    EXPECT_TRUE(ended.take());
}

// Through a plain front to a TLS one: large bodies both ways over TLS as a server and as a client.
TEST_F(TlsListening, IsAlsoSpokenToUpstreams) {
    relay::Listen tls = place_;
    tls.name = "behind";
    const auto handler = [this](relay::Exchange& exchange) -> Task<void> {
        auto body = co_await exchange.read_body();
        if (!body) co_return;
        if (exchange.peer().listener == "behind") {
            relay::Reply reply;
            reply.body = *body->read(0, body->size());
            co_await exchange.reply(std::move(reply));
            co_return;
        }
        relay::Origin origin;
        origin.host = "localhost";
        origin.port = ports_[1];
        origin.tls = true;
        origin.ca_file = file("ca.pem").native();
        relay::UpstreamRequest request{
            exchange.head().method, "/", relay::views_of(exchange.head().headers)
        };
        auto answer = co_await upstreams().send(origin, std::move(request), *body, {});
        if (!answer) {
            relay::Reply reply;
            reply.status = 502;
            reply.body = answer.error().error.describe();
            co_await exchange.reply(std::move(reply));
            co_return;
        }
        co_await relay::pass_on(exchange, *answer, {}, {});
    };
    serve(handler, at({relay::Listen{}, tls}));
    std::string body(3'000'000, 'x');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 19);
    RawSocket client(port());
    for (int i = 0; i < 2; ++i) {
        client.send(post("Content-Length: 3000000\r\n", body));
        EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 200 OK"));
        EXPECT_EQ(client.read_exactly(body.size()), body);
    }
}

TEST_F(TlsListening, AnUnknownAuthorityIsRefusedByName) {
    const auto handler = [this](relay::Exchange& exchange) -> Task<void> {
        relay::Origin origin;
        origin.host = "localhost";
        origin.port = ports_[1];
        origin.tls = true;
        const relay::Body body;
        relay::UpstreamRequest request{"GET", "/", {}};
        const auto answer = co_await upstreams().send(origin, std::move(request), body, {});
        relay::Reply reply;
        reply.body = answer ? "accepted" : answer.error().error.message();
        co_await exchange.reply(std::move(reply));
    };
    serve(handler, at({relay::Listen{}, place_}));
    EXPECT_THAT(ask(get), HasSubstr("certificate of localhost"));
}

}  // namespace
}  // namespace punie::test
