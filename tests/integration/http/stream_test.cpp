// Bodies read piece by piece: order, back-pressure, memory.

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>

#include <atomic>
#include <cerrno>
#include <string>

#include "http/client.hpp"
#include "loop.hpp"
#include "peer_server.hpp"

namespace punie::http {
namespace {

using test::Loop;
using test::Peer;
using test::PeerServer;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PUNIE_SANITIZED 1
#endif
#endif

std::uint64_t peak_memory() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
    return static_cast<std::uint64_t>(usage.ru_maxrss);
#else
    return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
#endif
}

constexpr std::uint64_t large = 200'000'000;

/// Sends `large` bytes as fast as they are taken; says when it cannot go on for the first time.
class FastServer {
public:
    void operator()(Peer& peer) {
        peer.read_header();
        peer.send(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", large));
        ::fcntl(peer.descriptor(), F_SETFL, O_NONBLOCK);
        const std::string block(1U << 20U, 'x');
        while (sent_ < large) {
            const auto size = std::min<std::uint64_t>(block.size(), large - sent_);
            const auto count = peer.send_some(std::string_view(block).substr(0, size));
            if (count > 0) {
                sent_ += static_cast<std::uint64_t>(count);
                continue;
            }
            if (errno != EAGAIN) return;
            pollfd wait{peer.descriptor(), POLLOUT, 0};
            // the kernel's buffers keep moving for a moment; one that stays full for this long is
            // full
            if (::poll(&wait, 1, 200) == 0) {
                blocked_.set();
                ::poll(&wait, 1, -1);
            }
        }
    }

    bool wait_until_blocked() { return blocked_.wait(); }

    std::uint64_t sent() const { return sent_; }

private:
    std::atomic<std::uint64_t> sent_ = 0;
    test::Flag blocked_;
};

/// Reads one piece, lets the server run into the wall, then reads the rest.
Task<Result<std::uint64_t>> read_slowly(std::string url, FastServer* server) {
    const Client client;
    auto stream = co_await client.open(
        Request{.url = std::move(url)}, Deadlines{.between_bytes = Milliseconds(10'000)}
    );
    if (!stream) co_return std::unexpected(stream.error());
    auto piece = co_await stream->next();
    EXPECT_TRUE(server->wait_until_blocked());
    EXPECT_LT(server->sent(), 64'000'000U) << "nobody reads, so only the kernel's buffers may fill";
    std::uint64_t total = 0;
    while (piece && *piece) {
        EXPECT_LE((*piece)->size(), 65'536U);
        total += (*piece)->size();
        piece = co_await stream->next();
    }
    if (!piece) co_return std::unexpected(piece.error());
    co_return total;
}

TEST(Streaming, ALargeBodyNeedsNoMemoryAndWaitsForItsReader) {
    FastServer behaviour;
    PeerServer server([&](Peer& peer) { behaviour(peer); });
    const auto before = peak_memory();
    Loop loop;
    const auto total = loop.run(read_slowly(server.url(), &behaviour));
    ASSERT_TRUE(total) << total.error().message();
    EXPECT_EQ(*total, large);
    const auto grown = peak_memory() - before;
    fmt::print("peak memory grew by {} kB over {} MB\n", grown / 1000, large / 1'000'000);
#ifndef PUNIE_SANITIZED  // sanitizers keep what is freed
    EXPECT_LT(grown, 8'000'000U);
#endif
}

/// Takes pieces one by one and lets the server send the next only after each.
Task<Result<std::string>> read_in_step(std::string url, test::Flag* first, test::Flag* second) {
    const Client client;
    auto stream = co_await client.open(Request{.url = std::move(url)}, {});
    if (!stream) co_return std::unexpected(stream.error());
    EXPECT_EQ(stream->status(), 200);
    EXPECT_EQ(find_header(stream->headers(), "content-type"), "text/event-stream");
    std::string seen;
    for (auto* flag : {first, second}) {
        auto piece = co_await stream->next();
        if (!piece || !*piece) co_return fail(ErrorCode::state, "no piece");
        seen += **piece + "|";
        flag->set();
    }
    const auto end = co_await stream->next();
    if (!end) co_return std::unexpected(end.error());
    const auto after_end = co_await stream->next();
    EXPECT_TRUE(after_end && !*after_end) << "the end stays the end";
    co_return seen + (*end ? "more" : "end");
}

TEST(Streaming, APieceComesWhenItIsSentNotWhenTheNextOneIs) {
    test::Flag first;
    test::Flag second;
    PeerServer server([&](Peer& peer) {
        peer.read_header();
        peer.send(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
            "chunked\r\n\r\n2\r\nhi\r\n"
        );
        first.wait();
        peer.send("1\r\n!\r\n");
        second.wait();
        peer.send("0\r\n\r\n");
        peer.wait_for_close();
    });
    Loop loop;
    const auto seen = loop.run(read_in_step(server.url(), &first, &second));
    ASSERT_TRUE(seen) << seen.error().message();
    EXPECT_EQ(*seen, "hi|!|end");
}

Task<Result<int>> open_and_drop(std::string url) {
    const Client client;
    auto stream = co_await client.open(Request{.url = std::move(url)}, {});
    if (!stream) co_return std::unexpected(stream.error());
    ResponseStream moved = std::move(*stream);
    co_return moved.status();
}

TEST(Streaming, DroppingItClosesTheConnection) {
    test::Flag closed;
    PeerServer server([&](Peer& peer) {
        peer.read_header();
        peer.send("HTTP/1.0 200 OK\r\n\r\n");
        peer.wait_for_close();
        closed.set();
    });
    Loop loop;
    EXPECT_EQ(loop.run(open_and_drop(server.url())).value(), 200);
    EXPECT_TRUE(closed.wait());
}

Task<Result<std::size_t>> count_bytes(std::string url) {
    const Client client;
    auto stream = co_await client.open(Request{.url = std::move(url)}, {});
    if (!stream) co_return std::unexpected(stream.error());
    std::size_t total = 0;
    while (true) {
        auto piece = co_await stream->next();
        if (!piece) co_return std::unexpected(piece.error());
        if (!*piece) co_return total;
        total += (*piece)->size();
    }
}

TEST(Streaming, ManySmallChunksAreAllRead) {
    PeerServer server([&](Peer& peer) {
        peer.read_header();
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        std::string chunks;
        for (int i = 0; i < 50'000; ++i) chunks += "3;x=y\r\nabc\r\n";
        peer.send(chunks + "0\r\n\r\n");
    });
    Loop loop;
    EXPECT_EQ(loop.run(count_bytes(server.url())).value(), 150'000U);
}

}  // namespace
}  // namespace punie::http
