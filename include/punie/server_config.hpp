#pragma once
// What is to be served, how and where: an immutable value, made by one validating function.

#include <punie/error.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace punie {

/// Kinds of model server.
enum class BackendKind {
    mlx,     ///< mlx_lm.server
    llama,   ///< llama.cpp's llama-server
    vllm,    ///< vllm serve
    openai,  ///< an endpoint that is not ours: nothing is started
};
std::string_view name_of(BackendKind kind);
/// Errors: invalid_argument naming the kinds there are.
Result<BackendKind> backend_from_name(std::string_view name);

/// Defaults of each request that does not say otherwise.
struct SamplingDefaults {
    std::optional<double> temperature{};           ///< 0 to 2
    std::optional<double> top_p{};                 ///< over 0, at most 1
    std::optional<int> top_k{};                    ///< 0 (off) or more
    std::optional<double> min_p{};                 ///< 0 to 1
    std::optional<int> max_tokens{};               ///< 1 or more
    std::optional<double> repetition_penalty{};    ///< over 0, at most 10; 1 is none
    std::optional<int> repetition_context_size{};  ///< tokens looked back at; 1 or more
};

/// The raw values before they are checked; what a command line or a file fills in.
struct ServerOptions {
    BackendKind backend = BackendKind::mlx;
    std::string model_path;  ///< folder, GGUF file or repo name; of `openai`: the model's name
    std::string host = "127.0.0.1";  ///< address to listen on; a name is allowed
    int port = 8080;                 ///< 0: a free one, chosen at the start
    std::string adapter_path{};  ///< LoRA adapter folder (mlx, vllm) or file (llama); empty: none
    std::optional<int> max_kv_size{};  ///< key-value cache limit, tokens
    SamplingDefaults sampling{};
    std::optional<int> context_size{
    };  ///< longest prompt plus answer, tokens, where the backend can limit it
    std::vector<std::string> extra_arguments{};        ///< passed on as they are, last
    std::map<std::string, std::string> environment{};  ///< for the child, beside the inherited ones
    std::string url{};                                 ///< of `openai`: base URL of the endpoint
    std::string log_file{};  ///< rotating copy of the server's output; empty: ring in memory only
};

/// Immutable; copies are cheap enough to pass by value. Made by `make_server_config` only.
class ServerConfig {
public:
    BackendKind backend() const { return options_.backend; }

    const std::string& model_path() const { return options_.model_path; }

    const std::string& host() const { return options_.host; }

    std::uint16_t port() const { return static_cast<std::uint16_t>(options_.port); }

    const std::string& adapter_path() const { return options_.adapter_path; }

    std::optional<int> max_kv_size() const { return options_.max_kv_size; }

    std::optional<double> repetition_penalty() const {
        return options_.sampling.repetition_penalty;
    }

    const SamplingDefaults& sampling() const { return options_.sampling; }

    std::optional<int> context_size() const { return options_.context_size; }

    const std::vector<std::string>& extra_arguments() const { return options_.extra_arguments; }

    const std::map<std::string, std::string>& environment() const { return options_.environment; }

    const std::string& log_file() const { return options_.log_file; }

    const ServerOptions& options() const { return options_; }

    /// "http://host:port/v1"; IPv6 addresses bracketed; a wildcard address (0.0.0.0, ::) becomes
    /// loopback, which is what a client can connect to. Of `openai`: its URL without a trailing
    /// slash.
    std::string base_url() const;

    /// The same configuration at another port (what port 0 became).
    ServerConfig with_port(std::uint16_t port) const;

private:
    friend Result<ServerConfig> make_server_config(ServerOptions options);

    explicit ServerConfig(ServerOptions options) : options_(std::move(options)) {}

    ServerOptions options_;
};

/// Checks every value; touches no file. Errors: invalid_argument "port: 70000 was given; allowed is
/// 0 to 65535 ...".
Result<ServerConfig> make_server_config(ServerOptions options);

}  // namespace punie
