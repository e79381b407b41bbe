#include "gateway/gateway.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>

#include "base/async_event.hpp"
#include "gateway/control_place.hpp"
#include "gateway/routes.hpp"

namespace punie::gateway {

namespace {

std::string random_token() {
    std::array<unsigned char, 16> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return "";
    return fmt::format("{:02x}", fmt::join(bytes, ""));
}

relay::Listen place(const fleet::ListenSpec& spec, std::size_t index) {
    relay::Listen listen{.name = fmt::format("{}", index), .host = spec.host, .port = spec.port};
    if (!spec.certificate.empty()) listen.tls = relay::TlsFiles{spec.certificate, spec.key};
    return listen;
}

/// Places in the order in which the gate knows them, the control socket last.
std::vector<relay::Listen> places_of(
    const fleet::GatewayConfig& config, const std::filesystem::path& socket
) {
    std::vector<relay::Listen> places;
    places.reserve(config.listen.size() + 2);
    for (const auto& spec : config.listen) places.push_back(place(spec, places.size()));
    if (config.control) places.push_back(place(*config.control, places.size()));
    if (!socket.empty()) places.push_back({.name = "socket", .unix_socket = socket});
    return places;
}

std::string url_of(const fleet::ListenSpec& spec, std::uint16_t port) {
    const auto* const scheme = spec.certificate.empty() ? "http" : "https";
    std::string host = spec.host;
    if (host == "0.0.0.0" || host == "::") host = "127.0.0.1";
    if (host.contains(':')) host = fmt::format("[{}]", host);
    return fmt::format("{}://{}:{}", scheme, host, port);
}

constexpr std::size_t kept_connections =
    512;  // to each server: as many clients as are busy at once

std::size_t connections_of(const void* front) {
    return static_cast<const relay::Front*>(front)->connections();
}

}  // namespace

struct Gateway::Impl {
    Impl(const asio::any_io_executor& with, fleet::GatewayConfig config, GatewayOptions given)
        : executor(with),
          options(std::move(given)),
          token(options.control_token.empty() ? random_token() : options.control_token),
          book(executor),
          gate(config, token),
          upstreams(executor, kept_connections),
          fleet(executor, std::move(config), with_events(options.fleet)),
          control(fleet, book, hooks()),
          services{
              .fleet = fleet,
              .upstreams = upstreams,
              .gate = gate,
              .metrics = metrics,
              .book = book,
              .control = control,
              .sinks = options.sinks,
              .capture = options.capture
          },
          stop_asked(executor) {}

    /// A server that ended takes its kept connections with it: each start has a port of its own.
    fleet::FleetOptions with_events(fleet::FleetOptions given) {
        given.on_event = [this, tell = std::move(given.on_event)](const fleet::FleetEvent& event) {
            if (tell) tell(event);
            const bool ended =
                event.state == ServerState::stopped || event.state == ServerState::failed;
            if (ended) asio::post(executor, [this] { forget_ended(); });
        };
        return given;
    }

    void forget_ended() {
        std::set<std::string> alive;
        for (const auto& model : fleet.status()) {
            if (model.state == ServerState::ready) alive.insert(model.url);
        }
        std::erase_if(services.origins, [&](const auto& known) {
            if (alive.contains(known.first)) return false;
            upstreams.forget(known.second);
            return true;
        });
    }

    ControlHooks hooks() {
        return {
            .reload = [this]() -> Result<std::vector<std::string>> {
                if (!options.read_again) {
                    return fail(
                        ErrorCode::unsupported,
                        "this gateway was started without a file: there is nothing to read again"
                    );
                }
                auto config = options.read_again();
                if (!config) return std::unexpected(std::move(config).error());
                return apply(*std::move(config));
            },
            .stop = [this] { stop(); }
        };
    }

    Result<std::vector<std::string>> apply(fleet::GatewayConfig config) {
        const bool moved = config.listen != fleet.config().listen ||
                           config.control != fleet.config().control ||
                           config.control_socket != fleet.config().control_socket;
        if (auto renewed = front->reload_tls(); !renewed) {
            return std::unexpected(std::move(renewed).error());
        }
        const auto for_gate = config;
        auto done = fleet.apply(std::move(config));
        if (!done) return done;
        gate.apply(for_gate);
        if (moved) done->emplace_back("listen: changed; that needs a restart");
        return done;
    }

    void stop() {
        ++stops;
        control.close();  // whoever follows events must not hold the end up
        if (stops > 1) front->stop(Milliseconds(0));
        stop_asked.notify();
    }

    Task<void> run() {
        using namespace asio::experimental::awaitable_operators;
        co_await (serve_until_stopped() && front->run() && fleet.run());
    }

    Task<void> serve_until_stopped() {
        while (stops == 0) co_await stop_asked.wait();
        const auto drain = fleet.config().queue.drain;
        front->stop(stops > 1 ? Milliseconds(0) : drain);
        co_await fleet.close(stops > 1 ? Milliseconds(0) : drain);
    }

    asio::any_io_executor executor;
    GatewayOptions options;
    std::string token;
    RequestBook book;
    Gate gate;
    Metrics metrics;
    relay::Upstreams upstreams;
    fleet::Fleet fleet;
    Control control;
    Services services;
    AsyncEvent stop_asked;
    int stops = 0;
    std::optional<relay::Front> front;
};

Gateway::Gateway(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Gateway::~Gateway() = default;

Result<std::unique_ptr<Gateway>> Gateway::listen(
    const asio::any_io_executor& executor, fleet::GatewayConfig config, GatewayOptions options
) {
    std::filesystem::path socket;
    if (options.control_socket) {
        socket = config.control_socket.empty() ? control_place() : config.control_socket;
        if (auto made = prepare_control_folder(socket); !made) {
            return std::unexpected(std::move(made).error());
        }
    }
    auto places = places_of(config, socket);
    const auto limits = options.front;
    auto impl = std::make_unique<Impl>(executor, std::move(config), std::move(options));
    auto& services = impl->services;
    auto front = relay::Front::listen(
        executor,
        std::move(places),
        [&services](relay::Exchange& exchange) { return serve(services, exchange); },
        limits
    );
    if (!front) return std::unexpected(std::move(front).error());
    impl->front.emplace(*std::move(front));
    services.front = &*impl->front;
    services.connections = connections_of;
    return std::unique_ptr<Gateway>(new Gateway(std::move(impl)));  // NOLINT: private constructor
}

Task<void> Gateway::run() {
    co_await impl_->run();
}

void Gateway::stop() {
    impl_->stop();
}

Result<std::vector<std::string>> Gateway::reload(fleet::GatewayConfig config) {
    return impl_->apply(std::move(config));
}

std::vector<std::string> Gateway::urls() const {
    const auto ports = impl_->front->ports();
    const auto& listen = impl_->fleet.config().listen;
    std::vector<std::string> urls;
    urls.reserve(listen.size());
    for (std::size_t i = 0; i < listen.size() && i < ports.size(); ++i) {
        urls.push_back(url_of(listen[i], ports[i]));
    }
    return urls;
}

std::string Gateway::dashboard_url() const {
    const auto all = urls();
    return all.empty() ? "" : fmt::format("{}/#key={}", all.front(), impl_->token);
}

fleet::Fleet& Gateway::fleet() {
    return impl_->fleet;
}

}  // namespace punie::gateway
