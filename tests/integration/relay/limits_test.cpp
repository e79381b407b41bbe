// Limits: clients that are slow, too many or too large, a process without descriptors, and how much
// memory it all takes.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "relay_fixture.hpp"

namespace punie::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const auto request = post("Content-Length: 5\r\n", "hello");

class Limits : public RelayTest {};

/// Sends a byte every 10 ms until the front ends the connection.
std::string drip(RawSocket& client, std::string_view bytes) {
    for (std::size_t i = 0; i < 2000; ++i) {
        pollfd ended{client.descriptor(), POLLIN, 0};
        if (::poll(&ended, 1, 10) > 0) break;
        client.send(bytes.substr(std::min(i, bytes.size() - 1), 1));
    }
    return client.read_all();
}

TEST_F(Limits, AHeadThatDripsIsDropped) {
    Options options;
    options.limits.head = Milliseconds(300);
    serve([](relay::Exchange&) -> Task<void> { co_return; }, options);
    RawSocket client(port());
    EXPECT_THAT(drip(client, "GET / HTTP/1.1\r\nHost: a\r\nX-A: b"), StartsWith("HTTP/1.1 408"));
    client.close();
    EXPECT_TRUE(connections_become(0));
}

TEST_F(Limits, AClientThatSaysNothingIsDropped) {
    Options options;
    options.limits.head = Milliseconds(200);
    serve([](relay::Exchange&) -> Task<void> { co_return; }, options);
    RawSocket client(port());
    EXPECT_EQ(client.read_all(), "");
    EXPECT_TRUE(client.ended());
}

TEST_F(Limits, AnIdleConnectionIsClosedWithoutAWord) {
    CountingUpstream counting;
    Options options;
    options.limits.idle = Milliseconds(200);
    proxy_to(counting.port(), options);
    RawSocket client(port());
    client.send(request);
    client.read_until("\r\n\r\nok");
    EXPECT_EQ(client.read_all(), "");
    EXPECT_TRUE(client.ended());
    stop(Milliseconds(0));
}

TEST_F(Limits, ABodyThatFallsSilentIsDropped) {
    CountingUpstream counting;
    Options options;
    options.limits.body_silence = Milliseconds(200);
    proxy_to(counting.port(), options);
    EXPECT_THAT(ask(post("Content-Length: 50\r\n", "hello")), StartsWith("HTTP/1.1 408"));
    const auto outcome = outcomes.take();
    ASSERT_TRUE(outcome && outcome->body);
    EXPECT_EQ(outcome->body->code(), ErrorCode::timeout);
    EXPECT_TRUE(counting.seen().empty());
    stop(Milliseconds(0));
}

TEST_F(Limits, ABodyThatDripsIsDropped) {
    CountingUpstream counting;
    Options options;
    options.limits.body_grace = Milliseconds(300);
    proxy_to(counting.port(), options);
    RawSocket client(port());
    client.send(post("Content-Length: 5000\r\n", ""));
    EXPECT_THAT(drip(client, "hello"), StartsWith("HTTP/1.1 408"));
    EXPECT_TRUE(counting.seen().empty());
    stop(Milliseconds(0));
}

TEST_F(Limits, AChunkedBodyThatGrowsTooLargeIsRefused) {
    CountingUpstream counting;
    Options options;
    options.limits.body.bytes = 10;
    proxy_to(counting.port(), options);
    const auto answer =
        ask(post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n6\r\nworlds\r\n0\r\n\r\n"));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 413"));
    EXPECT_TRUE(counting.seen().empty());
    stop(Milliseconds(0));
}

/// Writes for ever; how it ended is in the mailbox.
relay::Handler endless(Mailbox<Error>& ended) {
    return [&ended](relay::Exchange& exchange) -> Task<void> {
        const std::string piece(65536, 'x');
        co_await exchange.begin(200, {}, std::nullopt);
        while (true) {
            if (auto sent = co_await exchange.write(piece); !sent) {
                ended.put(std::move(sent).error());
                co_return;
            }
        }
    };
}

TEST_F(Limits, AClientThatTakesNothingIsDropped) {
    Mailbox<Error> ended;
    Options options;
    options.limits.write_silence = Milliseconds(300);
    serve(endless(ended), options);
    RawSocket client(port(), 4096);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto error = ended.take();
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::connection);
    EXPECT_THAT(error->message(), HasSubstr("took nothing"));
    client.read_all();
    EXPECT_TRUE(client.was_reset());
}

