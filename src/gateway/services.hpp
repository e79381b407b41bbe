#pragma once
// What every route works with. Owned by the gateway, which outlives its requests.

#include <functional>
#include <map>
#include <string>

#include "fleet/fleet.hpp"
#include "gateway/control.hpp"
#include "gateway/gate.hpp"
#include "gateway/metrics.hpp"
#include "relay/upstream.hpp"

namespace punie::gateway {

/// Sees each finished request: log, capture, traces.
using RequestSink = std::function<void(const RequestRecord&)>;

/// What of a request may be captured for suites: texts, never headers.
struct Captured {
    std::string_view route;
    std::string_view model;
    std::string_view request;   ///< body as the client sent it
    std::string_view response;  ///< whole answers only; "" of streams
};

struct Services {
    fleet::Fleet& fleet;
    relay::Upstreams& upstreams;
    Gate& gate;
    Metrics& metrics;
    RequestBook& book;
    Control& control;
    std::vector<RequestSink> sinks{};
    std::function<void(const Captured&)> capture{};  ///< empty: off
    std::map<std::string, relay::Origin> origins{};  ///< by base URL: parsed once
    std::size_t (*connections)(const void*) = nullptr;
    const void* front = nullptr;
};

}  // namespace punie::gateway
