#pragma once
// Connections that wait for their next request. Nothing is read from them meanwhile, so they keep
// no event loop running; whether the server closed one is looked at when it is taken.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/awaitable.hpp"
#include "http/connection.hpp"

namespace punie::http {

/// Which server a connection leads to.
struct IdleKey {
    bool tls = false;
    std::string host;
    std::uint16_t port = 0;

    bool operator==(const IdleKey&) const = default;
};

/// Those of one client. They are closed with it, and with the event loop that they belong to,
/// whichever ends first. Thread: any, but a client and its event loop must not be destroyed at the
/// same moment.
class IdleConnections : public std::enable_shared_from_this<IdleConnections> {
public:
    explicit IdleConnections(std::size_t most) : most_(most) {}

    /// The connection that was used last, of this executor; none that the server closed or that is
    /// older than idle_limit.
    std::optional<Connection> take(const asio::any_io_executor& executor, const IdleKey& key);

    void put(IdleKey key, Connection connection);

private:
    class OfContext;

    struct Idle {
        IdleKey key;
        asio::execution_context* context;
        SteadyTime since;
        Connection connection;
    };

    void forget(const asio::execution_context& context);

    std::mutex mutex_;
    std::size_t most_;
    std::vector<Idle> idle_;  ///< the longest idle one first
};

}  // namespace punie::http
