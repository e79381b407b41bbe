#include "cli/model_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>

namespace punie::cli {

namespace {

void add_sampling(CLI::App& command, SamplingDefaults& sampling) {
    const std::string group = "Sampling (defaults of requests that do not say otherwise)";
    command
        .add_option(
            "--temp", sampling.temperature, "Temperature, 0 to 2 (0: always the likeliest token)"
        )
        ->group(group);
    command.add_option("--top-p", sampling.top_p, "Nucleus sampling, over 0 to 1")->group(group);
    command.add_option("--top-k", sampling.top_k, "Only the K likeliest tokens, 0 for all")
        ->group(group);
    command
        .add_option(
            "--min-p", sampling.min_p, "Least probability relative to the likeliest token, 0 to 1"
        )
        ->group(group);
    command.add_option("--max-tokens", sampling.max_tokens, "Longest answer in tokens")
        ->group(group);
    command
        .add_option(
            "--repetition-penalty", sampling.repetition_penalty, "Over 1 discourages repetition"
        )
        ->group(group);
    command
        .add_option(
            "--repetition-context-size",
            sampling.repetition_context_size,
            "Tokens that the penalty looks back at"
        )
        ->group(group);
}

std::chrono::milliseconds milliseconds(double seconds) {
    return std::chrono::milliseconds(std::llround(seconds * 1000));
}

}  // namespace

void add_model_options(CLI::App& command, ModelOptions& options) {
    auto& server = options.server;
    command.add_option("--model", server.model_path, "Model folder, GGUF file or hub name");
    command.add_option("--adapter", server.adapter_path, "LoRA adapter to serve with it");
    command.add_option("--backend", options.backend, "mlx, llama or vllm")->capture_default_str();
    command.add_option("--host", server.host, "Address to listen on")->capture_default_str();
    command.add_option("--port", server.port, "Port to listen on, 0 for a free one")
        ->capture_default_str();
    command.add_option("--max-kv-size", server.max_kv_size, "Key-value cache limit in tokens");
    command.add_option(
        "--context-size", server.context_size, "Longest prompt and answer in tokens (llama, vllm)"
    );
    add_sampling(command, server.sampling);
    const std::string group = "Running";
    command
        .add_option(
            "--mlx-lm",
            options.mlx_lm,
            "Where mlx_lm is: a virtual environment, its bin folder or its python"
        )
        ->group(group);
    command
        .add_option(
            "--env", options.environment, "NAME=VALUE for the server's environment (repeatable)"
        )
        ->group(group);
    command
        .add_option(
            "--log-file",
            server.log_file,
            "Keep the server's output in this file (rotated at 10 MB)"
        )
        ->group(group);
    command
        .add_option("--start-timeout", options.start_timeout_s, "Seconds until it must be ready")
        ->check(CLI::Range(0.001, 1e6))
        ->capture_default_str()
        ->group(group);
    command.add_option("--stop-grace", options.stop_grace_s, "Seconds between SIGTERM and SIGKILL")
        ->check(CLI::Range(0.0, 1e6))
        ->capture_default_str()
        ->group(group);
}

Result<void> check_endpoint_options(const ModelOptions& options) {
    const auto& server = options.server;
    const std::pair<std::string_view, bool> given[] = {
        {"--adapter", !server.adapter_path.empty()},
        {"--max-kv-size", server.max_kv_size.has_value()},
        {"--context-size", server.context_size.has_value()},
        {"--log-file", !server.log_file.empty()},
        {"--env", !options.environment.empty()},
        {"--mlx-lm", !options.mlx_lm.empty()},
    };
    for (const auto& [name, used] : given) {
        if (!used) continue;
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "{} is for a server that punie starts, and --url names one that runs already", name
            ),
            "leave one of the two out; that server has to be started with it by whoever starts it"
        );
    }
    return {};
}

Result<ServerConfig> config_from(const ModelOptions& options) {
    auto kind = backend_from_name(options.backend);
    if (!kind) return std::unexpected(std::move(kind).error().in("--backend"));
    auto server = options.server;
    server.backend = *kind;
    if (server.model_path.empty() && *kind != BackendKind::openai) {
        return fail(
            ErrorCode::invalid_argument,
            "--model is missing: which model is to be served?",
            "give a folder such as --model models/tiny"
        );
    }
    for (const auto& pair : options.environment) {
        const auto equals = pair.find('=');
        if (equals == std::string::npos || equals == 0) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("--env: '{}' was given; expected NAME=VALUE", pair)
            );
        }
        server.environment[pair.substr(0, equals)] = pair.substr(equals + 1);
    }
    return make_server_config(std::move(server));
}

ServerProcessOptions process_options_from(const ModelOptions& options) {
    ServerProcessOptions process;
    process.mlx_lm = options.mlx_lm;
    process.limits.start = milliseconds(options.start_timeout_s);
    process.limits.stop_grace = milliseconds(options.stop_grace_s);
    return process;
}

}  // namespace punie::cli
