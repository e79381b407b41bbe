#pragma once
// A span a request to an OpenTelemetry collector, by OTLP over HTTP in its JSON form
// (https://opentelemetry.io/docs/specs/otlp/#otlphttp). Off unless the environment names a
// collector; a collector that is slow or away costs spans, never time.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/async_event.hpp"
#include "gateway/metrics.hpp"

namespace punie::gateway {

/// Where spans go.
struct TraceTarget {
    std::string url;  ///< ".../v1/traces"
    std::vector<std::pair<std::string, std::string>> headers;
    std::string service = "punie";
    Milliseconds timeout{10'000};
};

/// By OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT (then with "/v1/traces"),
/// OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_SERVICE_NAME; nothing if no
/// endpoint is named or OTEL_SDK_DISABLED is "true". Pure.
std::optional<TraceTarget> trace_target(const std::map<std::string, std::string>& environment);
/// By this process's environment.
std::optional<TraceTarget> trace_target();

/// Whose part a request is (https://www.w3.org/TR/trace-context/): a traceparent header's ids.
struct TraceParent {
    std::string trace;  ///< 32 hexadecimal digits
    std::string span;   ///< 16
    bool sampled = false;
};

/// Nothing for a header that is none or is malformed.
std::optional<TraceParent> parse_traceparent(std::string_view header);

/// One finished request as an OTLP span, with the names of the GenAI conventions
/// (https://opentelemetry.io/docs/specs/semconv/gen-ai/). Pure.
struct Span {
    std::string trace, id, parent;
    RequestRecord record;
};

/// The body of a POST to the collector. Pure.
std::string otlp_body(const std::deque<Span>& spans, const TraceTarget& target);

/// Owner: outlives `run`. Thread: its executor's.
class Tracing {
public:
    Tracing(const asio::any_io_executor& executor, TraceTarget target);

    /// Queues a span; drops and counts it when 2,000 wait.
    void add(const RequestRecord& record, std::string_view traceparent = {});

    /// Sends what is queued, at most every second or when 200 wait. Runs until cancelled or until
    /// `close` was called and the last ones were sent (or could not be).
    Task<void> run();
    void close();

    std::uint64_t dropped() const { return dropped_; }

    std::uint64_t sent() const { return sent_; }

private:
    Task<void> send_queued();

    TraceTarget target_;
    std::deque<Span> queued_;
    AsyncEvent news_;
    bool closing_ = false;
    std::uint64_t dropped_ = 0;
    std::uint64_t sent_ = 0;
};

}  // namespace punie::gateway
