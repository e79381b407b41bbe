// What servers do, one row each: good and bad answers, hangs with their deadlines.

#include "http/client.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "loop.hpp"
#include "peer_server.hpp"

namespace punie::http {
namespace {

using test::ClosedPort;
using test::fetch;
using test::FullPort;
using test::Loop;
using test::Peer;
using test::PeerServer;
using testing::HasSubstr;
using namespace std::chrono_literals;

/// A server that reads the request, says `bytes` and then closes.
std::function<void(Peer&)> says(std::string bytes) {
    return [bytes = std::move(bytes)](Peer& peer) {
        peer.read_header();
        peer.send(bytes);
    };
}

std::function<void(Peer&)> says_and_hangs(std::string bytes) {
    return [bytes = std::move(bytes)](Peer& peer) {
        peer.read_header();
        peer.send(bytes);
        peer.wait_for_close();
    };
}

struct Good {
    const char* name;
    const char* bytes;
    int status;
    const char* body;
};

class GoodAnswer : public testing::TestWithParam<Good> {};

TEST_P(GoodAnswer, IsReadWhole) {
    PeerServer server(says(GetParam().bytes));
    const auto response = fetch(server.url());
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->status, GetParam().status);
    EXPECT_EQ(response->body, GetParam().body);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    GoodAnswer,
    testing::Values(
        Good{"Length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"},
        Good{
            "Chunked",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            200,
            "hello"
        },
        Good{"Http10UntilClose", "HTTP/1.0 200 OK\r\n\r\nhello", 200, "hello"},
        Good{"EmptyBody", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, ""},
        Good{"EmptyUntilClose", "HTTP/1.0 200 OK\r\n\r\n", 200, ""},
        Good{"NoContent", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
        Good{
            "Continue",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 C\r\nContent-Length: 2\r\n\r\nok",
            201,
            "ok"
        },
        Good{"ErrorStatus", "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nlate", 503, "late"},
        Good{"Redirect", "HTTP/1.1 302 F\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 302, ""},
        Good{
            "MoreBehindTheEnd",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500",
            200,
            "ok"
        }
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

struct Bad {
    const char* name;
    std::function<void(Peer&)> handler;
    ErrorCode code;
    const char* words;
};

class BadAnswer : public testing::TestWithParam<Bad> {};

TEST_P(BadAnswer, IsAnErrorThatSaysWhat) {
    PeerServer server(GetParam().handler);
    const auto response = fetch(server.url());
    ASSERT_FALSE(response) << "status " << response->status << ", body " << response->body.size();
    EXPECT_EQ(response.error().code(), GetParam().code) << response.error().message();
    EXPECT_THAT(response.error().message(), HasSubstr(GetParam().words));
    EXPECT_THAT(response.error().message(), HasSubstr(fmt::format("127.0.0.1:{}", server.port())));
    EXPECT_FALSE(connection_refused(response.error()));
}

const std::string sse = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

void closes_at_once(Peer& peer) {
    peer.read_header();
}

void resets_at_once(Peer& peer) {
    peer.read_header();
    peer.reset();
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    BadAnswer,
    testing::Values(
        Bad{"ClosesAtOnce",
            closes_at_once,
            ErrorCode::connection,
            "before the response header was whole"},
        Bad{"ResetsAtOnce", resets_at_once, ErrorCode::connection, "it was reset by the peer"},
        Bad{"HalfAHeader",
            says("HTTP/1.1 200 OK\r\nA: b"),
            ErrorCode::connection,
            "before the response header"},
        Bad{"ShortBody",
            says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"),
            ErrorCode::connection,
            "after 5 of 9 bytes of the body"},
        Bad{"ShortChunk", says(sse + "9\r\nhello"), ErrorCode::connection, "before its last chunk"},
        Bad{"NoLastChunk",
            says(sse + "5\r\nhello\r\n"),
            ErrorCode::connection,
            "before its last chunk"},
        Bad{"BadChunkSize",
            says(sse + "5\r\nhello\r\nxyz\r\n"),
            ErrorCode::protocol,
            "body is not valid HTTP"},
        Bad{"HugeHeader",
            says("HTTP/1.1 200 OK\r\nA: " + std::string(200'000, 'a') + "\r\n\r\n"),
            ErrorCode::protocol,
            "larger than 65536 bytes"},
        Bad{"StatusNonsense",
            says("HTTP/1.1 999 Odd\r\n\r\n"),
            ErrorCode::protocol,
            "not valid HTTP"},
        Bad{"NotHttpAndHangs",
            says_and_hangs("SSH-2.0-OpenSSH_9.2\r\n"),
            ErrorCode::protocol,
            "SSH-2.0"},
        Bad{"InterimForEver",
            [](Peer& peer) {
                while (peer.send("HTTP/1.1 100 C\r\n\r\n")) {
                }
            },
            ErrorCode::protocol,
            "interim"}
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

TEST(BadAnswerMidway, AResetInTheBodyIsNoEnd) {
    // the reset comes once the client has the first piece: it would overtake the bytes otherwise
    for (const auto* header :
         {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n"}) {
        test::Flag got_piece;
        PeerServer server([&](Peer& peer) {
            peer.read_header();
            peer.send(std::string(header) + "hello");
            got_piece.wait();
            peer.reset();
        });
        Loop loop;
        const auto result =
            loop.run([](std::string url, test::Flag* got) -> Task<Result<std::string>> {
                const Client client;
                Request request;
                request.url = std::move(url);
                auto stream = co_await client.open(std::move(request), {});
                if (!stream) co_return std::unexpected(stream.error());
                auto first = co_await stream->next();
                EXPECT_EQ(first.value(), "hello");
                got->set();
                auto second = co_await stream->next();
                if (second) co_return std::string("an end");
                auto third = co_await stream->next();
                EXPECT_FALSE(third) << "an error stays one";
                co_return std::unexpected(second.error());
            }(server.url(), &got_piece));
        ASSERT_FALSE(result) << *result;
        EXPECT_EQ(result.error().code(), ErrorCode::connection);
        EXPECT_THAT(result.error().message(), HasSubstr("reset by the peer"));
    }
}

struct Hang {
    const char* name;
    std::function<void(Peer&)> handler;
    Deadlines deadlines;
    const char* words;
};

class Hanging : public testing::TestWithParam<Hang> {};

TEST_P(Hanging, EndsAtItsDeadlineAndSaysWhatWasAwaited) {
    PeerServer server(GetParam().handler);
    const auto start = std::chrono::steady_clock::now();
    const auto response = fetch(server.url(), GetParam().deadlines);
    const auto took = std::chrono::steady_clock::now() - start;
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), ErrorCode::timeout) << response.error().message();
    EXPECT_THAT(response.error().message(), HasSubstr(GetParam().words));
    EXPECT_GE(took, 100ms);
    EXPECT_LT(took, 10s);
}

// Rows that need something to arrive before the limit give it more time: the machine may be busy.
Deadlines first_byte(Milliseconds limit = 100ms) {
    return Deadlines{.first_byte = limit};
}

Deadlines between_bytes() {
    return Deadlines{.between_bytes = 100ms};
}

Deadlines total(Milliseconds limit = 100ms) {
    return Deadlines{.total = limit};
}

/// Never done, never silent: only the limit of the whole exchange ends it.
void drips(Peer& peer) {
    peer.read_header();
    peer.send("HTTP/1.0 200 OK\r\n\r\n");
    while (peer.send("x")) std::this_thread::yield();
}

const auto* const half = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello";

// NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): takes std::function's moves for a leak
INSTANTIATE_TEST_SUITE_P(
    Table,
    Hanging,
    testing::Values(
        Hang{
            "BeforeTheHeader",
            says_and_hangs(""),
            first_byte(),
            "waited 0.10 s for the response header; 0 bytes had arrived"
        },
        Hang{
            "InTheHeader",
            says_and_hangs("HTTP/1.1 200"),
            first_byte(1s),
            "waited 1.00 s for the response header; 12 bytes had arrived"
        },
        Hang{
            "AfterContinue",
            says_and_hangs("HTTP/1.1 100 C\r\n\r\n"),
            first_byte(),
            "for the response header"
        },
        Hang{
            "InTheBody",
            says_and_hangs(half),
            between_bytes(),
            "waited 0.10 s for more of the body; 5 of 9 bytes of the body had arrived"
        },
        Hang{
            "InAChunkedBody",
            says_and_hangs(sse + "5\r\nhello\r\n"),
            between_bytes(),
            "waited 0.10 s for more of the body; 5 bytes of the body had arrived"
        },
        Hang{
            "UntilCloseNeverCloses",
            says_and_hangs("HTTP/1.0 200 OK\r\n\r\nhello"),
            between_bytes(),
            "5 bytes of the body had arrived"
        },
        Hang{
            "TotalBeforeTheHeader",
            says_and_hangs(""),
            total(1s),
            "the whole exchange took longer than 1.00 s; it waited for the response header"
        },
        Hang{
            "TotalInTheBody",
            says_and_hangs(half),
            total(1s),
            "it waited for more of the body; 5 of 9 bytes"
        },
        Hang{"TotalOfADrip", drips, total(), "the whole exchange took longer than 0.10 s"}
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

TEST(Connecting, RefusedIsToldApart) {
    const ClosedPort port;
    const auto response = fetch(fmt::format("http://127.0.0.1:{}/", port.port()));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), ErrorCode::connection);
    EXPECT_TRUE(connection_refused(response.error())) << response.error().message();
    EXPECT_TRUE(connection_refused(Error(response.error()).in("probe")));
    EXPECT_THAT(response.error().hint(), HasSubstr("is the server running"));
}

TEST(Connecting, RefusedAtAllAddressesOfLocalhost) {
    const ClosedPort port;
    const auto response = fetch(fmt::format("http://localhost:{}/", port.port()));
    ASSERT_FALSE(response);
    EXPECT_TRUE(connection_refused(response.error())) << response.error().message();
}

TEST(Connecting, NotResolvedIsToldApart) {
    const auto response = fetch("http://no-such-host.invalid/");
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), ErrorCode::connection) << response.error().message();
    EXPECT_THAT(
        response.error().message(), HasSubstr("cannot resolve the host name no-such-host.invalid")
    );
    EXPECT_FALSE(connection_refused(response.error()));
}

TEST(Connecting, AHangEndsAtTheConnectDeadline) {
    const FullPort port;
    const auto response =
        fetch(fmt::format("http://127.0.0.1:{}/", port.port()), Deadlines{.connect = 100ms});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), ErrorCode::timeout) << response.error().message();
    EXPECT_THAT(
        response.error().message(),
        HasSubstr("waited 0.10 s for the TCP connection; 0 bytes had arrived")
    );
}

TEST(Connecting, LocalhostReachesEitherFamily) {
    for (const auto* host : {"127.0.0.1", "::1"}) {
        std::optional<PeerServer> server;
        try {
            server.emplace(says("HTTP/1.1 204 N\r\n\r\n"), host);
        } catch (const std::system_error& error) {
            GTEST_SKIP() << "no " << host << " here: " << error.what();
        }
        const auto response = fetch(fmt::format("http://localhost:{}/", server->port()));
        ASSERT_TRUE(response) << host << ": " << response.error().message();
        EXPECT_TRUE(fetch(server->url())) << server->url();
    }
}

TEST(Connecting, ABadUrlIsTheCallersFault) {
    const auto response = fetch("127.0.0.1:80");
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), ErrorCode::invalid_argument);
}

TEST(Sending, TheServerGetsHeaderAndBody) {
    std::string header;
    std::string body;
    const std::string large(3'000'000, 'z');
    {
        PeerServer server([&](Peer& peer) {
            header = peer.read_header();
            body = peer.read_exactly(large.size());
            peer.send("HTTP/1.1 204 N\r\n\r\n");
        });
        Request request{
            .method = "POST", .url = server.url("/v1?x=y"), .headers = {{"X-A", "b"}}, .body = large
        };
        ASSERT_TRUE(fetch(Client(), request));
    }
    EXPECT_THAT(header, testing::StartsWith("POST /v1?x=y HTTP/1.1\r\nHost: 127.0.0.1:"));
    EXPECT_THAT(header, HasSubstr("X-A: b\r\nContent-Length: 3000000\r\n"));
    EXPECT_EQ(body, large);
}

TEST(Sending, AServerThatDoesNotReadIsATimeout) {
    test::Flag done;
    PeerServer server([&](Peer&) { done.wait(); });
    Request request{.method = "POST", .url = server.url()};
    request.body.resize(50'000'000, 'z');  // more than the kernel's buffers take
    const auto response = fetch(Client(), request, Deadlines{.first_byte = 100ms});
    done.set();
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), ErrorCode::timeout);
    EXPECT_THAT(response.error().message(), HasSubstr("for the server to take the request"));
}

