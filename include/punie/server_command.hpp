#pragma once
// From a configuration to an argument vector: pure.

#include <punie/error.hpp>
#include <punie/server_config.hpp>

#include <set>
#include <string>
#include <vector>

namespace punie {

/// What an installed model server can do, as it said itself (`--help`, version). Asked once, cached
/// by path and time.
struct ServerCapabilities {
    BackendKind backend = BackendKind::mlx;
    std::vector<std::string>
        program;  ///< the words that start it: {"/venv/bin/python", "-m", "mlx_lm", "server"}
    std::string version;          ///< as it reports it; "" if it does not
    std::set<std::string> flags;  ///< long flags it knows, e.g. "--adapter-path"
    std::string
        kv_launcher;  ///< mlx: path of the launcher that gives it a key-value limit; "" if none
    std::vector<std::string> python;    ///< mlx: the interpreter, {"/venv/bin/python"}
    std::set<std::string> model_types;  ///< mlx: every model_type it can load; empty: not known
    std::set<std::string>
        own_cache_types;  ///< mlx: those that make their own key-value cache and so ignore a limit
};

/// The argument vector that starts the server of `config`. Pure: no file, clock or environment is
/// looked at. Errors: unsupported, naming the option, the version and the alternative, for anything
/// that the installed server cannot do (nothing is silently dropped); invalid_argument for backend
/// `openai` (nothing is started).
Result<std::vector<std::string>> build_server_command(
    const ServerConfig& config, const ServerCapabilities& capabilities
);

/// Fields (JSON text) that every request to this server should carry unless it says otherwise: what
/// has no flag, such as repetition_penalty of mlx_lm.server. Pure.
std::map<std::string, std::string> request_defaults(const ServerConfig& config);

}  // namespace punie
