#pragma once
// The options by which commands name a model and how to serve it; the same words everywhere.

#include <punie/server_process.hpp>

#include <string>
#include <vector>

#include "cli/terminal.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): the library names it so
class App;
}

namespace punie::cli {

struct ModelOptions {
    ServerOptions server;
    std::string backend = "mlx";
    std::string mlx_lm;
    std::vector<std::string> environment;  ///< NAME=VALUE
    double start_timeout_s = 600;
    double stop_grace_s = 5;
};

/// Adds --model, --adapter, --backend, ..., sampling and limits to a command. `options` must
/// outlive the parse.
void add_model_options(CLI::App& command, ModelOptions& options);

/// The checked configuration. Errors: invalid_argument.
Result<ServerConfig> config_from(const ModelOptions& options);

/// What is for a server of our own is refused beside an endpoint that runs already, never dropped.
/// Errors: invalid_argument.
Result<void> check_endpoint_options(const ModelOptions& options);

ServerProcessOptions process_options_from(const ModelOptions& options);

}  // namespace punie::cli
