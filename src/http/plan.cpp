#include "http/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <utility>

#include "base/ascii.hpp"
#include "base/text.hpp"

namespace punie::http {

namespace {

/// A token of RFC 9110, 5.6.2.
bool is_token(std::string_view text) {
    static constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
        return std::isalnum(c) != 0 || marks.find(static_cast<char>(c)) != std::string_view::npos;
    });
}

/// No control characters but tabs: a line break would smuggle in further headers.
bool is_field_value(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char c) {
        return c == '\t' || (c >= 0x20 && c != 0x7F);
    });
}

/// Headers that say how the body travels; a second opinion would break the connection.
bool is_framing(std::string_view name) {
    constexpr std::array<std::string_view, 3> framing = {
        "content-length", "transfer-encoding", "connection"
    };
    return std::ranges::find(framing, lower(name)) != framing.end();
}

Result<void> check(const Request& request) {
    if (!is_token(request.method)) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("\"{}\" is no HTTP method", printable(request.method))
        );
    }
    for (const auto& [name, value] : request.headers) {
        if (!is_token(name)) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("\"{}\" is no HTTP header name", printable(name))
            );
        }
        if (is_framing(name)) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("the header {} is set by the client itself", name)
            );
        }
        if (!is_field_value(value)) {  // the value may be a key: it is not shown
            return fail(
                ErrorCode::invalid_argument,
                fmt::format(
                    "the value of the header {} has a line break or control character", name
                )
            );
        }
    }
    return {};
}

std::string wire_of(const Request& request, const Plan& plan) {
    const auto& url = plan.url;
    const auto& plain_proxy = plan.tls() ? std::nullopt : plan.proxy;
    const auto target = plain_proxy
                            ? fmt::format("{}://{}{}", url.scheme, url.host_header(), url.target)
                            : url.target;
    std::string wire = fmt::format("{} {} HTTP/1.1\r\n", request.method, target);
    const auto add = [&wire](std::string_view name, std::string_view value) {
        fmt::format_to(std::back_inserter(wire), "{}: {}\r\n", name, value);
    };
    const auto unless_given = [&](std::string_view name, std::string_view value) {
        if (!value.empty() && !find_header(request.headers, name)) add(name, value);
    };
    unless_given("Host", url.host_header());
    unless_given("User-Agent", "punie");
    unless_given("Accept", "*/*");
    unless_given("Authorization", url.authorization);
    if (plain_proxy) unless_given("Proxy-Authorization", plain_proxy->authorization);
    for (const auto& [name, value] : request.headers) add(name, value);
    const bool has_body = !request.body.empty() || request.method == "POST" ||
                          request.method == "PUT" || request.method == "PATCH";
    if (has_body) add("Content-Length", std::to_string(request.body.size()));
    if (!plan.keep_alive) add("Connection", "close");
    wire += "\r\n";
    wire += request.body;
    return wire;
}

std::string tunnel_to(const HostPort& peer, const Proxy& proxy) {
    std::string wire =
        fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\nUser-Agent: punie\r\n", peer.text());
    if (!proxy.authorization.empty())
        wire += fmt::format("Proxy-Authorization: {}\r\n", proxy.authorization);
    return wire + "\r\n";
}

}  // namespace

Result<Plan> plan_exchange(Request request, const ClientOptions& options) {
    auto url = parse_url(request.url);
    if (!url) return std::unexpected(std::move(url).error());
    if (url->scheme != "http" && url->scheme != "https") {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "the URL of {} begins with \"{}:\"; only http and https work",
                url->peer.host,
                url->scheme
            )
        );
    }
    if (auto checked = check(request); !checked) return std::unexpected(std::move(checked).error());
    Plan plan{.url = std::move(*url)};
    if (const auto found = proxy_for(request.url, options.environment)) {
        auto proxy = parse_proxy(*found);
        if (!proxy) return std::unexpected(std::move(proxy).error());
        plan.proxy = std::move(*proxy);
    }
    if (plan.proxy && plan.tls()) plan.tunnel = tunnel_to(plan.url.peer, *plan.proxy);
    if (request.method == "HEAD") plan.rule = BodyRule::none;
    plan.keep_alive = options.keep_alive && !plan.proxy;
    plan.wire = wire_of(request, plan);
    return plan;
}

}  // namespace punie::http
