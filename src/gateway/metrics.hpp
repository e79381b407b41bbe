#pragma once
// What the gateway counts, and its Prometheus text. Names follow the conventions of
// https://prometheus.io/docs/practices/naming/ and, for the model part, OpenTelemetry's GenAI
// names.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/awaitable.hpp"
#include "fleet/fleet.hpp"

namespace punie::gateway {

/// One finished request.
struct RequestRecord {
    std::string id;     ///< x-request-id
    std::string route;  ///< "/v1/chat/completions": as configured, never a client's text
    std::string model;  ///< served name; "" if none was found (never a client's text)
    std::string key;    ///< name of the key; "" none
    std::string peer;
    std::string method;
    int status = 0;  ///< sent to the client; 499: the client left before the answer
    bool stream = false;
    bool torn = false;  ///< ended without its proper end
    int attempts = 1;
    double waited = 0;  ///< seconds for admission
    std::optional<double>
        first_byte;    ///< seconds to the first byte of the answer's body (TTFT of a stream)
    double total = 0;  ///< seconds
    std::uint64_t tokens_in = 0;
    std::uint64_t tokens_out = 0;
    std::uint64_t events = 0;  ///< of a stream
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::string error;   ///< code of what went wrong, "" nothing
    std::string reason;  ///< in words
    std::chrono::system_clock::time_point time;
};

/// Thread: the gateway's.
class Metrics {
public:
    Metrics();
    ~Metrics();
    void add(const RequestRecord& record);
    void begun(std::string_view route);  ///< a request is in flight
    void ended(std::string_view route);
    /// Text exposition format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).
    std::string prometheus(const fleet::Fleet& fleet, std::size_t connections) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace punie::gateway
