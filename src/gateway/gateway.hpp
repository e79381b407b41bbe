#pragma once
// One endpoint for many models, put together.

#include <punie/error.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/awaitable.hpp"
#include "fleet/fleet.hpp"
#include "gateway/services.hpp"
#include "relay/front.hpp"

namespace punie::gateway {

struct GatewayOptions {
    relay::FrontLimits front{};
    fleet::FleetOptions fleet{};
    std::vector<RequestSink> sinks{};
    std::function<void(const Captured&)> capture{};
    std::string control_token{};  ///< "": one at random
    bool control_socket = true;   ///< tests may do without
    /// Where a reload reads the configuration again; empty: reload is refused.
    std::function<Result<fleet::GatewayConfig>()> read_again{};
};

/// Owner: outlives `run`. Thread: the executor's, one thread.
class Gateway {
public:
    /// Listens at every place of the configuration. Errors: port_in_use (names the holder),
    /// invalid_argument (TLS files, address), io; state (another gateway answers on the control
    /// socket).
    static Result<std::unique_ptr<Gateway>> listen(
        const asio::any_io_executor& executor, fleet::GatewayConfig config, GatewayOptions options
    );
    ~Gateway();
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;

    /// Serves until `stop` and then until everything has ended: connections, servers.
    Task<void> run();

    /// Answers may go on for the configured drain; a second call ends them at once.
    void stop();

    /// Another configuration: models, keys and limits at once; places to listen at need a restart,
    /// which the answer says. Running streams live on. Certificates are read again. Errors:
    /// invalid_argument; everything is then as before.
    Result<std::vector<std::string>> reload(fleet::GatewayConfig config);

    /// "http://127.0.0.1:8080" of each place.
    std::vector<std::string> urls() const;
    /// The page with the right to load and unload; for the terminal that started it.
    std::string dashboard_url() const;

    fleet::Fleet& fleet();

private:
    struct Impl;
    explicit Gateway(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace punie::gateway
