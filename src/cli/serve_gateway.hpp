#pragma once
// `punie serve FILE` and `punie serve --models-dir DIR`: the gateway in the foreground.

#include <filesystem>
#include <string>

#include "cli/terminal.hpp"

namespace punie::cli {

struct ServeGatewayOptions {
    std::string file;        ///< punie.yaml
    std::string models_dir;  ///< or a folder of models
    bool hub_cache = false;  ///< with the models already downloaded
    std::string host;        ///< over the file's first place; "" as it says
    int port = -1;           ///< over the file's first place; -1: as it says
    bool check = false;      ///< only look at the file
    bool schema = false;     ///< only print the JSON Schema
    bool json = false;
    std::string log_format = "text";
    std::string mlx_lm;
};

/// Runs until Ctrl-C, SIGTERM or `punie down`. SIGHUP, or a change of the file, reads it again.
ExitCode serve_gateway(const ServeGatewayOptions& options, Terminal& terminal);

}  // namespace punie::cli
