// What clients may do: keep connections, ask ahead, speak HTTP/1.0, end their sending, leave.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "relay_fixture.hpp"

namespace punie::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const auto request = post("Content-Length: 5\r\n", "hello");

class Client : public RelayTest {};

TEST_F(Client, KeepsItsConnection) {
    CountingUpstream counting;
    proxy_to(counting.port());
    RawSocket client(port());
    for (int i = 0; i < 3; ++i) {
        client.send(request);
        EXPECT_THAT(client.read_until("\r\n\r\nok"), Not(HasSubstr("Connection:")));
    }
    in_loop([this] { EXPECT_EQ(front().connections(), 1U); });
    stop(Milliseconds(0));
}

TEST_F(Client, ThatSaysCloseIsClosed) {
    CountingUpstream counting;
    proxy_to(counting.port());
    RawSocket client(port());
    client.send(post("Connection: close\r\nContent-Length: 0\r\n", ""));
    EXPECT_THAT(client.read_all(), HasSubstr("Connection: close\r\n"));
    EXPECT_TRUE(client.ended());
    stop(Milliseconds(0));
}

TEST_F(Client, MayAskAhead) {
    CountingUpstream counting;
    proxy_to(counting.port());
    constexpr std::size_t count = 200;
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += request;
    RawSocket client(port());
    client.send(all);
    client.end_sending();
    EXPECT_EQ(count_of(client.read_all(), "HTTP/1.1 200 OK"), count);
    EXPECT_EQ(counting.seen().size(), count);
    stop(Milliseconds(0));
}

