#include "http/url.hpp"
#include "base/ascii.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/url.hpp>
#include <cctype>
#include <charconv>

namespace punie::http {

namespace urls = boost::urls;

namespace {

std::uint16_t default_port(std::string_view scheme) {
    if (scheme == "http") return 80;
    return scheme == "https" ? 443 : 0;
}

/// 0 when it is out of range; Boost's own port_number wraps around.
std::uint16_t port_of(std::string_view digits) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    return error == std::errc() && end == digits.data() + digits.size() ? port : std::uint16_t{0};
}

/// The URL for a message: what stands before an '@' may be a password.
std::string without_credentials(std::string_view text) {
    const auto slashes = text.find("://");
    const auto start = slashes == std::string_view::npos ? 0 : slashes + 3;
    const auto at = text.substr(start, text.find_first_of("/?#", start) - start).rfind('@');
    if (at == std::string_view::npos) return std::string(text);
    return fmt::format("{}***@{}", text.substr(0, start), text.substr(start + at + 1));
}

std::string basic_credentials(const std::string& user_and_password) {
    std::string encoded(4 * ((user_and_password.size() + 2) / 3) + 1, '\0');
    const auto* bytes = reinterpret_cast<const unsigned char*>(user_and_password.data());
    auto* into = reinterpret_cast<unsigned char*>(encoded.data());
    const int length = EVP_EncodeBlock(into, bytes, static_cast<int>(user_and_password.size()));
    encoded.resize(static_cast<std::size_t>(length));
    return "Basic " + encoded;
}

std::unexpected<Error> bad_url(std::string_view text, std::string_view why) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("the URL \"{}\" is not usable: {}", without_credentials(text), why),
        "write it as http://host:port/path or https://host/path"
    );
}

}  // namespace

std::string HostPort::text() const {
    return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                               : fmt::format("[{}]:{}", host, port);
}

std::string Url::host_header() const {
    if (peer.port != default_port(scheme)) return peer.text();
    return peer.host.find(':') == std::string::npos ? peer.host : fmt::format("[{}]", peer.host);
}

Result<Url> parse_url(std::string_view text) {
    const auto parsed = urls::parse_uri(urls::string_view(text.data(), text.size()));
    if (parsed.has_error()) return bad_url(text, parsed.error().message());
    if (!parsed->has_authority() || parsed->host_address().empty())
        return bad_url(text, "it names no host");
    Url url;
    url.scheme = lower(std::string_view(parsed->scheme()));
    url.peer.host = lower(parsed->host_address());
    url.port_given = parsed->has_port() && !parsed->port().empty();
    url.peer.port =
        url.port_given ? port_of(std::string_view(parsed->port())) : default_port(url.scheme);
    if (url.port_given && url.peer.port == 0) return bad_url(text, "the port must be 1 to 65535");
    url.target = std::string(std::string_view(parsed->encoded_target()));
    if (url.target.empty() || url.target.starts_with('?')) url.target.insert(0, "/");
    if (!url.target.starts_with('/')) return bad_url(text, "the port must be 1 to 65535");
    if (parsed->has_userinfo()) {
        url.authorization = basic_credentials(parsed->user() + ":" + parsed->password());
    }
    return url;
}

bool is_loopback(std::string_view host) {
    if (host.ends_with('.')) host.remove_suffix(1);
    const auto name = lower(host);
    if (name == "localhost" || name.ends_with(".localhost")) return true;
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(name, error);
    if (error) return false;
    if (address.is_loopback()) return true;
    if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return false;
    const auto v4 = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
    return v4.is_loopback();
}

}  // namespace punie::http
