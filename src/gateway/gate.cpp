#include "gateway/gate.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/ascii.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"

namespace punie::gateway {

namespace {

bool has(const std::vector<std::string>& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

/// A key as a client sends it: OpenAI's way, or Anthropic's.
std::string_view key_in(const relay::Head& head) {
    constexpr std::string_view scheme = "bearer ";
    const auto authorization = head.header("authorization");
    if (authorization.size() > scheme.size() &&
        lower(authorization.substr(0, scheme.size())) == scheme) {
        return trim(authorization.substr(scheme.size()));
    }
    return trim(head.header("x-api-key"));
}

bool same_digest(const std::string& one, const std::string& other) {
    return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

bool is_address(std::string_view host) {
    return host.contains(':') ||
           std::ranges::all_of(host, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

Barred foreign_host(std::string_view host) {
    return {
        .status = 421,
        .code = "foreign_host",
        .message = fmt::format(
            "the Host header says \"{}\", which is no name of this endpoint: another site's page "
            "may have been pointed here; list the name under listen: hosts: if it is yours",
            printable(host)
        )
    };
}

}  // namespace

std::optional<std::pair<std::string, std::optional<std::uint16_t>>> split_host(
    std::string_view value
) {
    std::string_view name = value;
    std::string_view port;
    if (value.starts_with('[')) {
        const auto end = value.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        name = value.substr(1, end - 1);
        port = value.substr(end + 1);
        if (!port.empty() && !port.starts_with(':')) return std::nullopt;
    } else if (const auto colon = value.find(':'); colon != std::string_view::npos) {
        name = value.substr(0, colon);
        port = value.substr(colon);
    }
    if (name.empty()) return std::nullopt;
    if (port.empty()) return std::pair{lower(name), std::optional<std::uint16_t>{}};
    std::uint16_t number = 0;
    const auto* const last = port.data() + port.size();
    const auto [end, error] = std::from_chars(port.data() + 1, last, number);
    if (error != std::errc{} || end != last) return std::nullopt;
    return std::pair{lower(name), std::optional(number)};
}

bool is_loopback_name(std::string_view host) {
    const auto name = lower(host);
    return name == "localhost" || name == "::1" || name == "127.0.0.1" ||
           name.ends_with(".localhost") || (name.starts_with("127.") && is_address(name));
}

bool Pass::may_use(std::string_view served_name) const {
    if (!key || key->models.empty()) return true;
    const auto base = served_name.substr(0, served_name.find(':'));
    return std::ranges::any_of(key->models, [&](const std::string& allowed) {
        return allowed == served_name || allowed == base;
    });
}

Gate::Gate(const fleet::GatewayConfig& config, std::string control_token)
    : token_digest_(control_token.empty() ? "" : sha256_hex(control_token)) {
    apply(config);
}

void Gate::apply(const fleet::GatewayConfig& config) {
    places_ = config.listen;
    if (config.control) places_.push_back(*config.control);
    keys_.clear();
    keys_.reserve(config.keys.size());
    for (const auto& key : config.keys) {
        keys_.push_back({std::make_shared<const fleet::KeySpec>(key), sha256_hex(key.value)});
    }
    std::erase_if(rates_, [&](const auto& rate) {
        return std::ranges::none_of(config.keys, [&](const auto& key) {
            return key.name == rate.first;
        });
    });
}

/// Listeners are named "0", "1" ... in the order of the configuration.
const fleet::ListenSpec* Gate::place_of(const relay::Peer& peer) const {
    std::size_t index = 0;
    const auto* const last = peer.listener.data() + peer.listener.size();
    const auto [end, error] = std::from_chars(peer.listener.data(), last, index);
    if (error != std::errc{} || end != last || index >= places_.size()) return nullptr;
    return &places_[index];
}

std::optional<Barred> Gate::check_host(const relay::Head& head, const relay::Peer& peer) const {
    const auto value = head.header("host");
    if (value.empty()) return std::nullopt;  // HTTP/1.0; the front refuses it in 1.1
    const auto host = split_host(value);
    if (!host) return foreign_host(value);
    const auto* place = place_of(peer);
    if (place != nullptr && has(place->hosts, host->first)) return std::nullopt;
    if (is_loopback_name(host->first)) return std::nullopt;
    const bool open = place != nullptr && !is_loopback_name(place->host) && place->hosts.empty();
    // An address cannot be rebound: only a name's owner can point it elsewhere.
    if (open && !keys_.empty()) return std::nullopt;
    if (place != nullptr && !is_loopback_name(place->host) && is_address(host->first)) {
        return std::nullopt;
    }
    return foreign_host(value);
}

std::optional<Barred> Gate::check_origin(const relay::Head& head, const relay::Peer& peer) const {
    const auto origin = head.header("origin");
    if (origin.empty()) return std::nullopt;
    const auto scheme = peer.tls ? std::string_view("https://") : std::string_view("http://");
    if (origin.starts_with(scheme) && origin.substr(scheme.size()) == head.header("host")) {
        return std::nullopt;
    }
    const auto* place = place_of(peer);
    if (place != nullptr && has(place->origins, origin)) return std::nullopt;
    return Barred{
        .status = 403,
        .code = "foreign_origin",
        .message = fmt::format(
            "a page of {} may not use this endpoint; list it under listen: origins: if it may",
            printable(origin)
        )
    };
}

const Gate::Known* Gate::find_key(const std::string& digest) const {
    const Known* found = nullptr;
    for (const auto& key : keys_) {  // no early end: the time tells nothing
        if (same_digest(key.digest, digest)) found = &key;
    }
    return found;
}

std::optional<Barred> Gate::take_rate(const Known& key, SteadyTime now) {
    const auto& spec = *key.spec;
    if (!spec.requests_per_minute && !spec.tokens_per_minute) return std::nullopt;
    auto [rate, fresh] = rates_.try_emplace(spec.name);
    auto& rates = rate->second;
    if (fresh) {
        rates.requests = {spec.requests_per_minute.value_or(0), now};
        rates.tokens = {spec.tokens_per_minute.value_or(0), now};
    }
    const auto refill = [now](Bucket& bucket, double per_minute) {
        const double seconds = std::chrono::duration<double>(now - bucket.at).count();
        bucket.left = std::min(per_minute, bucket.left + (seconds * per_minute / 60));
        bucket.at = now;
    };
    const auto wait = [&](std::string_view what, double missing, double per_minute) {
        const auto seconds = std::max(1.0, std::ceil(missing * 60 / per_minute));
        return Barred{
            .status = 429,
            .code = "rate_limit_exceeded",
            .message = fmt::format(
                "key \"{}\" has used up its {} {} a minute; try again in {} s",
                spec.name,
                per_minute,
                what,
                seconds
            ),
            .retry_after = Milliseconds(static_cast<std::int64_t>(seconds * 1000))
        };
    };
    if (const auto limit = spec.tokens_per_minute) {
        refill(rates.tokens, *limit);
        if (rates.tokens.left <= 0) return wait("tokens", 1 - rates.tokens.left, *limit);
    }
    if (const auto limit = spec.requests_per_minute) {
        refill(rates.requests, *limit);
        if (rates.requests.left < 1) return wait("requests", 1 - rates.requests.left, *limit);
        rates.requests.left -= 1;
    }
    return std::nullopt;
}

void Gate::spent(const Pass& pass, std::uint64_t tokens, SteadyTime now) {
    if (!pass.key || !pass.key->tokens_per_minute) return;
    const auto rate = rates_.find(pass.key->name);
    if (rate == rates_.end()) return;
    auto& bucket = rate->second.tokens;
    const double per_minute = *pass.key->tokens_per_minute;
    const double seconds = std::chrono::duration<double>(now - bucket.at).count();
    bucket.left = std::min(per_minute, bucket.left + (seconds * per_minute / 60));
    bucket.left -= static_cast<double>(tokens);
    bucket.at = now;
}

std::expected<Pass, Barred> Gate::check(
    const relay::Head& head, const relay::Peer& peer, SteadyTime now
) {
    Pass pass;
    if (peer.unix_socket) {  // its file's mode is its key
        pass.control = true;
        pass.client = "socket";
        return pass;
    }
    if (auto barred = check_host(head, peer)) return std::unexpected(*std::move(barred));
    if (auto barred = check_origin(head, peer)) return std::unexpected(*std::move(barred));
    if (const auto origin = head.header("origin"); !origin.empty()) {
        pass.allowed_origin = std::string(origin);
    }
    const auto value = key_in(head);
    const bool compares = !value.empty() && (!token_digest_.empty() || !keys_.empty());
    const auto digest = compares ? sha256_hex(value) : std::string();
    if (!token_digest_.empty() && same_digest(token_digest_, digest)) {
        pass.control = true;
        pass.client = "dashboard";
        return pass;
    }
    if (keys_.empty()) {
        pass.client = peer.address;
        return pass;
    }
    const auto* known = value.empty() ? nullptr : find_key(digest);
    if (known == nullptr) {
        return std::unexpected(Barred{
            .status = 401,
            .code = value.empty() ? "missing_api_key" : "invalid_api_key",
            .message = value.empty()
                           ? "this endpoint wants a key: send it as \"Authorization: Bearer KEY\""
                           : "the key is none of this endpoint's"
        });
    }
    if (auto barred = take_rate(*known, now)) return std::unexpected(*std::move(barred));
    pass.key = known->spec;
    pass.control = known->spec->control;
    pass.client = known->spec->name;
    return pass;
}

std::expected<relay::Headers, Barred> Gate::preflight(
    const relay::Head& head, const relay::Peer& peer
) const {
    if (auto barred = check_host(head, peer)) return std::unexpected(*std::move(barred));
    if (auto barred = check_origin(head, peer)) return std::unexpected(*std::move(barred));
    const auto origin = head.header("origin");
    if (origin.empty()) return relay::Headers{{"Allow", "GET, HEAD, POST, OPTIONS"}};
    return relay::Headers{
        {"Access-Control-Allow-Origin", std::string(origin)},
        {"Access-Control-Allow-Methods", "GET, POST, OPTIONS"},
        {"Access-Control-Allow-Headers",
         "authorization, content-type, x-api-key, x-request-id, anthropic-version, "
         "anthropic-beta"},
        {"Access-Control-Max-Age", "600"},
        {"Vary", "Origin"},
    };
}

}  // namespace punie::gateway
