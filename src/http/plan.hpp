#pragma once
// A request made into the bytes that go over the wire, and over which way. Pure.

#include <punie/error.hpp>

#include <optional>
#include <string>

#include "http/message.hpp"
#include "http/proxy.hpp"
#include "http/reader.hpp"
#include "http/url.hpp"

namespace punie::http {

struct Plan {
    Url url;
    std::optional<Proxy> proxy;
    std::string tunnel;  ///< the CONNECT request, for https through a proxy
    std::string wire;    ///< header and body
    BodyRule rule = BodyRule::as_declared;

    bool keep_alive = false;  ///< the connection may serve another exchange afterwards

    bool tls() const { return url.scheme == "https"; }

    /// Where the TCP connection goes.
    const HostPort& dialled() const { return proxy ? proxy->peer : url.peer; }
};

/// Errors: invalid_argument (URL, method, header), unsupported (kind of proxy).
Result<Plan> plan_exchange(Request request, const ClientOptions& options);

}  // namespace punie::http
