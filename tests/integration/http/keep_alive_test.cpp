// Kept connections: which responses let one be used again, and what happens when the server has
// closed it meanwhile.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "http/client.hpp"
#include "loop.hpp"
#include "peer_server.hpp"
#include "tls_peer.hpp"

namespace punie::http {
namespace {

using test::Authority;
using test::Loop;
using test::Peer;
using test::PeerServer;
using test::TlsPeer;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view good = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// What became of one request: its body, or the code of its error.
using Bodies = std::vector<std::string>;

std::string word_for(const Result<Response>& response) {
    return response ? response->body : std::string(name_of(response.error().code()));
}

/// `count` requests, one after the other.
Task<Result<Bodies>> ask(Client client, Request request, int count) {
    Bodies bodies;
    for (int i = 0; i < count; ++i) {
        const auto response = co_await client.send(request, Deadlines{});
        bodies.push_back(word_for(response));
    }
    co_return bodies;
}

Client keeping(std::size_t most = 256) {
    return Client({.keep_alive = true, .max_idle = most});
}

/// Answers every request of a connection with `bytes`, until the client closes.
std::function<void(Peer&)> answers(std::string bytes) {
    return [bytes = std::move(bytes)](Peer& peer) {
        while (!peer.read_header().empty() && peer.send(bytes)) {
        }
    };
}

struct Row {
    const char* name;
    const char* bytes;
    const char* method;
    const char* body;
    int connections;  ///< for three requests
};

class KeptAfter : public testing::TestWithParam<Row> {};

TEST_P(KeptAfter, ThreeRequests) {
    const auto& row = GetParam();
    const PeerServer server(answers(row.bytes));
    Loop loop;
    const auto bodies = loop.run(ask(keeping(), {.method = row.method, .url = server.url()}, 3));
    ASSERT_TRUE(bodies);
    EXPECT_THAT(*bodies, ElementsAre(row.body, row.body, row.body));
    EXPECT_EQ(server.connections(), row.connections);
}

INSTANTIATE_TEST_SUITE_P(
    Responses,
    KeptAfter,
    testing::Values(
        Row{"Length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "GET", "hello", 1},
        Row{"Posted", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "POST", "hello", 1},
        Row{"Chunked",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "GET",
            "hello",
            1},
        Row{"Empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "GET", "", 1},
        Row{"NoContent", "HTTP/1.1 204 No Content\r\n\r\n", "GET", "", 1},
        Row{"Head", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD", "", 1},
        Row{"WholeErrorAnswer", "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno", "GET", "no", 1},
        Row{"AfterContinue",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            "GET",
            "ok",
            1}
    ),
    [](const auto& info) { return info.param.name; }
);

/// These servers close, or cannot be believed: each request has its own connection.
std::function<void(Peer&)> answers_once(std::string bytes) {
    return [bytes = std::move(bytes)](Peer& peer) {
        peer.read_header();
        peer.send(bytes);
    };
}

class ClosedAfter : public testing::TestWithParam<Row> {};

TEST_P(ClosedAfter, ThreeRequests) {
    const auto& row = GetParam();
    const PeerServer server(answers_once(row.bytes));
    Loop loop;
    const auto bodies = loop.run(ask(keeping(), {.method = row.method, .url = server.url()}, 3));
    ASSERT_TRUE(bodies);
    EXPECT_THAT(*bodies, ElementsAre(row.body, row.body, row.body));
    EXPECT_EQ(server.connections(), row.connections);
}

INSTANTIATE_TEST_SUITE_P(
    Responses,
    ClosedAfter,
    testing::Values(
        Row{"Http10", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "GET", "hello", 3},
        Row{"Http10UntilClose", "HTTP/1.0 200 OK\r\n\r\nhello", "GET", "hello", 3},
        Row{"Http11UntilClose", "HTTP/1.1 200 OK\r\n\r\nhello", "GET", "hello", 3},
        Row{"SaysClose",
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
            "GET",
            "hello",
            3},
        Row{"ClosesWithoutAWord",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "GET",
            "hello",
            3}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST(KeepAlive, IsNotUsedAgainWithBytesBehindTheResponse) {
    const PeerServer server(answers(std::string(good) + "HTTP/1.1 200 OK\r\n"));
    Loop loop;
    const auto bodies = loop.run(ask(keeping(), {.url = server.url()}, 3));
    ASSERT_TRUE(bodies);
    EXPECT_THAT(*bodies, Each(std::string("hello")));
    EXPECT_EQ(server.connections(), 3);
}

TEST(KeepAlive, IsOffUnlessAskedFor) {
    std::string header;
    const PeerServer server([&header](Peer& peer) {
        header = peer.read_header();
        peer.send(good);
        peer.wait_for_close();
    });
    Loop loop;
    const auto bodies = loop.run(ask(Client(), {.url = server.url()}, 2));
    ASSERT_TRUE(bodies);
    EXPECT_THAT(*bodies, ElementsAre("hello", "hello"));
    EXPECT_EQ(server.connections(), 2);
    EXPECT_THAT(header, HasSubstr("Connection: close\r\n"));
}

TEST(KeepAlive, DoesNotAskTheServerToClose) {
    std::string header;
    const PeerServer server([&header](Peer& peer) {
        header = peer.read_header();
        peer.send(good);
        peer.wait_for_close();
    });
    Loop loop;
    ASSERT_TRUE(loop.run(ask(keeping(), {.url = server.url()}, 1)));
    EXPECT_THAT(header, Not(HasSubstr("Connection:")));
}

/// The first connection answers once and closes when it is asked again: it was stale.
TEST(KeepAlive, AStaleConnectionIsReplaced) {
    std::atomic<int> connection = 0;
    const PeerServer server([&connection](Peer& peer) {
        const bool first = ++connection == 1;
        while (!peer.read_header().empty()) {
            if (!peer.send(good)) return;
            if (!first) continue;
            peer.read_header();
            return;
        }
    });
    Loop loop;
    const auto bodies = loop.run(ask(keeping(), {.method = "POST", .url = server.url()}, 3));
    ASSERT_TRUE(bodies);
    EXPECT_THAT(*bodies, ElementsAre("hello", "hello", "hello"));
    EXPECT_EQ(server.connections(), 2);
}

TEST(KeepAlive, AStaleConnectionThatResetsIsReplaced) {
    std::atomic<int> connection = 0;
    const PeerServer server([&connection](Peer& peer) {
        const bool first = ++connection == 1;
        peer.read_header();
        peer.send(good);
        peer.read_header();
        if (first) {
            peer.reset();
        } else {
            peer.send(good);
        }
    });
    Loop loop;
    const auto bodies = loop.run(ask(keeping(), {.url = server.url()}, 2));
    ASSERT_TRUE(bodies);
    EXPECT_THAT(*bodies, ElementsAre("hello", "hello"));
    EXPECT_EQ(server.connections(), 2);
}

TEST(KeepAlive, IsReplacedOnceOnly) {
    std::atomic<int> requests = 0;
    const PeerServer server([&requests](Peer& peer) {
        while (!peer.read_header().empty()) {
            if (++requests > 1 || !peer.send(good)) return;
        }
    });
    Loop loop;
    const auto bodies = loop.run(ask(keeping(), {.url = server.url()}, 2));
    ASSERT_TRUE(bodies);
    EXPECT_THAT(*bodies, ElementsAre("hello", "connection"));
    EXPECT_EQ(requests, 3);
    EXPECT_EQ(server.connections(), 2);
}

TEST(KeepAlive, AResponseThatBeganIsNotAskedForAgain) {
    std::atomic<int> requests = 0;
    const PeerServer server([&requests](Peer& peer) {
        while (!peer.read_header().empty()) {
            const bool cut = ++requests == 2;
            peer.send(cut ? std::string_view("HTTP/1.1 2") : good);
            if (cut) return;
        }
    });
    Loop loop;
    const auto bodies = loop.run(ask(keeping(), {.url = server.url()}, 3));
    ASSERT_TRUE(bodies);
    EXPECT_THAT(*bodies, ElementsAre("hello", "connection", "hello"));
    EXPECT_EQ(requests, 3);
}

TEST(KeepAlive, AGoneServerIsRefused) {
    auto server = std::make_unique<PeerServer>(answers_once(std::string(good)));
    const auto client = keeping();
    const Request request{.url = server->url()};
    Loop loop;
    ASSERT_TRUE(loop.run(client.send(request, Deadlines{})));
    server.reset();
    const auto response = loop.run(client.send(request, Deadlines{}));
    ASSERT_FALSE(response);
    EXPECT_TRUE(connection_refused(response.error())) << response.error().message();
}

/// The second request of each connection hangs.
std::function<void(Peer&)> hangs_on_the_second(std::function<void()> then) {
    return [then = std::move(then)](Peer& peer) {
        peer.read_header();
        peer.send(good);
        if (peer.read_header().empty()) return;
        then();
        peer.wait_for_close();
    };
}

TEST(KeepAlive, ATimeoutEndsTheConnection) {
    const PeerServer server(hangs_on_the_second([] {}));
    const auto client = keeping();
    const Request request{.url = server.url()};
    Loop loop;
    ASSERT_TRUE(loop.run(client.send(request, Deadlines{})));
    const auto late = loop.run(client.send(request, Deadlines{.first_byte = Milliseconds(30)}));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code(), ErrorCode::timeout);
    EXPECT_EQ(server.connections(), 1);
    EXPECT_TRUE(loop.run(client.send(request, Deadlines{})));
    EXPECT_EQ(server.connections(), 2);
}

TEST(KeepAlive, ACancelledExchangeEndsTheConnection) {
    Loop loop;
    const PeerServer server(hangs_on_the_second([&loop] { loop.cancel(); }));
    const auto client = keeping();
    const Request request{.url = server.url()};
    ASSERT_TRUE(loop.run(client.send(request, Deadlines{})));
    const auto cancelled = loop.run(client.send(request, Deadlines{}));
    ASSERT_FALSE(cancelled);
    EXPECT_EQ(cancelled.error().code(), ErrorCode::cancelled);
    EXPECT_EQ(server.connections(), 1);
    EXPECT_TRUE(loop.run(client.send(request, Deadlines{})));
    EXPECT_EQ(server.connections(), 2);
}

Task<Result<int>> open_and_drop(Client client, Request request) {
    const auto stream = co_await client.open(std::move(request), Deadlines{});
    if (!stream) co_return std::unexpected(stream.error());
    co_return stream->status();
}

TEST(KeepAlive, ADroppedStreamEndsTheConnection) {
    const PeerServer server(answers(std::string(good)));
    const auto client = keeping();
    const Request request{.url = server.url()};
    Loop loop;
    ASSERT_TRUE(loop.run(open_and_drop(client, request)));
    EXPECT_TRUE(loop.run(client.send(request, Deadlines{})));
    EXPECT_EQ(server.connections(), 2);
}

Task<Result<std::string>> read_all(Client client, Request request) {
    auto stream = co_await client.open(std::move(request), Deadlines{});
    if (!stream) co_return std::unexpected(stream.error());
    std::string all;
    for (int ends = 0; ends < 2;) {  // asked once more behind the end
        const auto piece = co_await stream->next();
        if (!piece) co_return std::unexpected(piece.error());
        if (!*piece) ++ends;
        all += piece->value_or("");
    }
    co_return all;
}

TEST(KeepAlive, AStreamReadToItsEndKeepsTheConnection) {
    const PeerServer server(answers(std::string(good)));
    const auto client = keeping();
    Loop loop;
    for (int i = 0; i < 3; ++i) {
        const auto all = loop.run(read_all(client, {.url = server.url()}));
        ASSERT_TRUE(all);
        EXPECT_EQ(*all, "hello");
    }
    EXPECT_EQ(server.connections(), 1);
}

/// `count` exchanges that are all open at once.
Task<Result<int>> open_together(Client client, Request request, int count) {
    std::vector<ResponseStream> streams;
    for (int i = 0; i < count; ++i) {
        auto stream = co_await client.open(request, Deadlines{});
        if (!stream) co_return std::unexpected(stream.error());
        streams.push_back(*std::move(stream));
    }
    int pieces = 0;
    for (auto& stream : streams) {
        while (true) {
            const auto piece = co_await stream.next();
            if (!piece) co_return std::unexpected(piece.error());
            if (!*piece) break;
            ++pieces;
        }
    }
    co_return pieces;
}

struct Bound {
    std::size_t most;
    int connections;  ///< for two rounds of three at once
};

class IdleBound : public testing::TestWithParam<Bound> {};

TEST_P(IdleBound, Holds) {
    const PeerServer server(answers(std::string(good)));
    const auto client = keeping(GetParam().most);
    Loop loop;
    for (int round = 0; round < 2; ++round) {
        const auto pieces = loop.run(open_together(client, {.url = server.url()}, 3));
        ASSERT_TRUE(pieces) << pieces.error().message();
        EXPECT_EQ(*pieces, 3);
    }
    EXPECT_EQ(server.connections(), GetParam().connections);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    IdleBound,
    testing::Values(Bound{0, 6}, Bound{1, 5}, Bound{2, 4}, Bound{3, 3}, Bound{256, 3}),
    [](const auto& info) { return std::to_string(info.param.most); }
);

TEST(KeepAlive, ServersAreNotMixedUp) {
    const PeerServer one(answers("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"));
    const PeerServer two(answers("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo"));
    const auto client = keeping();
    Loop loop;
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(loop.run(ask(client, {.url = one.url()}, 1)), Bodies{"one"});
        EXPECT_EQ(loop.run(ask(client, {.url = two.url()}, 1)), Bodies{"two"});
    }
    EXPECT_EQ(one.connections(), 1);
    EXPECT_EQ(two.connections(), 1);
}

TEST(KeepAlive, AClientMayOutliveItsEventLoop) {
    const PeerServer server(answers(std::string(good)));
    const auto client = keeping();
    for (int i = 0; i < 2; ++i) {
        Loop loop;
        EXPECT_EQ(loop.run(ask(client, {.url = server.url()}, 2)), Bodies({"hello", "hello"}));
    }
    EXPECT_EQ(server.connections(), 2);
}

TEST(KeepAlive, AnEventLoopMayOutliveItsClient) {
    test::Flag closed;
    const PeerServer server([&closed](Peer& peer) {
        peer.read_header();
        peer.send(good);
        peer.wait_for_close();
        closed.set();
    });
    Loop loop;
    ASSERT_TRUE(loop.run(ask(keeping(), {.url = server.url()}, 1)));
    EXPECT_TRUE(closed.wait());
}

TEST(KeepAlive, AnIdleConnectionKeepsNoEventLoopRunning) {
    const PeerServer server(answers(std::string(good)));
    const auto client = keeping();
    Loop loop;
    ASSERT_TRUE(loop.run(ask(client, {.url = server.url()}, 1)));
    loop.io().restart();
    EXPECT_EQ(loop.io().run_for(std::chrono::seconds(10)), 0U);
    EXPECT_TRUE(loop.io().stopped());
}

TEST(KeepAlive, IsNotForProxies) {
    std::string header;
    const PeerServer proxy([&header](Peer& peer) {
        header = peer.read_header();
        peer.send(good);
        peer.wait_for_close();
    });
    const Client client({.environment = {{"http_proxy", proxy.url()}}, .keep_alive = true});
    Loop loop;
    const auto bodies = loop.run(ask(client, {.url = "http://example.test/x"}, 2));
    ASSERT_TRUE(bodies);
    EXPECT_THAT(*bodies, ElementsAre("hello", "hello"));
    EXPECT_EQ(proxy.connections(), 2);
    EXPECT_THAT(header, HasSubstr("Connection: close\r\n"));
}

TEST(KeepAlive, TlsConnectionsAreKeptToo) {
    const Authority authority;
    const auto context = authority.server_context({.subject_alt_name = "IP:127.0.0.1"});
    const auto folder = TemporaryFolder::make("punie-tls").value();
    const auto certificate = folder.path() / "ca.pem";
    authority.write_certificate(certificate);
    const PeerServer server([&context](Peer& peer) {
        TlsPeer tls(peer, context.get());
        if (!tls.accept()) return;
        while (!tls.read_header().empty() && tls.send(good)) {
        }
    });
    const Client client({.ca_file = certificate.string(), .keep_alive = true});
    auto url = server.url();
    url.replace(0, 4, "https");
    Loop loop;
    const auto bodies = loop.run(ask(client, {.url = url}, 3));
    ASSERT_TRUE(bodies);
    EXPECT_THAT(*bodies, ElementsAre("hello", "hello", "hello"));
    EXPECT_EQ(server.connections(), 1);
}

}  // namespace
}  // namespace punie::http
