#pragma once
// What earlier runs measured of models: memory and load times. A small JSON file.

#include <punie/error.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "fleet/gateway_config.hpp"

namespace punie::fleet {

struct Measured {
    std::uint64_t memory = 0;  ///< bytes, the most that its tree held; 0: never measured
    double load_seconds = 0;   ///< of the last load; 0: never measured
    bool operator==(const Measured&) const = default;
};

/// Backend, path and adapter: whatever name it has in a file.
std::string measured_key(const ModelSpec& model);

/// A missing or broken file is an empty memory: everything in it can be measured again.
class Remembered {
public:
    /// "" keeps nothing beyond this process.
    explicit Remembered(std::filesystem::path file = {});

    std::optional<Measured> find(const std::string& key) const;

    /// True if that differs by more than a twentieth from what was known: worth a write.
    bool set_memory(const std::string& key, std::uint64_t bytes);
    bool set_load_seconds(const std::string& key, double seconds);

    /// Where `text` belongs; "" when nothing is to be kept.
    const std::filesystem::path& file() const { return file_; }

    std::string text() const;

private:
    std::filesystem::path file_;
    std::map<std::string, Measured> models_;
};

}  // namespace punie::fleet
