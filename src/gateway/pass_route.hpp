#pragma once
// OpenAI's own routes: what the server offers, passed through byte for byte but for what must be
// changed.

#include "gateway/visit.hpp"

namespace punie::gateway {

/// POST with a JSON body that names its model.
Task<void> pass_route(Visit& visit);

/// /upstream/MODEL/...: any method and body, passed to that model's server as it is.
Task<void> upstream_route(Visit& visit);

}  // namespace punie::gateway
