#include "relay/front.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <utility>

#include "relay/connection.hpp"
#include "relay/listener.hpp"
#include "relay/tls_server.hpp"

namespace punie::relay {

namespace {

constexpr int most_at_once = 64;         // clients taken before others get their turn
constexpr Milliseconds pause_time{100};  // when the system cannot give sockets
constexpr std::size_t told_so = 100;     // clients beyond the limit that are told before closing

}  // namespace

struct Front::Impl : std::enable_shared_from_this<Front::Impl> {
    Impl(const asio::any_io_executor& executor, Handler handler, FrontLimits limits)
        : core(std::make_shared<FrontCore>(executor, std::move(handler), std::move(limits))),
          drain(executor, SteadyTime::max()),
          pause(executor) {}

    void accept_on(Listener& listener);
    void accept_some(Listener& listener);
    bool turn_away(Listener& listener);
    void accept_later(Listener& listener);
    void welcome(Listener& listener, Listener::Accepted accepted);
    void close_listeners();
    void stop_now(Milliseconds limit);
    void reset_all();

    std::shared_ptr<FrontCore> core;
    std::vector<std::unique_ptr<Listener>> listeners;
    std::vector<std::uint16_t> ports;
    ReserveDescriptors reserve;
    asio::steady_timer drain;
    asio::steady_timer pause;
};

void Front::Impl::accept_on(Listener& listener) {
    listener.descriptor().async_wait(
        Stream::Descriptor::wait_read,
        [self = shared_from_this(), &listener](const boost::system::error_code& error) {
            if (!error && !self->core->stopping) self->accept_some(listener);
        }
    );
}

void Front::Impl::accept_some(Listener& listener) {
    for (int taken = 0; taken < most_at_once; ++taken) {
        auto accepted = listener.accept();
        if (accepted.socket >= 0) {
            welcome(listener, std::move(accepted));
            continue;
        }
        if (accepted.error == EAGAIN) break;
        const bool no_descriptor = accepted.error == EMFILE || accepted.error == ENFILE;
        if (no_descriptor && turn_away(listener)) continue;
        if (no_descriptor || accepted.error == ENOBUFS || accepted.error == ENOMEM)
            return accept_later(listener);
        // a client that was reset in the queue: the next may do
    }
    accept_on(listener);
}

/// Without a free descriptor: closed at once, so that nobody waits for an answer that cannot come.
/// False when not even the reserve helped.
bool Front::Impl::turn_away(Listener& listener) {
    reserve.spend();
    const auto accepted = listener.accept();
    if (accepted.socket >= 0) ::close(accepted.socket);
    reserve.fill();
    return accepted.socket >= 0 || accepted.error == EAGAIN;
}

void Front::Impl::accept_later(Listener& listener) {
    pause.expires_after(pause_time);
    pause.async_wait([self = shared_from_this(),
                      &listener](const boost::system::error_code& error) {
        if (!error && !self->core->stopping) self->accept_on(listener);
    });
}

void Front::Impl::welcome(Listener& listener, Listener::Accepted accepted) {
    const auto open = core->connections.size();
    const auto most = core->limits.connections;
    const bool refused = most > 0 && open >= most;
    if (refused && open >= most + told_so) {
        ::close(accepted.socket);
        return;
    }
    const auto connection =
        std::make_shared<Connection>(core, accepted.socket, std::move(accepted.peer));
    connection->start(listener.tls().get(), refused);
}

void Front::Impl::close_listeners() {
    for (const auto& listener : listeners) listener->close();
    pause.cancel();
}

void Front::Impl::reset_all() {
    const auto open = core->connections;
    for (auto* connection : open) connection->reset();
}

void Front::Impl::stop_now(Milliseconds limit) {
    if (!core->stopping) {
        core->stopping = true;
        close_listeners();
        const auto open = core->connections;
        for (auto* connection : open) connection->stop();
        core->changed.notify();
    }
    // A second stop can only shorten what is left.
    if (drain.expiry() <= std::chrono::steady_clock::now() + limit) return;
    drain.expires_after(limit);
    drain.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
        if (!error) self->reset_all();
    });
}

Front::Front(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Front::Front(Front&&) noexcept = default;
Front& Front::operator=(Front&&) noexcept = default;

Front::~Front() {
    if (!impl_) return;
    impl_->stop_now(Milliseconds(0));
    impl_->reset_all();
    impl_->drain.cancel();
    impl_->core->deadlines.stop();
}

Result<Front> Front::listen(
    const asio::any_io_executor& executor,
    std::vector<Listen> places,
    Handler handler,
    FrontLimits limits
) {
    auto impl = std::make_shared<Impl>(executor, std::move(handler), std::move(limits));
    for (auto& place : places) {
        auto listener = Listener::open(executor, std::move(place));
        if (!listener) return std::unexpected(std::move(listener).error());
        impl->ports.push_back((*listener)->port());
        impl->listeners.push_back(*std::move(listener));
    }
    return Front(std::move(impl));
}

std::vector<std::uint16_t> Front::ports() const {
    return impl_->ports;
}

Task<void> Front::run() {
    const auto impl = impl_;
    const auto core = impl->core;
    for (const auto& listener : impl->listeners) {
        if (!core->stopping) impl->accept_on(*listener);
    }
    while (!core->stopping || !core->connections.empty() || core->handlers > 0) {
        if (co_await core->changed.wait()) continue;
        // cancelled: torn at once, but what the handlers use must outlive them
        impl->stop_now(Milliseconds(0));
        impl->reset_all();
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    }
    impl->drain.cancel();
    core->deadlines.stop();
}

void Front::stop(Milliseconds drain) {
    impl_->stop_now(drain);
}

Result<void> Front::reload_tls() {
    std::vector<std::shared_ptr<SSL_CTX>> fresh;
    for (const auto& listener : impl_->listeners) {
        if (!listener->place().tls) {
            fresh.emplace_back();
            continue;
        }
        auto made = server_tls(*listener->place().tls);
        if (!made) return std::unexpected(std::move(made).error());
        fresh.push_back(*std::move(made));
    }
    for (std::size_t i = 0; i < fresh.size(); ++i) {
        if (fresh[i]) impl_->listeners[i]->set_tls(std::move(fresh[i]));
    }
    return {};
}

std::size_t Front::connections() const {
    return impl_->core->connections.size();
}

void Front::set_error_body(ErrorBody words) {
    impl_->core->error_body = std::move(words);
}

}  // namespace punie::relay