TEST_F(Client, OfHttp10GetsNoChunks) {
    proxy_to(upstream([](Peer& peer) {
        peer.read_header();
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        peer.wait_for_close();
    }));
    RawSocket client(port());
    client.send("GET /path HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto answer = client.read_all();
    EXPECT_THAT(answer, Not(HasSubstr("Transfer-Encoding")));
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\nhello"));
}

TEST_F(Client, OfHttp10IsKeptIfItAsks) {
    CountingUpstream counting;
    proxy_to(counting.port());
    RawSocket client(port());
    client.send("GET /path HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_THAT(client.read_until("\r\n\r\nok"), HasSubstr("Connection: keep-alive\r\n"));
    client.send("GET /path HTTP/1.0\r\n\r\n");
    EXPECT_THAT(client.read_all(), HasSubstr("Connection: close\r\n"));
    stop(Milliseconds(0));
}

TEST_F(Client, AskingForTheHeadGetsNoBody) {
    CountingUpstream counting;
    proxy_to(counting.port());
    RawSocket client(port());
    client.send("HEAD /path HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("Content-Length: 2\r\n"));
    client.send(request);
    EXPECT_THAT(client.read_until("\r\n\r\nok"), StartsWith("HTTP/1.1 200 OK"));
    stop(Milliseconds(0));
}

TEST_F(Client, IsToldToContinue) {
    CountingUpstream counting;
    proxy_to(counting.port());
    RawSocket client(port());
    client.send(post("Expect: 100-continue\r\nContent-Length: 5\r\n", ""));
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    EXPECT_THAT(client.read_until("ok"), StartsWith("HTTP/1.1 200 OK"));
    ASSERT_EQ(counting.seen().size(), 1U);
    EXPECT_THAT(counting.seen()[0], Not(HasSubstr("Expect")));
    stop(Milliseconds(0));
}

TEST_F(Client, WithALargeBodyIsRefusedBeforeItSendsIt) {
    CountingUpstream counting;
    Options options;
    options.limits.body.bytes = 1000;
    proxy_to(counting.port(), options);
    RawSocket client(port());
    client.send(post("Expect: 100-continue\r\nContent-Length: 5000\r\n", ""));
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 413"));
    EXPECT_TRUE(client.ended());
    const auto outcome = outcomes.take();
    ASSERT_TRUE(outcome && outcome->body);
    EXPECT_EQ(outcome->body->code(), ErrorCode::invalid_argument);
    EXPECT_TRUE(counting.seen().empty());
    stop(Milliseconds(0));
}

TEST_F(Client, BodyBeyondMemoryGoesThroughAFile) {
    CountingUpstream counting;
    Options options;
    options.limits.body.in_memory = 1000;
    proxy_to(counting.port(), options);
    std::string body(300'000, 'x');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
    RawSocket client(port());
    client.send(post("Content-Length: 300000\r\n", body));
    client.read_until("\r\n\r\nok");
    client.send(post("Transfer-Encoding: chunked\r\n", "493e0\r\n" + body + "\r\n0\r\n\r\n"));
    client.read_until("\r\n\r\nok");
    ASSERT_EQ(counting.seen().size(), 2U);
    EXPECT_THAT(counting.seen()[0], EndsWith("\r\n\r\n" + body));
    EXPECT_THAT(counting.seen()[1], EndsWith("\r\n\r\n" + body));
    EXPECT_THAT(counting.seen()[1], HasSubstr("Content-Length: 300000\r\n"));
    stop(Milliseconds(0));
}

TEST_F(Client, BodyOfAnyBytesIsPassedOn) {
    CountingUpstream counting;
    proxy_to(counting.port());
    std::string body;
    for (int i = 0; i < 1000; ++i) body += static_cast<char>(i % 256);
    RawSocket client(port());
    client.send(post("Content-Length: 1000\r\n", body));
    client.read_until("\r\n\r\nok");
    ASSERT_EQ(counting.seen().size(), 1U);
    EXPECT_TRUE(counting.seen()[0].ends_with("\r\n\r\n" + body));
    stop(Milliseconds(0));
}

TEST_F(Client, HeadersArePassedOnButForThoseOfTheConnection) {
    CountingUpstream counting;
    proxy_to(counting.port());
    RawSocket client(port());
    client.send(
        "GET /a%20b?x=1&y HTTP/1.1\r\nHost: there\r\nX-One: 1\r\nConnection: X-Secret\r\n"
        "X-Secret: s\r\nKeep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\nx-Two:  2 \r\n\r\n"
    );
    client.read_until("\r\n\r\nok");
    ASSERT_EQ(counting.seen().size(), 1U);
    const auto host = "127.0.0.1:" + std::to_string(counting.port());
    EXPECT_EQ(
        counting.seen()[0],
        "GET /a%20b?x=1&y HTTP/1.1\r\nHost: " + host + "\r\nX-One: 1\r\nx-Two: 2\r\n\r\n"
    );
    stop(Milliseconds(0));
}

// ---- leaving

/// Says when the client's request came and when its connection was closed.
struct Waiting {
    Mailbox<SteadyTime> came;
    Mailbox<SteadyTime> closed;

    std::function<void(Peer&)> handler(std::string answer = {}) {
        return [this, answer = std::move(answer)](Peer& peer) {
            peer.read_header();
            peer.read_exactly(5);
            if (!answer.empty()) peer.send(answer);
            came.put(std::chrono::steady_clock::now());
            peer.wait_for_close();
            closed.put(std::chrono::steady_clock::now());
        };
    }
};

constexpr Milliseconds soon{100};

TEST_F(Client, ThatResetsCancelsTheUpstreamAtOnce) {
    Waiting waiting;
    proxy_to(upstream(waiting.handler()));
    RawSocket client(port());
    client.send(request);
    ASSERT_TRUE(waiting.came.take());
    const auto left = std::chrono::steady_clock::now();
    client.reset();
    const auto closed = waiting.closed.take();
    ASSERT_TRUE(closed);
    EXPECT_LT(*closed - left, soon);
    const auto outcome = outcomes.take();
    ASSERT_TRUE(outcome && outcome->failure);
    EXPECT_EQ(outcome->failure->error.code(), ErrorCode::cancelled);
}

// A closed socket looks like one whose sending ended until something is sent to it.
TEST_F(Client, ThatClosesCancelsTheUpstreamAtOnce) {
    Waiting waiting;
    proxy_to(upstream(waiting.handler()));
    RawSocket client(port());
    client.send(request);
    ASSERT_TRUE(waiting.came.take());
    const auto left = std::chrono::steady_clock::now();
    client.close();
    const auto closed = waiting.closed.take();
    ASSERT_TRUE(closed);
    EXPECT_LT(*closed - left, soon);
}

TEST_F(Client, ThatClosesInAStreamCancelsTheUpstreamAtOnce) {
    Waiting waiting;
    proxy_to(upstream(
        waiting.handler("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    ));
    RawSocket client(port());
    client.send(request);
    client.read_until("hello\r\n");
    ASSERT_TRUE(waiting.came.take());
    const auto left = std::chrono::steady_clock::now();
    client.close();
    const auto closed = waiting.closed.take();
    ASSERT_TRUE(closed);
    EXPECT_LT(*closed - left, soon);
    const auto outcome = outcomes.take();
    ASSERT_TRUE(outcome && outcome->passed);
    EXPECT_TRUE(outcome->passed->client_error);
    EXPECT_FALSE(outcome->passed->upstream_error);
}

TEST_F(Client, ThatAskedAheadAndResetsCancelsTheUpstream) {
    Waiting waiting;
    proxy_to(upstream(waiting.handler()));
    RawSocket client(port());
    client.send(request + request);
    ASSERT_TRUE(waiting.came.take());
    client.reset();
    EXPECT_TRUE(waiting.closed.take());
}

TEST_F(Client, ThatEndsItsSendingIsServed) {
    Flag ended;
    proxy_to(upstream([&](Peer& peer) {
        peer.read_header();
        peer.read_exactly(5);
        ended.wait();
        peer.send(whole_answer("hello"));
        peer.wait_for_close();
    }));
    RawSocket client(port());
    client.send(request);
    client.end_sending();
    // the relay asks whether somebody is there; that much is allowed to come before an answer
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    ended.set();
    EXPECT_THAT(client.read_all(), EndsWith("\r\n\r\nhello"));
    EXPECT_TRUE(client.ended());
}

TEST_F(Client, ThatEndsItsSendingInAStreamIsServed) {
    Flag ended;
    proxy_to(upstream([&](Peer& peer) {
        peer.read_header();
        peer.read_exactly(5);
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        ended.wait();
        peer.send("5\r\nworld\r\n0\r\n\r\n");
        peer.wait_for_close();
    }));
    RawSocket client(port());
    client.send(request);
    client.read_until("hello\r\n");
    client.end_sending();
    EXPECT_EQ(client.read_exactly(1), "0");  // a zero more in front of the next chunk's size
    ended.set();
    EXPECT_EQ(client.read_all(), "5\r\nworld\r\n0\r\n\r\n");
}

TEST_F(Client, ThatLeavesInItsBodyIsNotPassedOn) {
    CountingUpstream counting;
    proxy_to(counting.port());
    RawSocket client(port());
    client.send(post("Content-Length: 50\r\n", "hello"));
    client.close();
    const auto outcome = outcomes.take();
    ASSERT_TRUE(outcome && outcome->body);
    EXPECT_EQ(outcome->body->code(), ErrorCode::connection);
    EXPECT_TRUE(counting.seen().empty());
    EXPECT_TRUE(connections_become(0));
    stop(Milliseconds(0));
}

// ---- handlers

TEST_F(Client, OfAHandlerThatSaysNothingGets500) {
    serve([](relay::Exchange&) -> Task<void> { co_return; });
    EXPECT_THAT(
        ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 500")
    );
}

TEST_F(Client, OfAHandlerThatThrowsGets500WithoutItsWords) {
    serve([](relay::Exchange&) -> Task<void> {
        throw std::runtime_error("secret");
        co_return;
    });
    const auto answer = ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 500"));
    EXPECT_THAT(answer, Not(HasSubstr("secret")));
}

TEST_F(Client, OfAHandlerThatDoesNotFinishIsTorn) {
    serve([](relay::Exchange& exchange) -> Task<void> {
        co_await exchange.begin(200, {}, std::nullopt);
        co_await exchange.write("hello");
    });
    RawSocket client(port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(client.read_all(), EndsWith("5\r\nhello\r\n"));
    EXPECT_TRUE(client.was_reset());
}

TEST_F(Client, GetsWhatWasSentBeforeTheAbort) {
    serve([](relay::Exchange& exchange) -> Task<void> {
        co_await exchange.begin(200, {{"Content-Type", "text/event-stream"}}, std::nullopt);
        co_await exchange.write("data: {\"error\":{}}\n\n");
        exchange.abort();
    });
    RawSocket client(port());
    client.send("GET / HTTP/1.0\r\n\r\n");
    EXPECT_THAT(client.read_all(), EndsWith("data: {\"error\":{}}\n\n"));
    EXPECT_TRUE(client.was_reset());
}

TEST_F(Client, CanBeRefusedWithoutItsBodyBeingRead) {
    serve([](relay::Exchange& exchange) -> Task<void> {
        relay::Reply reply;
        reply.status = 401;
        co_await exchange.reply(std::move(reply));
    });
    RawSocket client(port());
    client.send(request + request);  // a small body is skipped, the connection kept
    EXPECT_THAT(client.read_until("\r\n\r\n"), Not(HasSubstr("Connection: close")));
    EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 401"));
    client.send(post("Content-Length: 10000000\r\n", "hello"));
    EXPECT_THAT(client.read_all(), HasSubstr("Connection: close"));
    EXPECT_TRUE(client.ended());
}

TEST_F(Client, IsNeverGivenAHeaderThatAHandlerCannotMean) {
    serve([](relay::Exchange& exchange) -> Task<void> {
        relay::Reply reply;
        reply.headers = {{"X-A", "b\r\nX-Evil: 1"}};
        const auto sent = co_await exchange.reply(std::move(reply));
        EXPECT_FALSE(sent);
    });
    const auto answer = ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 500"));
    EXPECT_THAT(answer, Not(HasSubstr("Evil")));
}

TEST_F(Client, NeverTakesAnAnswerOfTheWrongLengthForAWholeOne) {
    serve([](relay::Exchange& exchange) -> Task<void> {
        co_await exchange.begin(200, {}, 10);
        co_await exchange.write("hello");
        EXPECT_FALSE(co_await exchange.finish());
    });
    RawSocket client(port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.read_all();
    EXPECT_TRUE(client.was_reset());
}

// What a handler uses must not go before it: the front's run waits for handlers of clients that
// left.
TEST_F(Client, ThatLeavesIsWaitedForByTheFrontsEnd) {
    Mailbox<bool> began;
    std::atomic<bool> ended = false;
    serve([&](relay::Exchange&) -> Task<void> {
        asio::steady_timer timer(io(), std::chrono::hours(1));
        began.put(true);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        timer.expires_after(Milliseconds(100));  // it tidies up
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        ended = true;
    });
    RawSocket client(port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(began.take());
    client.reset();
    ASSERT_TRUE(connections_become(0));
    std::atomic<bool> ended_before_run = false;
    on_end = [&] { ended_before_run = ended.load(); };
    stop(Milliseconds(0));
    EXPECT_TRUE(ended_before_run);
}

TEST_F(Client, ThatLeavesCancelsAHandlerThatWaits) {
    Mailbox<bool> ended;
    Mailbox<bool> began;
    serve([&](relay::Exchange& exchange) -> Task<void> {
        asio::steady_timer timer(io(), std::chrono::hours(1));
        began.put(exchange.head().path == "/");
        const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        ended.put(error == asio::error::operation_aborted);
    });
    RawSocket client(port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_EQ(began.take(), true);
    client.close();
    EXPECT_EQ(ended.take(), true);
}

}  // namespace
}  // namespace punie::test
