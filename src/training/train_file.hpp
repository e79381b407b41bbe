#pragma once
// A file of training options in mlx_lm's own form: YAML (JSON is YAML, too) with the keys of
// `mlx_lm lora --config`. Strict where mlx_lm ignores: every fault is named with its line.

#include <punie/error.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace punie::training {

/// What the file says; nothing where it does not.
struct TrainFile {
    std::optional<std::string> model{};
    std::optional<std::string> data{};
    std::optional<std::string> adapter{};  ///< mlx_lm's adapter_path
    std::optional<bool> keep_best{};       ///< Punie's keep: best or last
    std::optional<int> early_stop{};       ///< Punie's
    json::object settings{};               ///< the rest, for complete_train_settings
    std::vector<std::string> notes{};      ///< keys that are understood and mean nothing here
};

/// `name` is the file's, for messages. Errors: invalid_argument with all faults, a line each.
Result<TrainFile> parse_train_file(std::string_view text, std::string_view name);
/// Errors: also not_found, io.
Result<TrainFile> read_train_file(const std::filesystem::path& file);

}  // namespace punie::training
