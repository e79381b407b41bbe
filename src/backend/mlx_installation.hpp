#pragma once
// Where mlx_lm is and what it can do. Shared by serving, training and `punie doctor`.

#include <punie/error.hpp>

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/awaitable.hpp"

namespace punie::backend {

struct MlxInstallation {
    std::filesystem::path python;  ///< the interpreter that can import mlx_lm
    std::string found_by;  ///< "--mlx-lm", "configuration", "PUNIE_MLX_LM", "virtual environment
                           ///< ...", "PATH"
    std::string mlx_lm_version;
    std::string mlx_version;
    std::string python_version;
    std::set<std::string> server_flags;     ///< of `mlx_lm.server --help`
    std::set<std::string> lora_flags;       ///< of `mlx_lm.lora --help`
    bool training_callbacks = false;        ///< mlx_lm.tuner.callbacks.SUPPORT_CALLBACK exists
    std::set<std::string> model_types;      ///< every model_type that mlx_lm can load
    std::set<std::string> own_cache_types;  ///< those whose architecture makes its own key-value
                                            ///< cache (ignores max_kv_size)
    std::vector<std::string> server_words;  ///< after the interpreter: {"-m", "mlx_lm", "server"},
                                            ///< as this version wants it
    bool metal = false;                     ///< mlx runs on a GPU here
    std::uint64_t recommended_working_set = 0;  ///< bytes, macOS; 0 elsewhere
};

/// Looks in this order: `explicit_path` (a virtual environment, its bin folder, its python or an
/// mlx_lm script), the configuration file's `mlx_lm`, $PUNIE_MLX_LM, .venv of the working folder
/// and its parents (up to a repository's root) and $VIRTUAL_ENV, PATH (mlx_lm.server's interpreter,
/// then python3). An explicit place that does not work is an error, never passed over. The answer
/// is cached by the interpreter's path and the modification times of it and of mlx_lm. Errors:
/// program_missing with every place looked at and why it did not do.
Task<Result<MlxInstallation>> find_mlx(std::string explicit_path);

/// The same for callers without an event loop.
Result<MlxInstallation> find_mlx_blocking(const std::string& explicit_path);

/// A file of `python/` (embedded in the library), written once to the cache folder under its
/// content's hash. Errors: io, disk_full.
Result<std::filesystem::path> python_asset(std::string_view name);

}  // namespace punie::backend
