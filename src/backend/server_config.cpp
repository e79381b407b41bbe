#include <arpa/inet.h>
#include <fmt/format.h>
#include <punie/server_config.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <utility>

#include "base/text.hpp"

namespace punie {

namespace {

constexpr std::array kinds = {
    std::pair{BackendKind::mlx, std::string_view("mlx")},
    std::pair{BackendKind::llama, std::string_view("llama")},
    std::pair{BackendKind::vllm, std::string_view("vllm")},
    std::pair{BackendKind::openai, std::string_view("openai")},
};

/// An allowed range: from `low` (left out itself if `open`) to `high`, and how a person says it.
struct Range {
    double low;
    double high;
    std::string_view words;
    bool open = false;
};

constexpr double no_end = std::numeric_limits<double>::infinity();

std::unexpected<Error> refuse(
    std::string_view field, std::string_view given, std::string_view allowed
) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("{}: {} was given; allowed is {}", field, given, allowed)
    );
}

template <typename Number>
Result<void> check_range(std::string_view field, std::optional<Number> value, const Range& range) {
    if (!value) return {};
    const auto number = static_cast<double>(*value);
    const bool inside =
        number <= range.high && (range.open ? number > range.low : number >= range.low);
    if (std::isfinite(number) && inside) return {};  // NaN is never inside
    return refuse(field, fmt::format("{}", *value), range.words);
}

/// Text that goes into argv or the environment: a NUL byte would cut it short.
Result<void> check_text(std::string_view field, const std::string& text) {
    if (text.find('\0') == std::string::npos) return {};
    return refuse(field, "text with a NUL byte", "text without one");
}

std::string quoted(const std::string& text) {
    return fmt::format("'{}'", printable(text));
}

bool is_ip(const std::string& host, int family) {
    std::array<unsigned char, sizeof(in6_addr)> address{};
    return inet_pton(family, host.substr(0, host.find('%')).c_str(), address.data()) == 1;
}

bool is_host_name(const std::string& host) {
    const auto allowed = [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
    };
    const auto numeric = [](unsigned char c) { return std::isdigit(c) != 0 || c == '.'; };
    return host.size() <= 253 && std::ranges::all_of(host, allowed) && host.front() != '-' &&
           host.front() != '.' && host.find("..") == std::string::npos &&
           !std::ranges::all_of(host, numeric);  // 300.1.1.1 is a mistyped address, not a name
}

Result<void> check_host(const std::string& host) {
    constexpr std::string_view allowed =
        "an address to listen on: 127.0.0.1, 0.0.0.0, ::1 (without brackets) or a host name";
    if (host.empty()) return refuse("host", "nothing", allowed);
    const bool v4 = host.find('%') == std::string::npos && is_ip(host, AF_INET);
    if (v4 || is_ip(host, AF_INET6) || is_host_name(host)) return {};
    return refuse("host", quoted(host), allowed);
}

Result<void> check_model(const ServerOptions& options) {
    const auto& model = options.model_path;
    constexpr std::string_view allowed =
        "a model folder, a GGUF file or the name of a repository (org/name)";
    if (model.empty()) {
        if (options.backend == BackendKind::openai) return {};  // the endpoint's first model
        return refuse("model_path", "nothing", allowed);
    }
    if (auto text = check_text("model_path", model); !text) return text;
    if (trim(model).empty()) return refuse("model_path", quoted(model), allowed);
    if (model.front() == '-') {  // the server would take it for an option
        return refuse(
            "model_path",
            quoted(model),
            "a path or name that does not begin with '-' (write ./-name)"
        );
    }
    return {};
}

Result<void> check_url(const ServerOptions& options) {
    if (options.backend != BackendKind::openai) {
        if (options.url.empty()) return {};
        return refuse("url", quoted(options.url), "a URL with the backend openai only");
    }
    const std::string_view url = options.url;
    constexpr std::string_view allowed =
        "the base URL of an endpoint, such as https://host:port/v1";
    if (url.empty()) return refuse("url", "nothing", allowed);
    const auto after_scheme = url.starts_with("http://")    ? std::size_t{7}
                              : url.starts_with("https://") ? std::size_t{8}
                                                            : std::string_view::npos;
    const auto odd = [](unsigned char c) { return c <= ' ' || c == 0x7F || c == '?' || c == '#'; };
    if (after_scheme == std::string_view::npos || url.size() == after_scheme ||
        url[after_scheme] == '/' || std::ranges::any_of(url, odd)) {
        return refuse("url", quoted(options.url), allowed);
    }
    return {};
}

