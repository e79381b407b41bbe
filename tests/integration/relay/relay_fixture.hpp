#pragma once
// A front in its own thread, as a plain proxy to one upstream or with a handler of the test's.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "integration/http/peer_server.hpp"
#include "raw_socket.hpp"
#include "relay/upstream.hpp"

namespace punie::test {

/// How the proxy's handler ended.
struct Outcome {
    std::string path;
    std::optional<Error> body;  ///< the request's body was not read
    std::optional<relay::UpstreamFailure> failure;
    std::optional<relay::Passed> passed;
};

/// A queue from one thread to another; waits end after 20 s.
template <typename T>
class Mailbox {
public:
    void put(T value) {
        const std::lock_guard lock(mutex_);
        values_.push_back(std::move(value));
        changed_.notify_all();
    }

    std::optional<T> take() {
        std::unique_lock lock(mutex_);
        const auto some = [this] { return !values_.empty(); };
        if (!changed_.wait_for(lock, std::chrono::seconds(20), some)) return std::nullopt;
        auto value = std::move(values_.front());
        values_.pop_front();
        return value;
    }

    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return values_.size();
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<T> values_;
};

struct RelayOptions {
    relay::FrontLimits limits{};
    relay::UpstreamLimits upstream{};
    std::vector<relay::Listen> places{relay::Listen{}};
};

class RelayTest : public testing::Test {
protected:
    using Options = RelayOptions;

    // Before members of a test's own class go: their threads end when the front's connections do.
    void TearDown() override { stop(Milliseconds(0)); }

    /// A server of raw bytes that lives as long as the front; its port.
    std::uint16_t upstream(std::function<void(Peer&)> handler);

    /// A plain proxy; every request's end is in `outcomes`.
    void proxy_to(std::uint16_t upstream, const Options& options = {});
    /// Answers each request by `handler`.
    void serve(relay::Handler handler, const Options& options = {});

    /// Stops the front and waits for its thread.
    void stop(Milliseconds drain);
    /// Runs `work` in the front's thread and waits for it.
    void in_loop(const std::function<void()>& work);

    std::uint16_t port() const { return ports_.at(0); }

    relay::Front& front() { return *front_; }

    relay::Upstreams& upstreams() { return *upstreams_; }

    asio::io_context& io() { return io_; }

    /// One request on a connection of its own, and all that came back.
    std::string ask(std::string_view bytes) const;
    /// Waits until the front has that many connections.
    bool connections_become(std::size_t count);

    Mailbox<Outcome> outcomes;
    std::function<void()> on_end;  ///< called when the front's run returns
    std::vector<std::uint16_t> ports_;

private:
    Task<void> pass(relay::Exchange& exchange, Outcome& outcome);

    asio::io_context io_{1};
    relay::Origin origin_;
    relay::UpstreamLimits upstream_limits_;
    std::unique_ptr<relay::Upstreams> upstreams_;
    std::optional<relay::Front> front_;
    std::thread thread_;
    std::vector<std::unique_ptr<PeerServer>> servers_;
};

/// An upstream that answers each request with 200 and its own words, and counts them.
class CountingUpstream {
public:
    CountingUpstream();

    std::uint16_t port() const { return server_.port(); }

    /// Heads seen so far, with bodies of a declared length.
    std::vector<std::string> seen() const;

    int connections() const { return server_.connections(); }

private:
    void answer(Peer& peer);

    mutable std::mutex mutex_;
    std::vector<std::string> seen_;
    PeerServer server_;
};

/// "POST /path" with these header lines ("Name: value\r\n" each) and this body as it stands.
std::string post(std::string_view headers, std::string_view body);
/// A whole answer with a length.
std::string whole_answer(std::string_view body);

}  // namespace punie::test
