#pragma once
// Finds a server that is one program (llama-server, vllm) and asks it what it can do.

#include <punie/error.hpp>
#include <punie/server_command.hpp>

#include <string>
#include <vector>

#include "base/awaitable.hpp"

namespace punie::backend {

struct ProgramQuestion {
    BackendKind kind = BackendKind::llama;
    std::string name;                       ///< in PATH
    std::string variable;                   ///< environment variable that may name it
    std::string config_key;                 ///< key of the configuration file that may
    std::string explicit_path{};            ///< from the command line; wins
    std::vector<std::string> subcommand{};  ///< words after the program that start the server
    std::vector<std::string> help_words{};
    std::vector<std::string> older_help_words{
    };  ///< tried when `help_words` tell no flags; may be empty
    std::string install_hint{};
};

/// Looks at the explicit path, the variable, the configuration file and PATH, in this order; an
/// explicit place that does not work is an error. Runs `--version` and the help once and caches the
/// answer by path and modification time. Errors: program_missing (where it was looked for),
/// unsupported (its help tells no flags).
Task<Result<ServerCapabilities>> ask_program(ProgramQuestion question);

/// The version in the output of `--version`: "version: 4321 (abc)" of llama-server, "0.33.0" of
/// vllm. Pure.
std::string version_of_output(const std::string& output);

}  // namespace punie::backend
