#pragma once
// A proxy's URL taken apart. Which one to use: `proxy_for` in client.hpp.

#include <punie/error.hpp>

#include <string>
#include <string_view>

#include "http/url.hpp"

namespace punie::http {

struct Proxy {
    HostPort peer;
    std::string authorization;  ///< the Proxy-Authorization header's value, or empty
};

/// Parses the value of a proxy variable. Errors: invalid_argument; unsupported for https and socks
/// proxies.
Result<Proxy> parse_proxy(std::string_view text);

}  // namespace punie::http
