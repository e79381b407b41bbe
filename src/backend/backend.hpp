#pragma once
// What differs between model servers, one file each: how it is found, what it can do, its command
// line, its model name. Knows nothing of life cycles (that is server/).

#include <punie/error.hpp>
#include <punie/server_command.hpp>
#include <punie/server_config.hpp>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/awaitable.hpp"
#include "process/child.hpp"

namespace punie::backend {

/// Where to look for a backend's program.
struct Search {
    std::string explicit_path;  ///< from the command line or ServerProcessOptions::mlx_lm; "" for
                                ///< the usual places
};

/// Stateless; one constant object a kind.
class Backend {
public:
    virtual ~Backend() = default;

    /// Finds the installed program and asks it what it can do (cached by path and modification
    /// time). Errors: program_missing (says where it was looked for and how to install it).
    /// Cancellable.
    virtual Task<Result<ServerCapabilities>> capabilities(Search search) const = 0;

    /// `punie::build_server_command` for this kind. Pure.
    virtual Result<std::vector<std::string>> command(
        const ServerConfig& config, const ServerCapabilities& capabilities
    ) const = 0;

    /// Looks at the files before a start: the model exists and is one for this backend, the adapter
    /// fits it, its architecture obeys the limits that were asked for. Errors: not_found,
    /// model_invalid, adapter_mismatch, unsupported.
    virtual Result<void> check_files(
        const ServerConfig& config, const ServerCapabilities& capabilities
    ) const = 0;

    /// `punie::request_defaults` for this kind. Pure.
    virtual std::map<std::string, std::string> request_defaults(const ServerConfig& config
    ) const = 0;

    /// The model's name in requests that always means the model of `config` ("default_model" of
    /// mlx_lm.server).
    virtual std::string request_model(const ServerConfig& config) const = 0;

    /// The same in a request that names an adapter of its own, where the server can do that.
    virtual std::string request_model_with_adapter(const ServerConfig& config) const {
        return request_model(config);
    }

    /// Members of a request's body by which this server would open any file, or fetch any model,
    /// that they name.
    virtual std::span<const std::string_view> file_members() const { return {}; }

    /// Routes of this server (with everything below them) that are no client's: they change it for
    /// all clients, or show what is not theirs.
    virtual std::span<const std::string_view> closed_routes() const { return {}; }
};

const Backend& backend_for(BackendKind kind);

/// Why a server that we started ended, in plain words: from its exit status and last log lines
/// (oldest first). Known causes get their own code and hint: port_in_use (with holder), not_found
/// or model_invalid (model), out_of_memory (also: killed by SIGKILL that we did not send),
/// program_missing (missing Python module, broken virtual environment), unsupported (unknown flag),
/// disk_full; everything else is `exited`. The log lines are always in the error. Pure but for the
/// look at who holds the port.
Error explain_exit(
    const ServerConfig& config,
    const process::ExitStatus& status,
    std::vector<std::string> log_lines
);

/// Recognises a start that has failed although the process still runs, from its log so far; nothing
/// while there is no sign of it. Cheap: meant to be asked every 250 ms while loading and when a
/// probe is answered with an error.
///
/// mlx_lm.server 0.32.2 does not exit when it cannot start (measured):
///  - its generation thread dies when the model cannot be loaded: the log says "generation thread
///  died: REASON" and a
///    traceback; in the same moment /health turns to 503 and completions to 404 {"error":
///    "generation thread died"}. All three come within 50 ms of each other; only the log tells why,
///    so it is the signal to trust, the others a reason to look at it;
///  - its main thread dies when it cannot listen (port taken, address not ours, name unknown): a
///  traceback through
///    `_run_module_as_main`, after which the process stays alive without a socket, for ever. Only
///    the log tells.
/// A traceback of one request ("Exception occurred during processing of request") is no such sign.
/// llama-server and vllm do exit: always nothing. The codes and messages are those of
/// `explain_exit`.
std::optional<Error> explain_log(
    const ServerConfig& config, const std::vector<std::string>& log_lines
);

}  // namespace punie::backend
