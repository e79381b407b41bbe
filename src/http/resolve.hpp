#pragma once
// Host names to addresses, without ever holding up an event loop or the end of the program.

#include <punie/error.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <optional>
#include <vector>

#include "base/awaitable.hpp"
#include "http/url.hpp"
#include "http/waiting.hpp"

namespace punie::http {

using Endpoints = std::vector<asio::ip::tcp::endpoint>;

/// A blocking look-up: getaddrinfo, or a test's own. Errors: connection.
using Lookup = std::function<Result<Endpoints>(const HostPort&)>;

Result<Endpoints> system_lookup(const HostPort& peer);

/// The addresses that need no look-up: numeric ones, and localhost (RFC 6761, 6.3; IPv4 first).
std::optional<Endpoints> known_endpoints(const HostPort& peer);

/// `known_endpoints`, else `lookup` in a thread of its own: getaddrinfo cannot be interrupted, so
/// at the deadline or a cancellation the thread is left to end by itself. Never an empty list.
/// Errors: connection, timeout, cancelled, io. The calling coroutine must not throw on
/// cancellation.
Task<Result<Endpoints>> resolve(HostPort peer, Wait wait, Lookup lookup = system_lookup);

}  // namespace punie::http
