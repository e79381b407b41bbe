#include "gateway/admission.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/url.hpp>

#include "relay/syntax.hpp"

namespace punie::gateway {

namespace {

/// What a key may not use is not loaded for it.
std::optional<Error> bar(const Pass& pass, std::string_view served) {
    if (pass.may_use(served)) return std::nullopt;
    return Error(
        ErrorCode::invalid_argument,
        fmt::format("key \"{}\" may not use model \"{}\"", pass.key->name, served)
    );
}

bool stays_here(std::string_view name) {
    static constexpr std::string_view names[] = {
        "authorization",
        "x-api-key",
        "cookie",
        "origin",
        "referer",
        "host",
        "accept-encoding",  // what comes back is looked at
        "content-length",
        "expect",
        "proxy-authorization",
        "x-conversation-id",  // llama-server keeps such a stream alive for whoever asks for it
    };
    return std::ranges::any_of(names, [&](auto other) { return relay::same_name(name, other); });
}

}  // namespace

fleet::Ask ask_of(const Visit& visit, std::string model, std::uint64_t body_bytes) {
    const auto& pass = visit.pass();
    constexpr std::string_view latest = ":latest";  // Ollama's clients put it behind every name
    if (model.ends_with(latest) && visit.services().fleet.config().find(model) == nullptr) {
        model.resize(model.size() - latest.size());
    }
    fleet::Ask ask{
        .model = std::move(model),
        .client = pass.client,
        .priority = pass.key ? pass.key->priority : 0,
        .body_bytes = body_bytes,
    };
    if (pass.key) ask.bar = [&pass](std::string_view served) { return bar(pass, served); };
    return ask;
}

relay::Origin origin_of(Services& services, const fleet::Lease& lease) {
    const auto& url = lease.base_url();
    if (const auto found = services.origins.find(url); found != services.origins.end()) {
        return found->second;
    }
    relay::Origin origin;
    if (const auto parsed = boost::urls::parse_uri(url)) {
        origin.host = parsed->host_address();
        origin.tls = parsed->scheme() == "https";
        origin.port = parsed->port_number();
        if (origin.port == 0) origin.port = origin.tls ? 443 : 80;
        std::string path(parsed->encoded_path());
        while (path.ends_with('/')) path.pop_back();
        if (path.ends_with("/v1")) path.resize(path.size() - 3);
        origin.prefix = path;
    }
    constexpr std::size_t most = 1000;  // servers get new ports at every start
    if (services.origins.size() >= most) services.origins.clear();
    services.origins[url] = origin;
    return origin;
}

std::string_view target_for(const fleet::Lease& lease, std::string_view target) {
    std::string_view url = lease.base_url();
    while (url.ends_with('/')) url.remove_suffix(1);
    const bool versioned = url.ends_with("/v1");
    return !versioned && target.starts_with("/v1/") ? target.substr(3) : target;
}

relay::HeaderViews headers_for(const relay::Headers& from_client, std::string_view authorization) {
    relay::HeaderViews headers;
    headers.reserve(from_client.size() + 1);
    for (const auto& [name, value] : from_client) {
        if (!stays_here(name)) headers.emplace_back(name, value);
    }
    if (!authorization.empty()) headers.emplace_back("Authorization", authorization);
    return headers;
}

}  // namespace punie::gateway
