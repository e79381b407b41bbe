#include "http/resolve.hpp"

#include <fmt/format.h>
#include <netdb.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "base/files.hpp"

namespace punie::http {

using asio::ip::tcp;

namespace {

/// What the looking-up thread and the waiting coroutine share. Once `executor` is gone the thread
/// may tell nobody.
struct Pending {
    std::mutex mutex;
    std::optional<Result<Endpoints>> result;
    std::optional<asio::any_io_executor> executor;
    std::weak_ptr<asio::steady_timer> waiting;
};

/// Ends the coroutine's interest, also when its frame is destroyed: the event loop may not outlive
/// it.
class Interest {
public:
    explicit Interest(std::shared_ptr<Pending> pending) : pending_(std::move(pending)) {}

    Interest(const Interest&) = delete;
    Interest& operator=(const Interest&) = delete;

    ~Interest() {
        const std::lock_guard lock(pending_->mutex);
        pending_->executor.reset();
    }

private:
    std::shared_ptr<Pending> pending_;
};

void look_up(const std::shared_ptr<Pending>& pending, const Lookup& lookup, const HostPort& peer) {
    auto result = lookup(peer);
    const std::lock_guard lock(pending->mutex);
    if (!pending->executor) return;
    pending->result = std::move(result);
    asio::post(*pending->executor, [waiting = pending->waiting] {
        if (const auto timer = waiting.lock()) timer->cancel();
    });
}

Result<void> start_thread(std::shared_ptr<Pending> pending, Lookup lookup, HostPort peer) {
    try {
        std::thread(
            [pending = std::move(pending), lookup = std::move(lookup), peer = std::move(peer)] {
                look_up(pending, lookup, peer);
            }
        ).detach();
    } catch (const std::system_error& error) {
        return std::unexpected(
            errno_error(error.code().value(), "cannot start a thread to look up a host name")
        );
    }
    return {};
}

tcp::endpoint endpoint_of(const sockaddr* address, std::size_t length) {
    tcp::endpoint endpoint;
    if (length > endpoint.capacity()) return endpoint;
    std::memcpy(endpoint.data(), address, length);
    endpoint.resize(length);
    return endpoint;
}

}  // namespace

std::optional<Endpoints> known_endpoints(const HostPort& peer) {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(peer.host, error);
    if (!error) return Endpoints{tcp::endpoint(address, peer.port)};
    if (peer.host != "localhost" && !peer.host.ends_with(".localhost")) return std::nullopt;
    return Endpoints{
        tcp::endpoint(asio::ip::address_v4::loopback(), peer.port),
        tcp::endpoint(asio::ip::address_v6::loopback(), peer.port)
    };
}

Result<Endpoints> system_lookup(const HostPort& peer) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
    addrinfo* list = nullptr;
    const int status =
        ::getaddrinfo(peer.host.c_str(), std::to_string(peer.port).c_str(), &hints, &list);
    const int error_number = errno;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
    Endpoints found;
    for (const auto* entry = owner.get(); status == 0 && entry != nullptr; entry = entry->ai_next) {
        found.push_back(endpoint_of(entry->ai_addr, entry->ai_addrlen));
    }
    if (!found.empty()) return found;
    const auto why = status == 0            ? std::string("it has no address")
                     : status == EAI_SYSTEM ? std::generic_category().message(error_number)
                                            : std::string(::gai_strerror(status));
    return fail(
        ErrorCode::connection,
        fmt::format("cannot resolve the host name {}: {}", peer.host, why),
        "check the spelling of the host and this machine's network"
    );
}

Task<Result<Endpoints>> resolve(HostPort peer, Wait wait, Lookup lookup) {
    if (auto known = known_endpoints(peer)) co_return std::move(*known);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        co_return std::unexpected(cancelled(wait, peer.text()));
    }
    const auto executor = co_await asio::this_coro::executor;
    const auto timer = std::make_shared<asio::steady_timer>(executor, wait.deadline);
    const auto pending = std::make_shared<Pending>();
    pending->executor = executor;
    pending->waiting = timer;
    const Interest interest(pending);
    if (auto started = start_thread(pending, std::move(lookup), peer); !started) {
        co_return std::unexpected(std::move(started).error());
    }
    co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
    if ((co_await asio::this_coro::cancellation_state).cancelled() !=
        asio::cancellation_type::none) {
        co_return std::unexpected(cancelled(wait, peer.text()));
    }
    const std::lock_guard lock(pending->mutex);
    if (pending->result) co_return std::move(*pending->result);
    co_return std::unexpected(timed_out(wait, peer.text(), "no answer had come"));
}

}  // namespace punie::http
