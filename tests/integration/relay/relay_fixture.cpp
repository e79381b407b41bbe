#include "relay_fixture.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <future>

namespace punie::test {

Task<void> RelayTest::pass(relay::Exchange& exchange, Outcome& outcome) {
    auto body = co_await exchange.read_body();
    if (!body) {
        outcome.body = std::move(body).error();
        co_return;
    }
    const auto& head = exchange.head();
    relay::UpstreamRequest request{head.method, head.target, relay::views_of(head.headers)};
    auto answer = co_await upstreams_->send(origin_, std::move(request), *body, upstream_limits_);
    if (!answer) {
        relay::Reply reply;
        reply.status = 502;
        reply.body = answer.error().error.message();
        outcome.failure = std::move(answer).error();
        co_await exchange.reply(std::move(reply));
        co_return;
    }
    outcome.passed = co_await relay::pass_on(exchange, *answer, {}, {});
    if (outcome.passed->upstream_error) exchange.abort();
}

std::uint16_t RelayTest::upstream(std::function<void(Peer&)> handler) {
    return servers_.emplace_back(std::make_unique<PeerServer>(std::move(handler)))->port();
}

void RelayTest::proxy_to(std::uint16_t upstream, const Options& options) {
    origin_ = {.host = "127.0.0.1", .port = upstream};
    upstream_limits_ = options.upstream;
    serve(
        [this](relay::Exchange& exchange) -> Task<void> {
            Outcome outcome;
            outcome.path = exchange.head().path;
            co_await pass(exchange, outcome);
            outcomes.put(std::move(outcome));
        },
        options
    );
}

void RelayTest::serve(relay::Handler handler, const Options& options) {
    upstreams_ = std::make_unique<relay::Upstreams>(io_.get_executor());
    auto front = relay::Front::listen(
        io_.get_executor(), options.places, std::move(handler), options.limits
    );
    ASSERT_TRUE(front) << front.error().describe();
    front_ = *std::move(front);
    ports_ = front_->ports();
    asio::co_spawn(io_, front_->run(), [this](const std::exception_ptr&) {
        if (on_end) on_end();
    });
    thread_ = std::thread([this] { io_.run(); });
}

void RelayTest::stop(Milliseconds drain) {
    if (!thread_.joinable()) return;
    asio::post(io_, [this, drain] {
        front_->stop(drain);
        upstreams_.reset();
    });
    thread_.join();
    front_.reset();
}

void RelayTest::in_loop(const std::function<void()>& work) {
    std::promise<void> done;
    asio::post(io_, [&] {
        work();
        done.set_value();
    });
    done.get_future().wait();
}

std::string RelayTest::ask(std::string_view bytes) const {
    RawSocket client(port());
    client.send(bytes);
    return client.read_all();
}

bool RelayTest::connections_become(std::size_t count) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    std::size_t open = count + 1;
    while (open != count && std::chrono::steady_clock::now() < end) {
        in_loop([&] { open = front_->connections(); });
    }
    return open == count;
}

CountingUpstream::CountingUpstream() : server_([this](Peer& peer) { answer(peer); }) {}

std::vector<std::string> CountingUpstream::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

void CountingUpstream::answer(Peer& peer) {
    for (auto head = peer.read_header(); head.ends_with("\r\n\r\n"); head = peer.read_header()) {
        std::size_t length = 0;
        if (const auto at = head.find("Content-Length: "); at != std::string::npos)
            length = std::strtoul(head.c_str() + at + 16, nullptr, 10);
        const auto body = peer.read_exactly(length);
        {
            const std::lock_guard lock(mutex_);
            seen_.push_back(head + body);
        }
        const bool no_body = head.starts_with("HEAD ");
        peer.send(no_body ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" : whole_answer("ok"));
    }
}

std::string post(std::string_view headers, std::string_view body) {
    return fmt::format("POST /path HTTP/1.1\r\nHost: a\r\n{}\r\n{}", headers, body);
}

std::string whole_answer(std::string_view body) {
    return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

}  // namespace punie::test
