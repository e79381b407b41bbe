#pragma once
// Requests, responses and the limits and options of an exchange, as values.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/awaitable.hpp"

namespace punie::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// Value of the first header of that name (case-insensitive).
std::optional<std::string> find_header(const Headers& headers, std::string_view name);

struct Request {
    std::string method = "GET";
    std::string url;  ///< absolute, http or https; IPv6 hosts bracketed
    Headers headers;
    std::string body;
};

/// Limits of one exchange; zero means none. What was awaited, for how long and how much had arrived
/// is in the timeout error's message.
struct Deadlines {
    Milliseconds connect{10'000};  ///< name look-up, TCP, proxy, TLS
    /// From the request sent to the response header; and for each part of a large request to be
    /// taken.
    Milliseconds first_byte{0};
    Milliseconds between_bytes{0};  ///< between two reads of the body
    Milliseconds total{0};          ///< from the call to the end of the body
};

struct Response {
    int status = 0;
    Headers headers;
    std::string body;
};

struct ClientOptions {
    bool verify = true;   ///< verify https certificates and host names
    std::string ca_file;  ///< further trusted certificates (PEM); SSL_CERT_FILE is honoured too
    std::map<std::string, std::string> environment;  ///< see proxy_for; empty: no proxy
    std::size_t max_body = 256ULL << 20U;            ///< of a whole (not streamed) response
    /// Connections are kept for the next request to the same server: for many small requests, and
    /// only where sending one twice does no harm. One that the server closed while it was idle,
    /// before the first byte of a response, is replaced once by a fresh one. Not through proxies.
    bool keep_alive = false;
    std::size_t max_idle = 256;  ///< kept connections; the longest idle one goes first
};

/// The proxy variables of the process's environment, for ClientOptions::environment.
std::map<std::string, std::string> proxy_environment();

/// The proxy for a URL, as "scheme://..."; nothing for a direct connection. Pure.
/// https_proxy or http_proxy by the URL's scheme, else all_proxy, each in lower then in upper case;
/// an empty one counts as unset, one without a scheme as http. no_proxy lists exceptions, separated
/// by commas or blanks: a name (itself and all below it, with or without a leading dot), an
/// address, a network (10.0.0.0/8), each but the last with ":port" if only that port is meant, or
/// "*" for all. Loopback hosts (localhost, 127.0.0.0/8, ::1) never go through a proxy.
std::optional<std::string> proxy_for(
    std::string_view url, const std::map<std::string, std::string>& environment
);

}  // namespace punie::http