TEST_F(Limits, AClientThatTakesLittleIsNotDropped) {
    Mailbox<Error> ended;
    Options options;
    options.limits.write_silence = Milliseconds(600);
    serve(endless(ended), options);
    RawSocket client(port(), 4096);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto end = std::chrono::steady_clock::now() + Milliseconds(2000);
    while (std::chrono::steady_clock::now() < end) {
        EXPECT_EQ(client.read_exactly(2000).size(), 2000U);
        ::poll(nullptr, 0, 20);  // the client's own pace
    }
    EXPECT_EQ(ended.size(), 0U);
    client.reset();
    EXPECT_TRUE(ended.take());
}

TEST_F(Limits, ConnectionsBeyondAreToldSo) {
    CountingUpstream counting;
    Options options;
    options.limits.connections = 2;
    proxy_to(counting.port(), options);
    RawSocket first(port());
    RawSocket second(port());
    for (auto* client : {&first, &second}) {
        client->send(request);
        client->read_until("\r\n\r\nok");
    }
    EXPECT_THAT(ask(request), StartsWith("HTTP/1.1 503"));
    first.close();
    ASSERT_TRUE(connections_become(1));
    RawSocket third(port());
    third.send(request);
    EXPECT_THAT(third.read_until("\r\n\r\nok"), StartsWith("HTTP/1.1 200"));
    stop(Milliseconds(0));
}

/// No descriptor can be made while it lives.
class NoDescriptors {
public:
    NoDescriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int highest = ::dup(0);
        rlimit tight = before_;
        tight.rlim_cur = static_cast<rlim_t>(highest) + 1;
        ::setrlimit(RLIMIT_NOFILE, &tight);
        held_.push_back(highest);
        for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) held_.push_back(fd);
    }

    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;

    ~NoDescriptors() {
        for (const int fd : held_) ::close(fd);
        ::setrlimit(RLIMIT_NOFILE, &before_);
    }

private:
    rlimit before_{};
    std::vector<int> held_;
};

#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
constexpr bool checks_need_descriptors = true;
#endif
#endif
#ifndef __has_feature
constexpr bool checks_need_descriptors = false;
#elif !__has_feature(undefined_behavior_sanitizer)
constexpr bool checks_need_descriptors = false;
#endif

TEST_F(Limits, WithoutDescriptorsClientsAreTurnedAwayAndLaterServed) {
    if (checks_need_descriptors) {
        GTEST_SKIP() << "UBSan opens a pipe for each type that it looks at, and calls the type "
                        "invalid when it cannot";
    }
    CountingUpstream counting;
    proxy_to(counting.port());
    RawSocket early(port());
    early.send(request);
    early.read_until("\r\n\r\nok");
    std::vector<RawSocket::Unconnected> made(5);
    std::vector<std::unique_ptr<RawSocket>> turned_away;  // a closed one would leave a descriptor
    {
        const NoDescriptors none;
        for (auto& each : made) {
            auto& client =
                *turned_away.emplace_back(std::make_unique<RawSocket>(std::move(each), port()));
            ASSERT_TRUE(client.connected());
            EXPECT_EQ(client.read_all(), "");
            EXPECT_TRUE(client.ended() || client.was_reset());
        }
        early.send(request);
        EXPECT_THAT(early.read_until("\r\n\r\nok"), StartsWith("HTTP/1.1 200"));
    }
    RawSocket later(port());
    later.send(request);
    EXPECT_THAT(later.read_until("\r\n\r\nok"), StartsWith("HTTP/1.1 200"));
    stop(Milliseconds(0));
}

// ---- stopping

TEST_F(Limits, StoppingLetsARunningAnswerEnd) {
    Flag asked;
    Flag stopping;
    proxy_to(upstream([&](Peer& peer) {
        peer.read_header();
        peer.read_exactly(5);
        asked.set();
        stopping.wait();
        peer.send(whole_answer("hello"));
        peer.wait_for_close();
    }));
    RawSocket idle(port());
    idle.send("GET");
    RawSocket client(port());
    client.send(request);
    asked.wait();
    in_loop([this] { front().stop(std::chrono::seconds(20)); });
    EXPECT_EQ(idle.read_all(), "");
    EXPECT_FALSE(RawSocket(port()).connected());
    stopping.set();
    EXPECT_THAT(client.read_all(), testing::EndsWith("\r\n\r\nhello"));
    EXPECT_TRUE(client.ended());
    client.close();
}

