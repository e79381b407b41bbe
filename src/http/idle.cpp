#include "http/idle.hpp"

#include <algorithm>
#include <boost/asio/query.hpp>
#include <utility>

namespace punie::http {

namespace {

constexpr auto idle_limit = std::chrono::seconds(60);  // many servers close after 5 to 75 s

asio::execution_context& context_of(const asio::any_io_executor& executor) {
    return asio::query(executor, asio::execution::context);
}

}  // namespace

/// Part of an event loop, ends with it: a socket must not outlive its event loop.
class IdleConnections::OfContext : public asio::execution_context::service {
public:
    using key_type = OfContext;

    static inline asio::execution_context::id id;

    explicit OfContext(asio::execution_context& context) : service(context) {}

    void know(std::weak_ptr<IdleConnections> connections) {
        const std::scoped_lock lock(mutex_);
        const auto same = [&connections](const auto& known) {
            return !known.owner_before(connections) && !connections.owner_before(known);
        };
        if (std::ranges::any_of(known_, same)) return;
        std::erase_if(known_, [](const auto& known) { return known.expired(); });
        known_.push_back(std::move(connections));
    }

private:
    void shutdown() override {
        const std::scoped_lock lock(mutex_);
        for (const auto& known : known_) {
            if (const auto alive = known.lock()) alive->forget(context());
        }
    }

    std::mutex mutex_;
    std::vector<std::weak_ptr<IdleConnections>> known_;
};

std::optional<Connection> IdleConnections::take(
    const asio::any_io_executor& executor, const IdleKey& key
) {
    const auto oldest = std::chrono::steady_clock::now() - idle_limit;
    const std::scoped_lock lock(mutex_);
    for (auto i = idle_.size(); i-- > 0;) {
        auto& idle = idle_[i];
        if (idle.key != key || idle.connection.executor() != executor) continue;
        auto connection = std::move(idle.connection);
        const bool fresh = idle.since > oldest;
        idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(i));
        if (fresh && connection.quiet()) return connection;
    }
    return std::nullopt;
}

void IdleConnections::put(IdleKey key, Connection connection) {
    if (most_ == 0) return;
    auto& context = context_of(connection.executor());
    asio::use_service<OfContext>(context).know(weak_from_this());
    const auto now = std::chrono::steady_clock::now();
    const std::scoped_lock lock(mutex_);
    if (idle_.size() >= most_) idle_.erase(idle_.begin());
    idle_.push_back({std::move(key), &context, now, std::move(connection)});
}

void IdleConnections::forget(const asio::execution_context& context) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(idle_, [&context](const Idle& idle) { return idle.context == &context; });
}

}  // namespace punie::http
