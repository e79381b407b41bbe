// bench_relay_peer: the two ends of a proxy's bench, each one thread on epoll.
//   bench_relay_peer upstream                     answers at once; prints its port
//   bench_relay_peer load PORT CONNECTIONS REQUESTS PATH   asks, waits for whole answers; prints
//                                                 requests, seconds, and latencies in microseconds
//   bench_relay_peer idle PORT CONNECTIONS        opens them, prints "open", holds them until its
//                                                 input ends
// Paths: /small answers 200 bytes, /sse/N streams N events of 59 bytes in chunks, each its own
// packet.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void die(const char* what) {
    std::perror(what);
    std::exit(1);
}

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
}

void no_delay(int socket) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void send_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) continue;
        if (sent <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

struct Peer {
    int socket = -1;
    std::string in;
    int events_left = 0;
    Clock::time_point asked;
};

void watch(int epoll, Peer& peer, std::uint32_t events, int how) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &peer;
    if (::epoll_ctl(epoll, how, peer.socket, &event) != 0) die("epoll_ctl");
}

// ---- upstream

constexpr std::string_view event_chunk =
    "3b\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"tok\"}}],\"i\":12345}\n\n\r\n";

void answer(int epoll, Peer& peer) {
    const auto end = peer.in.find("\r\n\r\n");
    const auto path_end = peer.in.find(' ', peer.in.find(' ') + 1);
    const auto path = peer.in.substr(peer.in.find(' ') + 1, path_end - peer.in.find(' ') - 1);
    std::size_t body = 0;
    if (const auto at = peer.in.find("Content-Length: "); at != std::string::npos && at < end)
        body = std::strtoul(peer.in.c_str() + at + 16, nullptr, 10);
    if (peer.in.size() < end + 4 + body) return;
    peer.in.erase(0, end + 4 + body);
    if (path.starts_with("/sse/")) {
        send_all(
            peer.socket,
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
            "chunked\r\n\r\n"
        );
        peer.events_left = std::atoi(path.c_str() + 5);
        watch(epoll, peer, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
        return;
    }
    static const std::string whole =
        "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/json\r\nContent-Length: "
        "200\r\n\r\n" +
        std::string(200, 'x');
    send_all(peer.socket, whole);
}

/// One event a turn of the loop: packets of their own, as tokens come.
void stream(int epoll, Peer& peer) {
    send_all(peer.socket, event_chunk);
    if (--peer.events_left > 0) return;
    send_all(peer.socket, "0\r\n\r\n");
    watch(epoll, peer, EPOLLIN, EPOLL_CTL_MOD);
}

int upstream() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener, 4096) != 0)
        die("listen");
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    const int epoll = ::epoll_create1(0);
    Peer own{.socket = listener};
    watch(epoll, own, EPOLLIN, EPOLL_CTL_ADD);
    std::array<epoll_event, 256> events{};
    std::array<char, 65536> bytes{};
    while (true) {
        const int count = ::epoll_wait(epoll, events.data(), events.size(), -1);
        for (int i = 0; i < count; ++i) {
            auto& peer = *static_cast<Peer*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (&peer == &own) {
                auto fresh = std::make_unique<Peer>();
                fresh->socket = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fresh->socket < 0) continue;
                no_delay(fresh->socket);
                watch(epoll, *fresh.release(), EPOLLIN, EPOLL_CTL_ADD);
                continue;
            }
            const auto seen = events[static_cast<std::size_t>(i)].events;
            if ((seen & EPOLLIN) != 0) {
                const auto got = ::recv(peer.socket, bytes.data(), bytes.size(), 0);
                if (got <= 0) {
                    ::close(peer.socket);
                    delete &peer;
                    continue;
                }
                peer.in.append(bytes.data(), static_cast<std::size_t>(got));
                if (peer.in.find("\r\n\r\n") != std::string::npos) answer(epoll, peer);
            }
            if ((seen & EPOLLOUT) != 0 && peer.events_left > 0) stream(epoll, peer);
        }
    }
}