TEST(Sending, HeadHasNoBody) {
    PeerServer server(says_and_hangs("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"));
    const auto response = fetch(Client(), Request{.method = "HEAD", .url = server.url()});
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(find_header(response->headers, "content-length"), "100");
    EXPECT_EQ(response->body, "");
}

TEST(Sending, OneConnectionEach) {
    PeerServer server(says("HTTP/1.1 204 N\r\n\r\n"));
    ASSERT_TRUE(fetch(server.url()));
    ASSERT_TRUE(fetch(server.url()));
    EXPECT_EQ(server.connections(), 2);
}

struct TooLarge {
    const char* name;
    const char* bytes;
};

class BodyLimit : public testing::TestWithParam<TooLarge> {};

TEST_P(BodyLimit, EndsAWholeResponse) {
    PeerServer server(says_and_hangs(GetParam().bytes));
    const Client client(ClientOptions{.max_body = 4});
    const auto response = fetch(client, Request{.url = server.url()});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), ErrorCode::protocol);
    EXPECT_THAT(response.error().message(), HasSubstr("larger than the 4 B"));
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    BodyLimit,
    testing::Values(
        TooLarge{"Declared", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
        TooLarge{"Chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"},
        TooLarge{"UntilClose", "HTTP/1.0 200 OK\r\n\r\nhello"}
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

TEST(Probe, CostsWellUnderAMillisecond) {
    PeerServer server(says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    Loop loop;
    const Client client;
    constexpr int rounds = 200;
    std::vector<std::chrono::steady_clock::duration> times;
    for (int i = 0; i < rounds; ++i) {
        const auto start = std::chrono::steady_clock::now();
        ASSERT_TRUE(loop.run(
            client.send(Request{.url = server.url()}, Deadlines{.first_byte = 1s, .total = 5s})
        ));
        times.push_back(std::chrono::steady_clock::now() - start);
    }
    std::ranges::nth_element(times, times.begin() + rounds / 2);
    const auto median = std::chrono::duration<double, std::micro>(times[rounds / 2]).count();
    RecordProperty("median_us", fmt::format("{:.0f}", median));
    fmt::print("median of a probe: {:.0f} us\n", median);
    EXPECT_LT(
        median, 20'000
    );  // only a bound against a look-up or a timer in the way; machines differ
}

}  // namespace
}  // namespace punie::http
