#pragma once
// The names that requests use: models, aliases, "base:adapter".

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "fleet/gateway_config.hpp"
#include "fleet/scheduler.hpp"

namespace punie::fleet {

/// What a name means. The spec lives as long as somebody holds it, reloads or not.
struct Named {
    std::shared_ptr<const ModelSpec> model;
    std::string served_name;          ///< "base:adapter" or the model's name
    std::filesystem::path adapter{};  ///< "" as the model's own configuration says
};

class Catalog {
public:
    Catalog() = default;
    explicit Catalog(const GatewayConfig& config);

    /// Null if nothing has that name.
    const Named* find(std::string_view name) const;

private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };

    std::unordered_map<std::string, Named, Hash, std::equal_to<>> names_;
};

/// Everything of a model that its process depends on, as text: if it differs, the process must be
/// another one.
std::string identity_of(const ModelSpec& model, const std::string& mlx_lm);

/// Bytes that the model's files suggest; nothing when they are not on this disk.
std::optional<std::uint64_t> estimated_memory(const ModelSpec& model);

/// What the scheduler must know. `remembered` is not filled in.
Plan plan_of(const ModelSpec& model, const std::string& mlx_lm);

}  // namespace punie::fleet
