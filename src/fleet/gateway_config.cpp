#include "fleet/gateway_config.hpp"

#include <algorithm>

namespace punie::fleet {

const ModelSpec* GatewayConfig::find(std::string_view name_or_alias) const {
    const auto found = std::ranges::find_if(models, [&](const ModelSpec& model) {
        return model.name == name_or_alias ||
               std::ranges::find(model.aliases, name_or_alias) != model.aliases.end();
    });
    return found == models.end() ? nullptr : &*found;
}

}  // namespace punie::fleet
