#include "http/proxy.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <charconv>
#include <cstdlib>

#include "base/ascii.hpp"
#include "http/message.hpp"

namespace punie::http {

namespace ip = boost::asio::ip;

namespace {

using Environment = std::map<std::string, std::string>;

constexpr std::array variables = {
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
};

/// Value of the first of these variables that is set and not empty; as curl, an empty one counts as
/// unset.
std::string first_of(const Environment& environment, std::initializer_list<const char*> names) {
    for (const auto* name : names) {
        const auto found = environment.find(name);
        if (found != environment.end() && !found->second.empty()) return found->second;
    }
    return {};
}

template <typename Network, typename Address>
bool within(const Network& network, const Address& address) {
    return Network(address, network.prefix_length()).canonical() == network.canonical();
}

/// Whether `entry` is a network as 10.0.0.0/8 or fd00::/8 with the address `host` in it.
bool network_holds(const std::string& entry, const std::string& host) {
    if (entry.find('/') == std::string::npos) return false;
    boost::system::error_code error;
    const auto address = ip::make_address(host, error);
    if (error) return false;
    if (address.is_v4()) {
        const auto network = ip::make_network_v4(entry, error);
        return !error && within(network, address.to_v4());
    }
    const auto network = ip::make_network_v6(entry, error);
    return !error && within(network, address.to_v6());
}

/// Splits "host:port", "[v6]:port", "[v6]"; no port is 0, and a bare v6 address has none.
HostPort split_entry(std::string_view entry) {
    HostPort parts;
    std::string_view port;
    if (const auto bracket = entry.find(']');
        entry.starts_with('[') && bracket != std::string_view::npos) {
        parts.host = entry.substr(1, bracket - 1);
        port = entry.substr(bracket + 1);
        if (port.starts_with(':')) port.remove_prefix(1);
    } else if (const auto colon = entry.find(':');
               colon != std::string_view::npos && entry.rfind(':') == colon) {
        parts.host = entry.substr(0, colon);
        port = entry.substr(colon + 1);
    } else {
        parts.host = entry;
    }
    std::from_chars(port.data(), port.data() + port.size(), parts.port);
    return parts;
}

std::string_view without_dots(std::string_view host) {
    while (host.starts_with('.')) host.remove_prefix(1);
    if (host.ends_with('.')) host.remove_suffix(1);
    return host;
}

/// The same host, or a name below it at a dot.
bool name_matches(std::string_view entry, std::string_view host) {
    entry = without_dots(entry);
    host = without_dots(host);
    if (entry.empty() || entry.size() > host.size()) return false;
    const auto tail = host.substr(host.size() - entry.size());
    if (!same_ignoring_case(tail, entry)) return false;
    return tail.size() == host.size() || host[host.size() - tail.size() - 1] == '.';
}

bool entry_matches(std::string_view entry, const HostPort& peer) {
    if (entry == "*" || network_holds(std::string(entry), peer.host)) return true;
    const auto parts = split_entry(entry);
    if (parts.port != 0 && parts.port != peer.port) return false;
    return name_matches(parts.host, peer.host);
}

/// Whether one of the entries (separated by commas or blanks) names the peer.
bool excepted(std::string_view no_proxy, const HostPort& peer) {
    constexpr std::string_view separators = ", \t";
    while (true) {
        const auto start = no_proxy.find_first_not_of(separators);
        if (start == std::string_view::npos) return false;
        no_proxy.remove_prefix(start);
        const auto entry = no_proxy.substr(0, no_proxy.find_first_of(separators));
        if (entry_matches(entry, peer)) return true;
        no_proxy.remove_prefix(entry.size());
    }
}

}  // namespace

std::map<std::string, std::string> proxy_environment() {
    Environment found;
    for (const auto* name : variables) {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): read only, nothing in Punie changes the environment
        if (const char* value = std::getenv(name); value != nullptr) found.emplace(name, value);
    }
    return found;
}

std::optional<std::string> proxy_for(
    std::string_view url, const std::map<std::string, std::string>& environment
) {
    const auto parsed = parse_url(url);
    if (!parsed || is_loopback(parsed->peer.host)) return std::nullopt;
    if (excepted(first_of(environment, {"no_proxy", "NO_PROXY"}), parsed->peer))
        return std::nullopt;
    auto proxy =
        parsed->scheme == "https"
            ? first_of(environment, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
            : first_of(environment, {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"});
    if (proxy.empty()) return std::nullopt;
    if (proxy.find("://") == std::string::npos) proxy.insert(0, "http://");
    return proxy;
}

Result<Proxy> parse_proxy(std::string_view text) {
    auto url = parse_url(text);
    if (!url) return std::unexpected(std::move(url).error().in("proxy"));
    if (url->scheme != "http") {
        return fail(
            ErrorCode::unsupported,
            fmt::format(
                "the proxy {} is of kind \"{}\"; only http proxies work",
                url->peer.text(),
                url->scheme
            ),
            "set http_proxy and https_proxy to an http:// proxy, or add the host to no_proxy"
        );
    }
    return Proxy{.peer = std::move(url->peer), .authorization = std::move(url->authorization)};
}

}  // namespace punie::http
