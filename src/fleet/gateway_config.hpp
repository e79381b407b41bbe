#pragma once
// punie.yaml as a value: read and checked once, then constant.

#include <punie/error.hpp>
#include <punie/server_config.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/awaitable.hpp"

namespace punie::fleet {

/// Name and location of another endpoint (of `upstream:` models).
struct UpstreamSpec {
    std::string url;          ///< "https://host/v1"
    std::string model;        ///< its name there; "": as asked
    std::string api_key_env;  ///< environment variable that holds its key; "" none
    bool operator==(const UpstreamSpec&) const = default;
};

struct AdapterSpec {
    std::string name;  ///< served as "model:name"
    std::filesystem::path path;
    bool operator==(const AdapterSpec&) const = default;
};

/// One model of the file.
struct ModelSpec {
    std::string name;
    std::vector<std::string> aliases{};
    ServerOptions server{};                  ///< backend, path, adapter, environment, arguments
    std::optional<UpstreamSpec> upstream{};  ///< not ours: nothing is started
    std::vector<AdapterSpec> adapters{};
    bool sampling_overridable = true;       ///< requests may set what `server.sampling` sets
    std::optional<std::uint64_t> memory{};  ///< bytes needed; nothing: measured on first load
    std::optional<std::uint64_t> restart_above{
    };  ///< bytes of its tree: restarted between requests
    std::optional<Milliseconds> silence{};  ///< of a server that has a request; nothing: no limit
    std::optional<Milliseconds> ttl{};      ///< unloaded after so long without a request
    bool pin = false;                       ///< never unloaded to make room
    bool preload = false;
    std::vector<std::string> fallbacks{};  ///< names tried when this one cannot be had
    int parallel = 32;                     ///< requests sent on at once; more wait here
    Milliseconds start_timeout{600'000};
    Milliseconds stop_grace{5'000};
    std::vector<std::string> stop_command{};  ///< run for a stop ("docker", "stop", "x")
    int priority = 0;                         ///< higher ones are loaded first
};

/// Models that may (together) or may not be loaded at once.
struct Group {
    std::string name;
    std::vector<std::string> models;
    bool together = true;    ///< false: at most one of them at a time
    bool exclusive = false;  ///< while one of them is loaded, no model outside is (but pinned ones)
    bool operator==(const Group&) const = default;
};

/// A key and what it may do.
struct KeySpec {
    std::string name;
    std::string value;  ///< from a file or the environment; never from this file's text
    std::vector<std::string> models{};  ///< empty: all
    std::optional<double> requests_per_minute{};
    std::optional<double> tokens_per_minute{};
    bool control = false;  ///< may use the control API
    int priority = 0;
};

struct ListenSpec {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8080;
    std::filesystem::path certificate{};  ///< PEM; with `key`: TLS
    std::filesystem::path key{};
    std::vector<std::string> hosts{};    ///< further names that a Host header may have
    std::vector<std::string> origins{};  ///< web pages that may call (CORS); empty: none
    bool operator==(const ListenSpec&) const = default;
};

struct QueueSpec {
    int requests = 1000;                 ///< waiting for one model
    std::uint64_t bytes = 64ULL << 20U;  ///< of bodies that wait, in all
    Milliseconds wait{600'000};          ///< longest wait of a request
    Milliseconds drain{30'000};          ///< a swap waits so long for running answers
    Milliseconds fairness{10'000
    };  ///< a request for another model or adapter waits no longer behind others
    Milliseconds min_loaded{1'000};  ///< a model stays at least so long
};

struct GatewayConfig {
    std::filesystem::path file{};  ///< where it was read from; "" none
    std::vector<ListenSpec> listen{ListenSpec{}};
    std::filesystem::path control_socket{};  ///< "" : the default place (see docs)
    std::optional<ListenSpec> control{};     ///< a separate authenticated port
    std::vector<KeySpec> keys{};
    std::vector<ModelSpec> models{};
    std::vector<Group> groups{};
    std::optional<std::uint64_t> memory{};  ///< budget in bytes; nothing: from what the machine has
    QueueSpec queue{};
    std::string mlx_lm{};                  ///< where mlx_lm is; "" looks
    std::filesystem::path log_folder{};    ///< rotating logs of the servers; "" none
    std::filesystem::path capture{};       ///< file for captured requests; "" off
    std::filesystem::path state_folder{};  ///< measured memory, load times; "" the cache folder

    const ModelSpec* find(std::string_view name_or_alias) const;
};

/// Reads and checks the text of a configuration; `file` is for messages and relative paths (they
/// are relative to the file's folder). All faults at once, each with line, column, what was found,
/// what is allowed; unknown keys are errors with the nearest known one. ${NAME} in a value is the
/// environment's. Errors: invalid_argument.
Result<GatewayConfig> read_gateway_config(
    std::string_view text,
    const std::filesystem::path& file,
    const std::map<std::string, std::string>& environment
);

/// As read_gateway_config of a file. Errors also: not_found, io.
Result<GatewayConfig> load_gateway_config(const std::filesystem::path& file);

/// A configuration that needs no file: every MLX and GGUF model below `folder`, by its folder's or
/// file's name; with `hub_cache` those already downloaded too. Errors: not_found (names what was
/// looked for).
Result<GatewayConfig> config_for_folder(const std::filesystem::path& folder, bool hub_cache);

/// The memory budget in bytes: as configured, else what the machine has but for a share of the
/// system's.
std::uint64_t memory_budget_of(const GatewayConfig& config);

/// The published JSON Schema (draft 7) of the file.
std::string gateway_schema();

}  // namespace punie::fleet
