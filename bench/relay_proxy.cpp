// bench_relay_proxy UPSTREAM_PORT: the relay alone as a plain proxy, for relay.py. Prints its port.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "relay/upstream.hpp"

namespace {

using namespace punie;

struct Proxy {
    relay::Origin origin;
    relay::Upstreams upstreams;

    Task<void> answer(relay::Exchange& exchange) {
        auto body = co_await exchange.read_body();
        if (!body) co_return;
        const auto& head = exchange.head();
        relay::UpstreamRequest request{head.method, head.target, relay::views_of(head.headers)};
        auto answer = co_await upstreams.send(origin, std::move(request), *body, {});
        if (!answer) {
            relay::Reply reply;
            reply.status = 502;
            reply.body = answer.error().error.message();
            co_await exchange.reply(std::move(reply));
            co_return;
        }
        const auto passed = co_await relay::pass_on(exchange, *answer, {}, {});
        if (passed.upstream_error) exchange.abort();
    }
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    asio::io_context context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO);
    const auto executor = asio::any_io_executor(context.get_executor());
    Proxy proxy{
        .origin = {.host = "127.0.0.1", .port = static_cast<std::uint16_t>(std::atoi(argv[1]))},
        .upstreams = relay::Upstreams(executor, 512)
    };
    auto front = relay::Front::listen(executor, {relay::Listen{}}, [&](relay::Exchange& exchange) {
        return proxy.answer(exchange);
    });
    if (!front) {
        std::fprintf(stderr, "%s\n", front.error().describe().c_str());
        return 1;
    }
    std::printf("%d\n", front->ports().front());
    std::fflush(stdout);
    asio::signal_set signals(context, SIGTERM, SIGINT);
    signals.async_wait([&](const boost::system::error_code&, int) { front->stop(Milliseconds(0)); }
    );
    asio::co_spawn(context, front->run(), [&](const std::exception_ptr&) { context.stop(); });
    context.run();
    return 0;
}
