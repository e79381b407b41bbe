#include "openai/endpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "base/text.hpp"
#include "openai/request.hpp"

namespace punie::openai {

namespace {

std::unexpected<Error> bad_url(const std::string& url, const std::string& what) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("base_url: `{}` was given, {}", printable(url), what),
        "it looks like http://127.0.0.1:8080/v1"
    );
}

Result<void> check_url(const std::string& text) {
    const auto url = boost::urls::parse_uri(text);
    if (!url) return bad_url(text, "which is not a URL");
    if (url->scheme() != "http" && url->scheme() != "https")
        return bad_url(text, "which is neither http nor https");
    if (url->host().empty()) return bad_url(text, "which names no host");
    if (url->has_userinfo()) {
        // The text is not repeated: it holds a password.
        return fail(
            ErrorCode::invalid_argument,
            "base_url: it carries credentials, which end up in logs",
            "use the API key"
        );
    }
    if (url->has_query() || url->has_fragment())
        return bad_url(text, "which has a query or a fragment");
    if (url->has_port() && url->port_number() == 0)
        return bad_url(text, "whose port is not 1 to 65535");
    return {};
}

}  // namespace

Result<EndpointOptions> checked_endpoint(EndpointOptions options) {
    while (options.base_url.ends_with('/')) options.base_url.pop_back();
    if (auto url = check_url(options.base_url); !url)
        return std::unexpected(std::move(url).error());
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x21 || c == 0x7f; };
    if (std::ranges::any_of(options.api_key, control)) {
        return fail(
            ErrorCode::invalid_argument,
            "api_key: it holds spaces or control characters, which no key does",
            "look for a line break at the end of the file or variable that it comes from"
        );
    }
    if (options.max_attempts < 1) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("max_attempts: {} was given; at least 1 is needed", options.max_attempts)
        );
    }
    if (auto fields = check_json_fields(options.request_defaults, "request_defaults"); !fields) {
        return std::unexpected(std::move(fields).error());
    }
    return options;
}

}  // namespace punie::openai
