#pragma once
// The steps between the text of punie.yaml and a GatewayConfig.

#include <map>
#include <string>
#include <vector>

#include "fleet/config_fields.hpp"
#include "fleet/gateway_config.hpp"

namespace punie::fleet {

using Environment = std::map<std::string, std::string>;

/// Where things stand in the file, for faults that need more than one of them.
struct Places {
    std::map<std::string, tree::Place> models{};
    std::map<std::string, tree::Place> groups{};
    std::map<std::string, tree::Place> keys{};
    std::vector<tree::Place> listen{};
    tree::Place control{};
    tree::Place memory{};
    bool keys_given = false;  ///< perhaps wrong ones
};

/// `read_gateway_config` with a watcher of keys.
Result<GatewayConfig> read_gateway_config_watched(
    std::string_view text,
    const std::filesystem::path& file,
    const Environment& environment,
    const KeyWatcher& watcher
);

/// One entry of `models`; `name` is its key.
ModelSpec read_model(const std::string& name, const tree::Node& node, Reading& reading);

/// Entries of `keys`.
std::vector<KeySpec> read_keys(
    const tree::Node& node, const Environment& environment, Reading& reading, Places& places
);

/// What needs the whole: names that collide or are unknown, what may not be together, memory that
/// cannot suffice, addresses that are open to everybody.
void check_whole(const GatewayConfig& config, const Places& places, tree::Faults& faults);

}  // namespace punie::fleet
