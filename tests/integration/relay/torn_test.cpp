// Upstreams that break, and what the client gets to see of it: never a proper end.
#include <fmt/format.h>

#include "relay_fixture.hpp"

namespace punie::test {
namespace {

using testing::HasSubstr;
using testing::Not;

const auto request = post("Content-Length: 5\r\n", "hello");

struct Tear {
    std::string_view name;
    std::string_view answer;  ///< what the upstream says
    bool reset;               ///< ends by RST instead of FIN
    ErrorCode code;
};

constexpr auto tears = std::to_array<Tear>({
    {"declared_length_short",
     "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
     false,
     ErrorCode::connection},
    {"declared_length_reset",
     "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
     true,
     ErrorCode::connection},
    {"closed_behind_head",
     "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
     false,
     ErrorCode::connection},
    {"closed_between_chunks",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
     false,
     ErrorCode::connection},
    {"closed_in_chunk",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello",
     false,
     ErrorCode::connection},
    {"closed_in_chunk_size",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1",
     false,
     ErrorCode::connection},
    {"closed_in_last_chunk",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
     false,
     ErrorCode::connection},
    {"reset_in_chunk",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello",
     true,
     ErrorCode::connection},
    {"bad_chunk_size",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
     false,
     ErrorCode::protocol},
    {"bad_chunk_end",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloxx",
     false,
     ErrorCode::protocol},
    {"http_1_0_reset", "HTTP/1.0 200 OK\r\n\r\nhello", true, ErrorCode::connection},
    {"close_reset", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", true, ErrorCode::connection
    },
});

class TornAnswer : public RelayTest, public testing::WithParamInterface<Tear> {};

TEST_P(TornAnswer, IsSeenAsTorn) {
    const auto& tear = GetParam();
    Flag taken;
    proxy_to(upstream([&](Peer& peer) {
        peer.read_header();
        peer.read_exactly(5);
        peer.send(tear.answer);
        // a reset would overtake what the relay has not read
        if (tear.answer.ends_with("hello")) taken.wait();
        if (tear.reset) peer.reset();
    }));
    RawSocket client(port());
    client.send(request);
    std::string answer;
    if (tear.answer.ends_with("hello")) {
        answer = client.read_until("hello");
        EXPECT_THAT(answer, HasSubstr("200 OK"));
    }
    taken.set();
    answer += client.read_all();
    EXPECT_TRUE(client.was_reset());
    EXPECT_THAT(answer, Not(HasSubstr("\r\n0\r\n")));
    const auto outcome = outcomes.take();
    ASSERT_TRUE(outcome && outcome->passed);
    ASSERT_TRUE(outcome->passed->upstream_error);
    EXPECT_EQ(outcome->passed->upstream_error->code(), tear.code)
        << outcome->passed->upstream_error->message();
    EXPECT_FALSE(outcome->passed->client_error);
}

INSTANTIATE_TEST_SUITE_P(EachWay, TornAnswer, testing::ValuesIn(tears), [](const auto& info) {
    return std::string(info.param.name);
});

struct BadHead {
    std::string_view name;
    std::string_view answer;
    bool before_first_byte;
    ErrorCode code;
};

constexpr auto bad_heads = std::to_array<BadHead>({
    {"nothing", "", true, ErrorCode::connection},
    {"half_a_head", "HTTP/1.1 200 OK\r\nContent-Le", false, ErrorCode::connection},
    {"no_http", "SSH-2.0-OpenSSH\r\n\r\n", false, ErrorCode::protocol},
    {"http_2", "HTTP/2 200\r\n\r\n", false, ErrorCode::protocol},
    {"bare_line_ends", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", false, ErrorCode::protocol},
    {"two_lengths",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
     false,
     ErrorCode::protocol},
    {"length_and_chunked",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     false,
     ErrorCode::protocol},
    {"length_no_number",
     "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
     false,
     ErrorCode::protocol},
    {"other_encoding",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
     false,
     ErrorCode::protocol},
    {"folded",
     "HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
     false,
     ErrorCode::protocol},
    {"switching",
     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
     false,
     ErrorCode::protocol},
    {"nine_interim",
     "HTTP/1.1 102 P\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 102 "
     "P\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 102 "
     "P\r\n\r\nHTTP/1.1 102 P\r\n\r\n",
     false,
     ErrorCode::protocol},
});

class BadAnswerHead : public RelayTest, public testing::WithParamInterface<BadHead> {};

TEST_P(BadAnswerHead, IsAFailureBeforeAnythingWasPassedOn) {
    const auto& bad = GetParam();
    proxy_to(upstream([&](Peer& peer) {
        peer.read_header();
        peer.read_exactly(5);
        peer.send(bad.answer);
    }));
    RawSocket client(port());
    client.send(request);
    client.end_sending();
    EXPECT_THAT(client.read_all(), HasSubstr("HTTP/1.1 502 Bad Gateway"));
    const auto outcome = outcomes.take();
    ASSERT_TRUE(outcome && outcome->failure);
    EXPECT_EQ(outcome->failure->before_first_byte, bad.before_first_byte);
    EXPECT_FALSE(outcome->failure->not_begun);
    EXPECT_EQ(outcome->failure->error.code(), bad.code) << outcome->failure->error.message();
}

INSTANTIATE_TEST_SUITE_P(
    EachWay,
    BadAnswerHead,
    testing::ValuesIn(bad_heads),
    [](const auto& info) { return std::string(info.param.name); }
);

class Upstream : public RelayTest {};

TEST_F(Upstream, ThatRefusesHasNotBegun) {
    const ClosedPort closed;
    proxy_to(closed.port());
    RawSocket client(port());
    client.send(request);
    client.end_sending();
    EXPECT_THAT(client.read_all(), HasSubstr("HTTP/1.1 502"));
    const auto outcome = outcomes.take();
    ASSERT_TRUE(outcome && outcome->failure);
    EXPECT_TRUE(outcome->failure->not_begun);
    EXPECT_TRUE(outcome->failure->before_first_byte);
    EXPECT_EQ(outcome->failure->error.code(), ErrorCode::connection);
}

TEST_F(Upstream, ThatDoesNotAcceptRunsIntoTheConnectLimit) {
    const FullPort full;
    Options options;
    options.upstream.connect = Milliseconds(100);
    proxy_to(full.port(), options);
    RawSocket client(port());
    client.send(request);
    client.end_sending();
    EXPECT_THAT(client.read_all(), HasSubstr("no connection within 0.1 s"));
    const auto outcome = outcomes.take();
    ASSERT_TRUE(outcome && outcome->failure);
    EXPECT_TRUE(outcome->failure->not_begun);
    EXPECT_EQ(outcome->failure->error.code(), ErrorCode::timeout);
}

TEST_F(Upstream, ThatSaysNothingRunsIntoTheFirstByteLimit) {
    Options options;
    options.upstream.first_byte = Milliseconds(100);
    proxy_to(upstream([](Peer& peer) { peer.wait_for_close(); }), options);
    RawSocket client(port());
    client.send(request);
    client.end_sending();
    EXPECT_THAT(client.read_all(), HasSubstr("no answer within 0.1 s"));
    const auto outcome = outcomes.take();
    ASSERT_TRUE(outcome && outcome->failure);
    EXPECT_EQ(outcome->failure->error.code(), ErrorCode::timeout);
    EXPECT_TRUE(outcome->failure->before_first_byte);
    EXPECT_FALSE(outcome->failure->not_begun);
}

TEST_F(Upstream, ThatFallsSilentRunsIntoTheLimitBetweenBytes) {
    Options options;
    options.upstream.between_bytes = Milliseconds(100);
    proxy_to(
        upstream([](Peer& peer) {
            peer.read_header();
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
            peer.wait_for_close();
        }),
        options
    );
    RawSocket client(port());
    client.send(request);
    EXPECT_THAT(client.read_all(), HasSubstr("hello"));
    EXPECT_TRUE(client.was_reset());
    const auto outcome = outcomes.take();
    ASSERT_TRUE(outcome && outcome->passed && outcome->passed->upstream_error);
    EXPECT_EQ(outcome->passed->upstream_error->code(), ErrorCode::timeout);
    EXPECT_EQ(outcome->passed->bytes, 5U);
}

// An HTTP/1.0 body without a length that ends properly is whole.
TEST_F(Upstream, WithoutALengthEndsWithItsConnection) {
    proxy_to(upstream([](Peer& peer) {
        peer.read_header();
        peer.read_exactly(5);
        peer.send("HTTP/1.0 200 OK\r\nX-A: b\r\n\r\nhello");
    }));
    RawSocket client(port());
    client.send(request);
    client.end_sending();
    const auto answer = client.read_all();
    EXPECT_THAT(answer, HasSubstr("X-A: b\r\n"));
    EXPECT_THAT(answer, HasSubstr("5\r\nhello\r\n0\r\n\r\n"));
    const auto outcome = outcomes.take();
    ASSERT_TRUE(outcome && outcome->passed);
    EXPECT_FALSE(outcome->passed->upstream_error);
    EXPECT_TRUE(outcome->passed->first_byte);
}

TEST_F(Upstream, InterimAnswersAreSkipped) {
    proxy_to(upstream([](Peer& peer) {
        peer.read_header();
        peer.read_exactly(5);
        peer.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
        peer.send(whole_answer("hello"));
        peer.wait_for_close();
    }));
    RawSocket client(port());
    client.send(request);
    const auto answer = client.read_until("hello");
    EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr("Link")));
}

// A server that answers before it took the whole body, and then takes no more of it.
TEST_F(Upstream, ThatAnswersEarlyIsHeard) {
    Flag done;
    proxy_to(upstream([&](Peer& peer) {
        peer.read_header();
        peer.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
        done.wait();
    }));
    const std::string body(32UL << 20U, 'x');
    RawSocket client(port());
    client.send(post(fmt::format("Content-Length: {}\r\n", body.size()), body));
    EXPECT_THAT(client.read_until("big"), HasSubstr("HTTP/1.1 413"));
    done.set();
}

// ---- kept connections

TEST_F(Upstream, ConnectionIsUsedAgain) {
    CountingUpstream counting;
    proxy_to(counting.port());
    RawSocket client(port());
    for (int i = 0; i < 3; ++i) {
        client.send(request);
        EXPECT_THAT(client.read_until("\r\n\r\nok"), HasSubstr("200 OK"));
    }
    stop(Milliseconds(0));
    EXPECT_EQ(counting.seen().size(), 3U);
    EXPECT_EQ(counting.connections(), 1);
}

// Closed while nobody looks, or in the very moment: either way a fresh connection, once.
TEST_F(Upstream, KeptConnectionThatIsClosedIsReplacedOnce) {
    std::atomic<int> connection = 0;
    proxy_to(upstream([&](Peer& peer) {
        const bool first = ++connection == 1;
        peer.read_header();
        peer.read_exactly(5);
        peer.send(whole_answer("one"));
        if (!first) return;
        peer.read_header();  // of the next request: closed in the race, without a byte
    }));
    RawSocket client(port());
    client.send(request);
    client.read_until("one");
    client.send(request);
    EXPECT_THAT(client.read_until("one"), HasSubstr("200 OK"));
    EXPECT_EQ(connection, 2);
}

TEST_F(Upstream, KeptConnectionOfAServerThatIsGoneHasNotBegun) {
    Flag answered;
    Flag gone;
    auto server = std::make_unique<PeerServer>([&](Peer& peer) {
        peer.read_header();
        peer.read_exactly(5);
        peer.send(whole_answer("one"));
        answered.wait();
    });
    proxy_to(server->port());
    RawSocket client(port());
    client.send(request);
    client.read_until("one");
    answered.set();
    server.reset();
    client.send(request);
    client.end_sending();
    EXPECT_THAT(client.read_all(), HasSubstr("502"));
    outcomes.take();
    const auto outcome = outcomes.take();
    ASSERT_TRUE(outcome && outcome->failure);
    EXPECT_TRUE(outcome->failure->not_begun);
}

TEST_F(Upstream, ThatClosesAFreshConnectionIsAskedOnlyOnce) {
    std::atomic<int> connections = 0;
    proxy_to(upstream([&](Peer& peer) {
        ++connections;
        peer.read_header();
    }));
    RawSocket client(port());
    client.send(request);
    client.end_sending();
    EXPECT_THAT(client.read_all(), HasSubstr("502"));
    EXPECT_EQ(connections, 1);
}

TEST_F(Upstream, ThatSaysTooMuchIsNotUsedAgain) {
    std::atomic<int> connections = 0;
    proxy_to(upstream([&](Peer& peer) {
        ++connections;
        peer.read_header();
        peer.read_exactly(5);
        peer.send(whole_answer("one") + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
        peer.wait_for_close();
    }));
    RawSocket client(port());
    for (int i = 0; i < 2; ++i) {
        client.send(request);
        client.read_until("one");
    }
    client.end_sending();
    EXPECT_THAT(client.read_all(), Not(HasSubstr("evil")));
    EXPECT_EQ(connections, 2);
}

TEST_F(Upstream, ThatIsForgottenIsConnectedAnew) {
    CountingUpstream counting;
    proxy_to(counting.port());
    RawSocket client(port());
    client.send(request);
    client.read_until("ok");
    in_loop([&] { upstreams().forget({.host = "127.0.0.1", .port = counting.port()}); });
    client.send(request);
    client.read_until("\r\n\r\nok");
    stop(Milliseconds(0));
    EXPECT_EQ(counting.connections(), 2);
}

}  // namespace
}  // namespace punie::test
