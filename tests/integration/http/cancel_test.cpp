// A cancellation in every phase of an exchange ends it with the error `cancelled`, at once.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "http/client.hpp"
#include "http/resolve.hpp"
#include "loop.hpp"
#include "peer_server.hpp"

namespace punie::http {
namespace {

using test::FullPort;
using test::Loop;
using test::Peer;
using test::PeerServer;
using testing::HasSubstr;

Task<Result<Response>> send(ClientOptions options, Request request) {
    const Client client(std::move(options));
    co_return co_await client.send(std::move(request), Deadlines{.connect = Milliseconds(0)});
}

/// The server may see the request before the client knows that it is sent, so the words for that
/// moment are open.
struct Phase {
    const char* name;
    /// What the server does before it sits there; it has reached the phase when this returns.
    std::function<void(Peer&)> until;
    const char* scheme;
    std::size_t body;
    const char* awaited;
};

class CancelledIn : public testing::TestWithParam<Phase> {};

TEST_P(CancelledIn, EndsAtOnce) {
    Loop loop;
    PeerServer server([&](Peer& peer) {
        GetParam().until(peer);
        loop.cancel();
        if (GetParam().body == 0) peer.wait_for_close();
    });
    Request request{.url = server.url(), .body = std::string(GetParam().body, 'z')};
    request.url.replace(0, 4, GetParam().scheme);
    const auto response = loop.run(send({}, request));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), ErrorCode::cancelled) << response.error().message();
    EXPECT_THAT(response.error().message(), HasSubstr(GetParam().awaited));
}

void reads(Peer& peer) {
    peer.read_header();
}

void reads_hello(Peer& peer) {
    peer.read_exactly(5);
}

std::function<void(Peer&)> reads_and_says(std::string bytes) {
    return [bytes = std::move(bytes)](Peer& peer) {
        peer.read_header();
        peer.send(bytes);
    };
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    CancelledIn,
    testing::Values(
        Phase{"Header", reads, "http", 0, "cancelled while waiting for the"},
        Phase{
            "HalfHeader", reads_and_says("HTTP/1.1 200 O"), "http", 0, "cancelled while waiting for"
        },
        Phase{
            "Handshake", reads_hello, "https", 0, "cancelled while waiting for the TLS handshake"
        },
        Phase{
            "Body",
            reads_and_says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"),
            "http",
            0,
            "cancelled while waiting for"
        }
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

TEST(Cancelling, WhileSending) {
    Loop loop;
    test::Flag done;
    PeerServer server([&](Peer&) {
        loop.cancel();
        done.wait();
    });
    std::string body;
    body.resize(50'000'000, 'z');  // more than the kernel's buffers take
    const auto response = loop.run(send({}, Request{.url = server.url(), .body = std::move(body)}));
    done.set();
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), ErrorCode::cancelled) << response.error().message();
    EXPECT_THAT(response.error().message(), testing::Not(HasSubstr("response header")));
}

/// Cancels itself at its first wait, which is the connect; then starts another exchange.
Task<Result<Response>> send_and_cancel(std::string url, Loop* loop) {
    co_await asio::this_coro::throw_if_cancelled(false);
    loop->cancel();
    auto first = co_await send({}, Request{.url = url});
    const auto second = co_await send({}, Request{.url = url});
    EXPECT_FALSE(second) << "a coroutine that was cancelled stays cancelled";
    if (!second) EXPECT_EQ(second.error().code(), ErrorCode::cancelled) << second.error().message();
    co_return first;
}

TEST(Cancelling, WhileConnecting) {
    const FullPort port;
    Loop loop;
    const auto response =
        loop.run(send_and_cancel(fmt::format("http://127.0.0.1:{}/", port.port()), &loop));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), ErrorCode::cancelled) << response.error().message();
    EXPECT_THAT(response.error().message(), HasSubstr("the TCP connection"));
}

TEST(Cancelling, WhileTheProxyThinks) {
    Loop loop;
    PeerServer proxy([&](Peer& peer) {
        peer.read_header();
        loop.cancel();
        peer.wait_for_close();
    });
    ClientOptions options{.environment = {{"https_proxy", proxy.url()}}};
    const auto response = loop.run(send(options, Request{.url = "https://example.org/"}));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), ErrorCode::cancelled) << response.error().message();
    EXPECT_THAT(response.error().message(), HasSubstr("cancelled while waiting for the proxy"));
}

/// Cancels itself while it waits for the second piece, and then asks for a third.
Task<Result<int>> read_and_cancel(std::string url, Loop* loop) {
    const Client client;
    auto stream = co_await client.open(Request{.url = std::move(url)}, {});
    if (!stream) co_return std::unexpected(stream.error());
    auto first = co_await stream->next();
    EXPECT_EQ(first.value(), "hello");
    co_await asio::this_coro::throw_if_cancelled(false);
    loop->cancel();
    for (int i = 0; i < 2; ++i) {
        const auto piece = co_await stream->next();
        EXPECT_FALSE(piece);
        if (!piece)
            EXPECT_EQ(piece.error().code(), ErrorCode::cancelled) << piece.error().message();
    }
    co_return 0;
}

