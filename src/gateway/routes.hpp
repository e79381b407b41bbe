#pragma once
// Which handler a path has.

#include "gateway/services.hpp"

namespace punie::gateway {

/// Answers one request, whatever it is: gate, route, record. Never throws for the peer's sake.
Task<void> serve(Services& services, relay::Exchange& exchange);

/// The route's name for logs and metrics: one of a few, never a client's text ("other").
std::string route_name(std::string_view path);

}  // namespace punie::gateway
