#include "fleet/remembered.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>

#include "base/files.hpp"
#include "base/json.hpp"

namespace punie::fleet {

namespace {

constexpr std::size_t largest_file = 4U << 20U;

bool alike(double a, double b) {
    return std::abs(a - b) * 20 <= std::max(a, b);
}

}  // namespace

std::string measured_key(const ModelSpec& model) {
    return fmt::format(
        "{}|{}|{}",
        name_of(model.server.backend),
        model.server.model_path,
        model.server.adapter_path
    );
}

Remembered::Remembered(std::filesystem::path file) : file_(std::move(file)) {
    if (file_.empty()) return;
    const auto text = read_text(file_, largest_file);
    if (!text) return;
    const auto value = parse_json(*text);
    const auto* models = value ? member(*value, "models") : nullptr;
    if (models == nullptr || !models->is_object()) return;
    for (const auto& [key, entry] : models->as_object()) {
        const auto memory = integer_member(entry, "memory").value_or(0);
        const auto seconds = number_member(entry, "load_seconds").value_or(0);
        if (memory < 0 || !(seconds >= 0) || !std::isfinite(seconds)) continue;
        models_[std::string(key)] = {static_cast<std::uint64_t>(memory), seconds};
    }
}

std::optional<Measured> Remembered::find(const std::string& key) const {
    const auto found = models_.find(key);
    return found == models_.end() ? std::nullopt : std::optional(found->second);
}

bool Remembered::set_memory(const std::string& key, std::uint64_t bytes) {
    auto& known = models_[key].memory;
    if (alike(static_cast<double>(known), static_cast<double>(bytes))) return false;
    known = bytes;
    return true;
}

bool Remembered::set_load_seconds(const std::string& key, double seconds) {
    auto& known = models_[key].load_seconds;
    if (alike(known, seconds)) return false;
    known = seconds;
    return true;
}

std::string Remembered::text() const {
    json::object models;
    for (const auto& [key, entry] : models_)
        models[key] = json::object{{"memory", entry.memory}, {"load_seconds", entry.load_seconds}};
    return to_text(json::object{{"models", std::move(models)}}) + "\n";
}

}  // namespace punie::fleet
