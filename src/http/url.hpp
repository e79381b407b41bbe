#pragma once
// Absolute URLs taken apart, and what their hosts mean. Pure.

#include <punie/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace punie::http {

/// A host without brackets and a port.
struct HostPort {
    std::string host;
    std::uint16_t port = 0;

    /// "host:port", IPv6 hosts bracketed.
    std::string text() const;
};

/// An absolute URL; the fragment is dropped.
struct Url {
    std::string scheme;  ///< lower case
    HostPort peer;       ///< host in lower case; the port, or the scheme's own one
    bool port_given = false;
    std::string target;         ///< path and query, at least "/"
    std::string authorization;  ///< "Basic ..." from user:password@, else empty

    /// The Host header: without the port where it is the scheme's own.
    std::string host_header() const;
};

/// Parses `scheme://[user:password@]host[:port][/path][?query]`.
/// Errors: invalid_argument; the message shows the URL without its credentials.
Result<Url> parse_url(std::string_view text);

/// localhost, *.localhost, 127.0.0.0/8, ::1 and their IPv4-mapped forms.
bool is_loopback(std::string_view host);

}  // namespace punie::http
