#pragma once
// A server of raw sockets whose handler says and does exactly what a test wants, one thread a
// connection.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace punie::test {

/// A connection in blocking mode. Its calls end when the client or the test goes away.
class Peer {
public:
    explicit Peer(int descriptor) : descriptor_(descriptor) {}

    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer();

    /// Bytes up to the empty line behind a header, or less if the client closes.
    std::string read_header();
    std::string read_exactly(std::size_t count);

    /// False when the client has gone.
    bool send(std::string_view bytes) const;

    /// One send(2): how much was taken, negative with errno.
    std::ptrdiff_t send_some(std::string_view bytes) const;

    /// Returns when the client closes: a hang that ends by an event.
    void wait_for_close() const;

    /// Ends with RST instead of FIN.
    void reset();
    void close();

    int descriptor() const { return descriptor_; }

private:
    std::string held_;
    int descriptor_;
};

/// Listens on a free port of `host` (127.0.0.1 or ::1) until it is destroyed.
class PeerServer {
public:
    explicit PeerServer(std::function<void(Peer&)> handler, const char* host = "127.0.0.1");
    PeerServer(const PeerServer&) = delete;
    PeerServer& operator=(const PeerServer&) = delete;
    ~PeerServer();

    std::uint16_t port() const { return port_; }

    std::string url(std::string_view path = "/") const;
    int connections() const;

private:
    void accept_all();

    struct Served {
        explicit Served(int descriptor) : peer(descriptor) {}

        Peer peer;
        std::thread thread;
    };

    std::function<void(Peer&)> handler_;
    std::string host_;
    int listener_ = -1;
    int wake_[2] = {-1, -1};
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::list<Served> served_;
    std::thread acceptor_;
};

/// A listening port whose queue is full, so that a connect hangs.
class FullPort {
public:
    FullPort();
    FullPort(const FullPort&) = delete;
    FullPort& operator=(const FullPort&) = delete;
    ~FullPort();

    std::uint16_t port() const { return port_; }

private:
    std::list<int> descriptors_;
    std::uint16_t port_ = 0;
};

/// A port of 127.0.0.1 where nothing listens: bound, not listening, so that nobody else gets it
/// meanwhile.
class ClosedPort {
public:
    ClosedPort();
    ClosedPort(const ClosedPort&) = delete;
    ClosedPort& operator=(const ClosedPort&) = delete;
    ~ClosedPort();

    std::uint16_t port() const { return port_; }

private:
    int descriptor_ = -1;
    std::uint16_t port_ = 0;
};

/// Set once, waited for by any thread.
class Flag {
public:
    void set() {
        const std::lock_guard lock(mutex_);
        set_ = true;
        changed_.notify_all();
    }

    /// False after 20 s.
    bool wait() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(20), [this] { return set_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool set_ = false;
};

}  // namespace punie::test
