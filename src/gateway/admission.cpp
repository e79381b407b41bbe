#include "gateway/admission.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/url.hpp>

#include "relay/syntax.hpp"

namespace punie::gateway {

namespace {

using Admitted = std::expected<fleet::Lease, fleet::Refusal>;

/// Between the waiting coroutine and the one that talks to the client.
struct Waiter {
    explicit Waiter(const asio::any_io_executor& executor) : woken(executor, SteadyTime::max()) {}

    asio::steady_timer woken;
    asio::cancellation_signal cancel;
    std::optional<Admitted> result;
    std::optional<fleet::Waiting> news;

    void wake() { woken.cancel(); }
};

Task<void> admit_into(fleet::Fleet& fleet, fleet::Ask ask, std::shared_ptr<Waiter> waiter) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto result = co_await fleet.admit(std::move(ask));
    waiter->result.emplace(std::move(result));
    waiter->wake();
}

Task<bool> cancelled() {
    const auto state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

/// Waits for the result or for news; after `give_up` only for the result.
Task<void> wait(const std::shared_ptr<Waiter>& waiter) {
    if (waiter->result || waiter->news) co_return;
    waiter->woken.expires_at(SteadyTime::max());
    co_await waiter->woken.async_wait(asio::as_tuple(asio::use_awaitable));
}

Task<Admitted> admit_with_signs(fleet::Fleet& fleet, fleet::Ask ask, SignOfLife sign) {
    const auto executor = co_await asio::this_coro::executor;
    auto waiter = std::make_shared<Waiter>(executor);
    ask.on_wait = [waiter](const fleet::Waiting& news) {
        waiter->news = news;
        waiter->wake();
    };
    asio::co_spawn(
        executor,
        admit_into(fleet, std::move(ask), waiter),
        asio::bind_cancellation_slot(
            waiter->cancel.slot(),
            [waiter](const std::exception_ptr& thrown) {
                if (!thrown || waiter->result) return;
                waiter->result.emplace(std::unexpected(fleet::Refusal{
                    fleet::Refusal::Kind::cancelled,
                    Error(ErrorCode::cancelled, "the wait for the model was cancelled"),
                    {}
                }));
                waiter->wake();
            }
        )
    );
    bool left = false;
    while (!waiter->result) {
        co_await wait(waiter);
        if (waiter->result) break;
        const auto news = std::exchange(waiter->news, std::nullopt);
        left = left || co_await cancelled();
        if (!left && news && sign) left = !co_await sign(*news);
        if (!left) continue;
        // What was begun is waited for: it may hold a place in the queue.
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        waiter->cancel.emit(asio::cancellation_type::terminal);
    }
    co_return *std::move(waiter->result);
}

bool may_fall_back(fleet::Refusal::Kind kind) {
    using Kind = fleet::Refusal::Kind;
    return kind == Kind::start_failed || kind == Kind::backing_off || kind == Kind::does_not_fit ||
           kind == Kind::queue_full || kind == Kind::poisoned;
}

/// What a key may not use is not loaded for it.
std::optional<Refused> check_right(const Visit& visit, const std::string& name) {
    const auto& config = visit.services().fleet.config();
    const auto colon = name.find(':');
    const auto* spec = config.find(name);
    std::string served;
    if (spec != nullptr) {
        served = spec->name;
    } else if (spec = config.find(name.substr(0, colon)); spec != nullptr) {
        served = fmt::format("{}:{}", spec->name, name.substr(colon + 1));
    }
    if (spec == nullptr || visit.pass().may_use(served)) return std::nullopt;
    return Refused{
        .status = 403,
        .code = "model_not_allowed",
        .error = Error(
            ErrorCode::invalid_argument,
            fmt::format("key \"{}\" may not use model \"{}\"", visit.pass().key->name, served)
        )
    };
}

bool stays_here(std::string_view name) {
    static constexpr std::string_view names[] = {
        "authorization",
        "x-api-key",
        "cookie",
        "origin",
        "referer",
        "host",
        "accept-encoding",  // what comes back is looked at
        "content-length",
        "expect",
        "proxy-authorization",
    };
    return std::ranges::any_of(names, [&](auto other) { return relay::same_name(name, other); });
}

}  // namespace

Task<std::expected<fleet::Lease, Refused>> admit(
    Visit& visit, std::string model, std::uint64_t body_bytes, SignOfLife sign
) {
    auto& fleet = visit.services().fleet;
    constexpr std::string_view latest = ":latest";  // Ollama's clients put it behind every name
    if (model.ends_with(latest) && fleet.config().find(model) == nullptr) {
        model.resize(model.size() - latest.size());
    }
    std::vector<std::string> names{model};
    std::optional<Refused> first;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (auto barred = check_right(visit, names[i])) {
            if (!first) first = std::move(barred);
            continue;
        }
        fleet::Ask ask{
            .model = names[i],
            .client = visit.pass().client,
            .priority = visit.pass().key ? visit.pass().key->priority : 0,
            .body_bytes = body_bytes,
        };
        auto lease = co_await admit_with_signs(fleet, std::move(ask), sign);
        if (lease) co_return *std::move(lease);
        const auto& refusal = lease.error();
        if (!first) first = refused_by(refusal);
        if (i == 0 && may_fall_back(refusal.kind)) {
            const auto* spec = fleet.config().find(model.substr(0, model.find(':')));
            if (spec != nullptr) {
                names.insert(names.end(), spec->fallbacks.begin(), spec->fallbacks.end());
            }
        }
    }
    co_return std::unexpected(*std::move(first));
}

relay::Origin origin_of(Services& services, const fleet::Lease& lease) {
    const auto url = lease.base_url();
    if (const auto found = services.origins.find(url); found != services.origins.end()) {
        return found->second;
    }
    relay::Origin origin;
    if (const auto parsed = boost::urls::parse_uri(url)) {
        origin.host = parsed->host_address();
        origin.tls = parsed->scheme() == "https";
        origin.port = parsed->port_number();
        if (origin.port == 0) origin.port = origin.tls ? 443 : 80;
        std::string path(parsed->encoded_path());
        while (path.ends_with('/')) path.pop_back();
        if (path.ends_with("/v1")) path.resize(path.size() - 3);
        origin.prefix = path;
    }
    constexpr std::size_t most = 1000;  // servers get new ports at every start
    if (services.origins.size() >= most) services.origins.clear();
    services.origins[url] = origin;
    return origin;
}

std::string target_for(const fleet::Lease& lease, std::string_view target) {
    auto url = lease.base_url();
    while (url.ends_with('/')) url.pop_back();
    const bool versioned = url.ends_with("/v1");
    if (!versioned && target.starts_with("/v1/")) return std::string(target.substr(3));
    return std::string(target);
}

relay::Headers headers_for(const fleet::Lease& lease, const relay::Headers& from_client) {
    relay::Headers headers;
    headers.reserve(from_client.size() + 1);
    for (const auto& header : from_client) {
        if (!stays_here(header.first)) headers.push_back(header);
    }
    if (const auto key = lease.api_key(); !key.empty()) {
        headers.emplace_back("Authorization", fmt::format("Bearer {}", key));
    }
    return headers;
}

}  // namespace punie::gateway