TEST(Cancelling, BetweenTwoPieces) {
    PeerServer server([](Peer& peer) {
        peer.read_header();
        peer.send("HTTP/1.0 200 OK\r\n\r\nhello");
        peer.wait_for_close();
    });
    Loop loop;
    const auto result = loop.run(read_and_cancel(server.url(), &loop));
    EXPECT_TRUE(result) << result.error().message();
}

Task<Result<bool>> setting_after_call(bool throws, std::string url) {
    co_await asio::this_coro::throw_if_cancelled(throws);
    const Client client;
    const auto response = co_await client.send(Request{.url = std::move(url)}, {});
    EXPECT_TRUE(response);
    co_return co_await asio::this_coro::throw_if_cancelled();
}

TEST(Cancelling, TheCallersSettingStays) {
    PeerServer server(reads_and_says("HTTP/1.1 204 N\r\n\r\n"));
    for (const bool throws : {true, false}) {
        Loop loop;
        EXPECT_EQ(loop.run(setting_after_call(throws, server.url())).value(), throws);
    }
}

TEST(Cancelling, ALoopThatIsDestroyedInMidExchange) {
    test::Flag closed;
    PeerServer server([&](Peer& peer) {
        peer.read_header();
        peer.wait_for_close();
        closed.set();
    });
    {
        asio::io_context io;
        const Client client;
        asio::co_spawn(
            io,
            client.send(
                Request{.url = server.url()}, Deadlines{.first_byte = Milliseconds(100'000)}
            ),
            [](const std::exception_ptr&, const Result<Response>&) {
                ADD_FAILURE() << "it cannot have ended";
            }
        );
        while (server.connections() == 0) io.poll();
    }
    EXPECT_TRUE(closed.wait());
}

/// A look-up that takes as long as the test likes.
class SlowLookup {
public:
    SlowLookup() = default;
    SlowLookup(const SlowLookup&) = delete;
    SlowLookup& operator=(const SlowLookup&) = delete;

    Lookup lookup() {
        return [state = state_](const HostPort&) -> Result<Endpoints> {
            state->started.set();
            state->release.wait();
            return Endpoints{asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 1)};
        };
    }

    ~SlowLookup() { release(); }

    void wait_until_started() { EXPECT_TRUE(state_->started.wait()); }

    void release() { state_->release.set(); }

private:
    struct State {
        test::Flag started;
        test::Flag release;
    };

    std::shared_ptr<State> state_ = std::make_shared<State>();
};

Task<Result<Endpoints>> look_up(Lookup lookup, Milliseconds limit) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const Limits limits(Deadlines{.connect = limit}, std::chrono::steady_clock::now());
    co_return co_await resolve(
        HostPort{.host = "slow.example", .port = 1}, limits.connect("the name look-up"), lookup
    );
}

TEST(LookingUp, EndsAtItsDeadlineThoughTheSystemHangs) {
    SlowLookup slow;
    Loop loop;
    const auto found = loop.run(look_up(slow.lookup(), Milliseconds(50)));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), ErrorCode::timeout);
    EXPECT_THAT(
        found.error().message(), HasSubstr("slow.example:1: waited 0.05 s for the name look-up")
    );
}

TEST(LookingUp, EndsWhenCancelledThoughTheSystemHangs) {
    SlowLookup slow;
    Loop loop;
    std::thread canceller([&] {
        slow.wait_until_started();
        loop.cancel();
    });
    const auto found = loop.run(look_up(slow.lookup(), Milliseconds(0)));
    canceller.join();
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), ErrorCode::cancelled);
}

TEST(LookingUp, OutlivesItsLoopHarmlessly) {
    SlowLookup slow;
    {
        asio::io_context io;
        asio::co_spawn(
            io,
            look_up(slow.lookup(), Milliseconds(0)),
            [](const std::exception_ptr&, const auto&) {}
        );
        io.poll();
        slow.wait_until_started();
    }
    slow.release();
}

TEST(LookingUp, GivesWhatTheSystemFinds) {
    SlowLookup slow;
    slow.release();
    Loop loop;
    const auto found = loop.run(look_up(slow.lookup(), Milliseconds(5000)));
    ASSERT_TRUE(found) << found.error().message();
    EXPECT_EQ(found->size(), 1U);
}

TEST(LookingUp, NeedsNoThreadForNumbersAndLocalhost) {
    for (const auto* host : {"127.0.0.1", "::1", "10.0.0.1", "localhost", "a.localhost"}) {
        EXPECT_TRUE(known_endpoints(HostPort{.host = host, .port = 1})) << host;
    }
    for (const auto* host : {"example.org", "1.2.3", "localhost.example.org"}) {
        EXPECT_FALSE(known_endpoints(HostPort{.host = host, .port = 1})) << host;
    }
}

}  // namespace
}  // namespace punie::http
