#pragma once
// Where an interpreter with mlx_lm may be: places named by a person, and places looked at by
// custom.

#include <punie/error.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace punie::backend {

struct MlxPlace {
    std::filesystem::path python;  ///< the interpreter
    std::string found_by;          ///< as in MlxInstallation
};

/// The interpreter that a place means: a virtual environment, its bin folder, a python, or a script
/// of mlx_lm (its first line names its interpreter). Errors: program_missing, saying what the place
/// is instead (a broken link, no python ...).
Result<std::filesystem::path> interpreter_of(const std::filesystem::path& place);

/// The place that was named: `explicit_path`, the configuration file, $PUNIE_MLX_LM; nothing if
/// none was. Errors: of the configuration file; program_missing of `interpreter_of`, naming who
/// named it.
Result<std::optional<MlxPlace>> named_mlx_place(const std::string& explicit_path);

/// The places by custom, best first: .venv of the working folder and its parents (up to the root of
/// a repository), $VIRTUAL_ENV, the interpreter of PATH's mlx_lm.server, PATH's python3.
/// `passed_over` gets why some will not do.
std::vector<MlxPlace> customary_mlx_places(std::vector<std::string>& passed_over);

}  // namespace punie::backend