TEST_F(Limits, StoppingTearsWhatDoesNotEnd) {
    Mailbox<Error> ended;
    serve(endless(ended));
    RawSocket client(port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.read_until("\r\n\r\n");
    in_loop([this] { front().stop(Milliseconds(200)); });
    EXPECT_TRUE(ended.take());
    client.read_all();
    EXPECT_TRUE(client.was_reset());
}

// ---- memory

/// Bytes that this process has had resident at most since `restart`; 0 where the system does not
/// tell.
class PeakMemory {
public:
    PeakMemory() {
        std::ofstream("/proc/self/clear_refs") << "5";
        before_ = peak();
    }

    std::uint64_t growth() const { return std::max(peak(), before_) - before_; }

private:
    static std::uint64_t peak() {
        std::ifstream status("/proc/self/status");
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
        }
        return 0;
    }

    std::uint64_t before_ = 0;
};

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::uint64_t memory_limit = 1ULL << 40U;  // a sanitizer keeps what was freed
#endif
#endif
#ifndef __has_feature
constexpr std::uint64_t memory_limit = 40'000'000;
#elif !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
constexpr std::uint64_t memory_limit = 40'000'000;
#endif

constexpr std::size_t megabyte = 1'000'000;

TEST_F(Limits, ALargeAnswerWaitsForItsSlowClient) {
    constexpr std::size_t size = 200 * megabyte;
    Mailbox<std::size_t> blocked_at;
    const std::string block(megabyte, 'x');
    proxy_to(upstream([&](Peer& peer) {
        peer.read_header();
        peer.read_exactly(5);
        peer.send(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", size));
        std::size_t sent = 0;
        bool told = false;
        while (sent < size) {
            pollfd writable{peer.descriptor(), POLLOUT, 0};
            if (!told && ::poll(&writable, 1, 300) == 0) {
                blocked_at.put(sent);
                told = true;
            }
            const auto put = ::send(
                peer.descriptor(),
                block.data(),
                std::min(block.size(), size - sent),
                told ? MSG_NOSIGNAL : MSG_NOSIGNAL | MSG_DONTWAIT
            );
            if (put > 0) sent += static_cast<std::size_t>(put);
        }
        peer.wait_for_close();
    }));
    const PeakMemory memory;
    RawSocket client(port(), 65536);
    client.send(request);
    client.read_until("\r\n\r\n");
    const auto blocked = blocked_at.take();
    ASSERT_TRUE(blocked);
    EXPECT_LT(*blocked, 40 * megabyte);  // what the kernel's buffers hold
    for (std::size_t read = 0; read < size; read += megabyte) {
        ASSERT_EQ(client.read_exactly(megabyte).size(), megabyte);
    }
    EXPECT_LT(memory.growth(), memory_limit);
    client.close();
    EXPECT_TRUE(connections_become(0));
}

TEST_F(Limits, ALargeRequestStaysOutOfMemory) {
    constexpr std::size_t size = 100 * megabyte;
    proxy_to(upstream([&](Peer& peer) {
        peer.read_header();
        std::size_t left = size;
        while (left > 0) {
            const auto got = peer.read_exactly(std::min<std::size_t>(left, 65536)).size();
            if (got == 0) return;
            left -= got;
        }
        peer.send(whole_answer("took it"));
        peer.wait_for_close();
    }));
    const std::string block(megabyte, 'x');
    const PeakMemory memory;
    RawSocket client(port());
    client.send(post(fmt::format("Content-Length: {}\r\n", size), ""));
    for (std::size_t sent = 0; sent < size; sent += megabyte) ASSERT_TRUE(client.send(block));
    EXPECT_THAT(client.read_until("took it"), StartsWith("HTTP/1.1 200 OK"));
    EXPECT_LT(memory.growth(), memory_limit);
}

}  // namespace
}  // namespace punie::test
