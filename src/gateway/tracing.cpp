#include "gateway/tracing.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/json.hpp>
#include <charconv>
#include <random>

#include "base/json.hpp"
#include "base/text.hpp"
#include "http/client.hpp"

namespace punie::gateway {

namespace {

// NOLINTNEXTLINE(misc-unused-using-decls): used below, in coroutines, where the check does not look
using asio::experimental::awaitable_operators::operator||;

constexpr std::size_t most_queued = 2'000;
constexpr std::size_t batch = 200;
constexpr Milliseconds interval{1'000};

std::string random_hex(int words) {
    static std::mt19937_64 random{std::random_device{}()};
    std::string text;
    for (int i = 0; i < words; ++i) text += fmt::format("{:016x}", random());
    return text;
}

bool is_hex(std::string_view text, std::size_t size) {
    const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    return text.size() == size && std::ranges::all_of(text, digit) &&
           !std::ranges::all_of(text, [](char c) { return c == '0'; });
}

json::object text_value(std::string_view name, std::string_view value) {
    return {{"key", name}, {"value", {{"stringValue", printable(value)}}}};
}

/// 64-bit numbers are texts in the JSON form of protocol buffers.
json::object whole_value(std::string_view name, std::uint64_t value) {
    return {{"key", name}, {"value", {{"intValue", std::to_string(value)}}}};
}

json::object real_value(std::string_view name, double value) {
    return {{"key", name}, {"value", {{"doubleValue", value}}}};
}

std::string nanoseconds(std::chrono::system_clock::time_point time) {
    return std::to_string(
        std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count()
    );
}

std::string_view operation_of(std::string_view route) {
    if (route.ends_with("embeddings")) return "embeddings";
    if (route == "/v1/completions" || route == "/api/generate") return "text_completion";
    return "chat";
}

json::array attributes_of(const RequestRecord& record) {
    json::array list{
        text_value("http.request.method", record.method),
        text_value("http.route", record.route),
        whole_value("http.response.status_code", static_cast<std::uint64_t>(record.status)),
        text_value("punie.request.id", record.id),
        real_value("punie.request.queue_seconds", record.waited)
    };
    if (!record.model.empty()) {
        list.push_back(text_value("gen_ai.operation.name", operation_of(record.route)));
        list.push_back(text_value("gen_ai.request.model", record.model));
        list.push_back(whole_value("gen_ai.usage.input_tokens", record.tokens_in));
        list.push_back(whole_value("gen_ai.usage.output_tokens", record.tokens_out));
    }
    if (!record.peer.empty()) list.push_back(text_value("client.address", record.peer));
    if (!record.error.empty()) list.push_back(text_value("error.type", record.error));
    if (record.first_byte)
        list.push_back(real_value("punie.response.first_byte_seconds", *record.first_byte));
    return list;
}

json::object span_json(const Span& span) {
    constexpr int server_kind = 2;
    constexpr int failed = 2;
    const auto& record = span.record;
    const auto end = record.time + std::chrono::duration_cast<std::chrono::system_clock::duration>(
                                       std::chrono::duration<double>(record.total)
                                   );
    json::object object{
        {"traceId", span.trace},
        {"spanId", span.id},
        {"name", fmt::format("{} {}", record.method, record.route)},
        {"kind", server_kind},
        {"startTimeUnixNano", nanoseconds(record.time)},
        {"endTimeUnixNano", nanoseconds(end)},
        {"attributes", attributes_of(record)}
    };
    if (!span.parent.empty()) object["parentSpanId"] = span.parent;
    if (record.status >= 500 || record.torn)
        object["status"] = {{"code", failed}, {"message", printable(record.reason)}};
    return object;
}

/// "a=b,c=d"; values percent-encoded, as the specification of OTEL_EXPORTER_OTLP_HEADERS says.
std::vector<std::pair<std::string, std::string>> headers_of(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> headers;
    while (!text.empty()) {
        const auto part = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        const auto sign = part.find('=');
        if (sign == std::string_view::npos) continue;
        std::string value;
        const auto given = trim(part.substr(sign + 1));
        for (std::size_t at = 0; at < given.size(); ++at) {
            unsigned code = 0;
            if (given[at] == '%' && at + 2 < given.size() &&
                std::from_chars(given.data() + at + 1, given.data() + at + 3, code, 16).ptr ==
                    given.data() + at + 3) {
                value += static_cast<char>(code);
                at += 2;
            } else {
                value += given[at];
            }
        }
        headers.emplace_back(trim(part.substr(0, sign)), std::move(value));
    }
    return headers;
}

Task<void> sleep_for(Milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace

std::optional<TraceTarget> trace_target(const std::map<std::string, std::string>& environment) {
    const auto value = [&](const char* name) -> std::string {
        const auto found = environment.find(name);
        return found == environment.end() ? std::string{} : found->second;
    };
    if (value("OTEL_SDK_DISABLED") == "true") return std::nullopt;
    TraceTarget target;
    target.url = value("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    if (target.url.empty()) {
        target.url = value("OTEL_EXPORTER_OTLP_ENDPOINT");
        if (target.url.empty()) return std::nullopt;
        if (!target.url.ends_with('/')) target.url += '/';
        target.url += "v1/traces";
    }
    target.headers = headers_of(value("OTEL_EXPORTER_OTLP_HEADERS"));
    if (const auto name = value("OTEL_SERVICE_NAME"); !name.empty()) target.service = name;
    const auto timeout = value("OTEL_EXPORTER_OTLP_TIMEOUT");
    std::int64_t milliseconds = 0;
    std::from_chars(timeout.data(), timeout.data() + timeout.size(), milliseconds);
    if (milliseconds > 0) target.timeout = Milliseconds(milliseconds);
    return target;
}

std::optional<TraceTarget> trace_target() {
    std::map<std::string, std::string> environment;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view pair = *entry;
        const auto sign = pair.find('=');
        if (pair.starts_with("OTEL_") && sign != std::string_view::npos)
            environment.emplace(pair.substr(0, sign), pair.substr(sign + 1));
    }
    return trace_target(environment);
}

std::optional<TraceParent> parse_traceparent(std::string_view header) {
    // version "-" trace (32) "-" parent (16) "-" flags; later versions may go on after it
    constexpr std::size_t whole = 55;
    if (header.size() < whole || header[2] != '-' || header[35] != '-' || header[52] != '-')
        return std::nullopt;
    const auto version = header.substr(0, 2);
    const auto trace = header.substr(3, 32);
    const auto span = header.substr(36, 16);
    unsigned flags = 0;
    const auto* digits = header.data() + 53;
    const bool flagged = std::from_chars(digits, digits + 2, flags, 16).ptr == digits + 2;
    if (version == "ff" || (version == "00" && header.size() != whole) || !flagged)
        return std::nullopt;
    if (!is_hex(trace, 32) || !is_hex(span, 16)) return std::nullopt;
    return TraceParent{std::string(trace), std::string(span), (flags & 1U) != 0};
}

std::string otlp_body(const std::deque<Span>& spans, const TraceTarget& target) {
    json::array list;
    list.reserve(spans.size());
    for (const auto& span : spans) list.push_back(span_json(span));
    const json::object scope{{"name", "punie"}, {"version", PUNIE_VERSION}};
    const json::object resource{
        {"attributes",
         json::array{
             text_value("service.name", target.service),
             text_value("service.version", PUNIE_VERSION)
         }}
    };
    json::object scoped{{"scope", scope}, {"spans", std::move(list)}};
    json::object resourced{{"resource", resource}, {"scopeSpans", json::array{std::move(scoped)}}};
    return to_text(json::object{{"resourceSpans", json::array{std::move(resourced)}}});
}

Tracing::Tracing(const asio::any_io_executor& executor, TraceTarget target)
    : target_(std::move(target)), news_(executor) {}

void Tracing::add(const RequestRecord& record, std::string_view traceparent) {
    if (queued_.size() >= most_queued) {
        ++dropped_;
        return;
    }
    const auto parent = parse_traceparent(traceparent);
    if (parent && !parent->sampled) return;  // whoever began the trace does not want it
    queued_.push_back(
        {parent ? parent->trace : random_hex(2),
         random_hex(1),
         parent ? parent->span : std::string{},
         record}
    );
    if (queued_.size() == 1 || queued_.size() == batch) news_.notify();
}

void Tracing::close() {
    closing_ = true;
    news_.notify();
}

Task<void> Tracing::run() {
    while (true) {
        if (queued_.empty()) {
            if (closing_) co_return;
            if (!co_await news_.wait()) co_return;
            continue;
        }
        if (queued_.size() < batch && !closing_) co_await (news_.wait() || sleep_for(interval));
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) co_return;
        co_await send_queued();
    }
}

Task<void> Tracing::send_queued() {
    std::deque<Span> spans;
    spans.swap(queued_);
    http::Request request;
    request.method = "POST";
    request.url = target_.url;
    request.headers = {{"Content-Type", "application/json"}};
    for (const auto& header : target_.headers) request.headers.push_back(header);
    request.body = otlp_body(spans, target_);
    http::Deadlines deadlines;
    deadlines.total = target_.timeout;
    const http::Client client;
    const auto response = co_await client.send(std::move(request), deadlines);
    if (response && response->status < 300) {
        sent_ += spans.size();
    } else {
        dropped_ +=
            spans.size();  // sent once: a collector that is away gets no flood when it is back
    }
}

}  // namespace punie::gateway