// ---- load

int connected(int port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(port);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        die("connect");
    no_delay(socket);
    return socket;
}

/// Whether the answer is whole; its end is where it is by length or by the last chunk.
bool whole(const std::string& in) {
    const auto end = in.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const auto at = in.find("Content-Length: ");
    if (at != std::string::npos && at < end)
        return in.size() >= end + 4 + std::strtoul(in.c_str() + at + 16, nullptr, 10);
    return in.ends_with("\r\n0\r\n\r\n");
}

int load(int port, int connections, long requests, const std::string& path) {
    const std::string request =
        "POST " + path +
        " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\n"
        "Content-Type: application/json\r\nAuthorization: Bearer sk-0123456789\r\n"
        "Content-Length: 100\r\n\r\n{\"model\":\"m\",\"messages\":\"" +
        std::string(100 - 27, 'y') + "\"}";  // the gateway looks for its model
    const int epoll = ::epoll_create1(0);
    std::vector<std::unique_ptr<Peer>> peers;
    std::vector<double> latencies;
    latencies.reserve(static_cast<std::size_t>(requests));
    const auto begun = Clock::now();
    long asked = 0;
    const auto ask = [&](Peer& peer) {
        peer.in.clear();
        peer.asked = Clock::now();
        ++asked;
        send_all(peer.socket, request);
    };
    for (int i = 0; i < connections; ++i) {
        auto& peer = *peers.emplace_back(std::make_unique<Peer>());
        peer.socket = connected(port);
        watch(epoll, peer, EPOLLIN, EPOLL_CTL_ADD);
        if (asked < requests) ask(peer);
    }
    std::array<epoll_event, 256> events{};
    std::array<char, 65536> bytes{};
    while (std::ssize(latencies) < requests) {
        const int count = ::epoll_wait(epoll, events.data(), events.size(), 10'000);
        if (count == 0) {
            std::fprintf(stderr, "nothing came for 10 s\n");
            return 1;
        }
        for (int i = 0; i < count; ++i) {
            auto& peer = *static_cast<Peer*>(events[static_cast<std::size_t>(i)].data.ptr);
            const auto got = ::recv(peer.socket, bytes.data(), bytes.size(), 0);
            if (got <= 0) {
                std::fprintf(stderr, "a connection ended\n");
                return 1;
            }
            peer.in.append(bytes.data(), static_cast<std::size_t>(got));
            if (!whole(peer.in)) continue;
            if (!peer.in.starts_with("HTTP/1.1 200")) {
                std::fprintf(stderr, "%s\n", peer.in.c_str());
                return 1;
            }
            const std::chrono::duration<double, std::micro> took = Clock::now() - peer.asked;
            latencies.push_back(took.count());
            if (asked < requests) ask(peer);
        }
    }
    const std::chrono::duration<double> took = Clock::now() - begun;
    std::ranges::sort(latencies);
    const auto at = [&](double share) {
        return latencies[static_cast<std::size_t>(
            share * static_cast<double>(latencies.size() - 1)
        )];
    };
    std::printf("%ld %.3f %.0f %.0f\n", requests, took.count(), at(0.5), at(0.99));
    return 0;
}

int idle(int port, int connections) {
    const rlimit limit{65536, 65536};
    ::setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 0; i < connections; ++i) connected(port);
    std::printf("open\n");
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view what = argc > 1 ? argv[1] : "";
    if (what == "upstream") return upstream();
    if (what == "load" && argc == 6)
        return load(std::atoi(argv[2]), std::atoi(argv[3]), std::atol(argv[4]), argv[5]);
    if (what == "idle" && argc == 4) return idle(std::atoi(argv[2]), std::atoi(argv[3]));
    std::fprintf(stderr, "see the top of bench/relay_peer.cpp\n");
    return 2;
}
