#pragma once
// Who may come in: keys, Host, Origin, rates. Pure but for the clock that is passed in.

#include <punie/error.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/awaitable.hpp"
#include "fleet/gateway_config.hpp"
#include "relay/message.hpp"

namespace punie::gateway {

/// What a request may do, once it is in.
struct Pass {
    std::shared_ptr<const fleet::KeySpec>
        key;                     ///< null: no keys are configured, or the control socket
    bool control = false;        ///< may use the control API
    std::string client;          ///< who it is, for fairness: the key's name or the address
    std::string allowed_origin;  ///< for Access-Control-Allow-Origin; "" none

    /// Whether this key may use the model.
    bool may_use(std::string_view served_name) const;
};

/// Why it may not come in.
struct Barred {
    int status = 403;  ///< 401 key, 403 origin or right, 421 host, 429 rate
    std::string code;  ///< "invalid_api_key"
    std::string message;
    std::optional<Milliseconds> retry_after{};
};

/// Keys are compared by their SHA-256, in constant time, all of them each time. Owner: one a
/// gateway; a new configuration keeps the rates of the keys that stay.
class Gate {
public:
    /// `control_token`: lets the dashboard in where no keys are configured; "" none.
    Gate(const fleet::GatewayConfig& config, std::string control_token);

    /// A request that arrived; `port` is the one it was sent to. A request over its key's rate is
    /// barred before anything else of it is read.
    std::expected<Pass, Barred> check(
        const relay::Head& head, const relay::Peer& peer, SteadyTime now
    );

    /// Tokens that a key's request took: they count against its tokens a minute.
    void spent(const Pass& pass, std::uint64_t tokens, SteadyTime now);

    /// A browser's question before a cross-origin request; the headers of the answer, or why not.
    std::expected<relay::Headers, Barred> preflight(
        const relay::Head& head, const relay::Peer& peer
    ) const;

    void apply(const fleet::GatewayConfig& config);

private:
    struct Bucket {
        double left = 0;
        SteadyTime at{};
    };

    struct Rates {
        Bucket requests;
        Bucket tokens;
    };

    struct Known {
        std::shared_ptr<const fleet::KeySpec> spec;
        std::string digest;
    };

    std::optional<Barred> check_host(const relay::Head& head, const relay::Peer& peer) const;
    std::optional<Barred> check_origin(const relay::Head& head, const relay::Peer& peer) const;
    const fleet::ListenSpec* place_of(const relay::Peer& peer) const;
    const Known* find_key(const std::string& digest) const;
    std::optional<Barred> take_rate(const Known& key, SteadyTime now);

    std::vector<fleet::ListenSpec> places_;
    std::vector<Known> keys_;
    std::string token_digest_;
    std::map<std::string, Rates> rates_;
};

/// "127.0.0.1", "localhost", "::1" and their ports; true for a name that can only be this machine.
bool is_loopback_name(std::string_view host);

/// "name:port" apart; IPv6 with its brackets taken off. Nothing if it is no host.
std::optional<std::pair<std::string, std::optional<std::uint16_t>>> split_host(
    std::string_view value
);

}  // namespace punie::gateway