/// An endpoint that is not ours takes no options of a start: accepting them would be dropping them
/// silently.
Result<void> check_nothing_to_start(const ServerOptions& options) {
    if (options.backend != BackendKind::openai) return {};
    const std::array given = {
        std::pair{"adapter_path", !options.adapter_path.empty()},
        std::pair{"max_kv_size", options.max_kv_size.has_value()},
        std::pair{"context_size", options.context_size.has_value()},
        std::pair{"extra_arguments", !options.extra_arguments.empty()},
        std::pair{"environment", !options.environment.empty()},
        std::pair{"log_file", !options.log_file.empty()},
    };
    for (const auto& [field, is_given] : given) {
        if (!is_given) continue;
        return refuse(
            field, "a value", "none with the backend openai, which starts no server to apply it"
        );
    }
    return {};
}

Result<void> check_sampling(const SamplingDefaults& sampling) {
    const std::array checks = {
        check_range("temperature", sampling.temperature, {0, 2, "0 to 2"}),
        check_range("top_p", sampling.top_p, {0, 1, "over 0, at most 1", true}),
        check_range("top_k", sampling.top_k, {0, no_end, "0 (off) or more"}),
        check_range("min_p", sampling.min_p, {0, 1, "0 to 1"}),
        check_range("max_tokens", sampling.max_tokens, {1, no_end, "1 or more"}),
        check_range(
            "repetition_penalty",
            sampling.repetition_penalty,
            {0, 10, "over 0, at most 10 (1: none)", true}
        ),
        check_range(
            "repetition_context_size", sampling.repetition_context_size, {1, no_end, "1 or more"}
        ),
    };
    for (const auto& check : checks) {
        if (!check) return check;
    }
    return {};
}

Result<void> check_child_texts(const ServerOptions& options) {
    if (auto text = check_text("adapter_path", options.adapter_path); !text) return text;
    if (auto text = check_text("log_file", options.log_file); !text) return text;
    for (const auto& argument : options.extra_arguments) {
        if (auto text = check_text("extra_arguments", argument); !text) return text;
    }
    for (const auto& [name, value] : options.environment) {
        if (name.empty() || name.find('=') != std::string::npos ||
            name.find('\0') != std::string::npos) {
            return refuse("environment", quoted(name) + " as a name", "a name without '='");
        }
        if (auto text = check_text("environment: " + name, value); !text) return text;
    }
    return {};
}

/// What a client can connect to when the server listens at `host`.
std::string reachable(const std::string& host) {
    if (host == "0.0.0.0") return "127.0.0.1";
    if (host.find(':') == std::string::npos) return host;
    std::array<unsigned char, sizeof(in6_addr)> address{};
    const bool wildcard =
        inet_pton(AF_INET6, host.c_str(), address.data()) == 1 &&
        std::ranges::all_of(address, [](unsigned char byte) { return byte == 0; });
    if (wildcard) return "[::1]";
    const auto zone = host.find('%');  // RFC 6874: the zone's '%' is written %25 in a URL
    if (zone == std::string::npos) return fmt::format("[{}]", host);
    return fmt::format("[{}%25{}]", host.substr(0, zone), host.substr(zone + 1));
}

}  // namespace

std::string_view name_of(BackendKind kind) {
    return kinds.at(static_cast<std::size_t>(kind)).second;
}

Result<BackendKind> backend_from_name(std::string_view name) {
    std::vector<std::string> names;
    for (const auto& [kind, known] : kinds) {
        if (known == name) return kind;
        names.emplace_back(known);
    }
    return refuse("backend", quoted(std::string(name)), join_or(names));
}

Result<ServerConfig> make_server_config(ServerOptions options) {
    const std::array checks = {
        check_model(options),
        check_host(options.host),
        check_range("port", std::optional(options.port), {0, 65535, "0 to 65535 (0: a free one)"}),
        check_url(options),
        check_nothing_to_start(options),
        check_range("max_kv_size", options.max_kv_size, {1, no_end, "1 token or more"}),
        check_range("context_size", options.context_size, {1, no_end, "1 token or more"}),
        check_sampling(options.sampling),
        check_child_texts(options),
    };
    for (const auto& check : checks) {
        if (!check) return std::unexpected(check.error());
    }
    return ServerConfig(std::move(options));
}

std::string ServerConfig::base_url() const {
    if (backend() != BackendKind::openai)
        return fmt::format("http://{}:{}/v1", reachable(host()), port());
    std::string url = options_.url;
    while (url.ends_with('/')) url.pop_back();
    return url;
}

ServerConfig ServerConfig::with_port(std::uint16_t port) const {
    ServerConfig changed = *this;
    changed.options_.port = port;
    return changed;
}

}  // namespace punie
