#pragma once
#include <punie/error.hpp>

#include <optional>
#include <string>

namespace punie::backend {

/// A text value of config_folder()/config.yaml ("mlx_lm", "llama_server", "vllm"); nothing when the
/// file or the key is not there; "~/" becomes the home folder. Errors: invalid_argument (not YAML,
/// or no text: file and line), io.
Result<std::optional<std::string>> configured(const std::string& key);

}  // namespace punie::backend
