// mlx_lm.server (https://github.com/ml-explore/mlx-lm), checked against 0.32.2.

#include <fmt/format.h>

#include <array>

#include "backend/command_words.hpp"
#include "backend/kinds.hpp"
#include "backend/mlx_installation.hpp"
#include "backend/model_files.hpp"
#include "base/json.hpp"

namespace punie::backend {

namespace {

constexpr std::string_view server_name = "mlx_lm.server";

// RotatingKVCache keeps the first 4 tokens (attention sinks) and needs room for more than them.
constexpr int smallest_kv_size = 8;

constexpr std::string_view kv_alternatives =
    "leave max_kv_size out and bound the memory otherwise: fewer tokens an answer (max_tokens), a "
    "quantised cache "
    "(extra argument --kv-bits 8), a smaller prompt cache (--prompt-cache-bytes), or a qwen2, "
    "qwen3, mistral3 or phi3 model";

Error no_effect(const std::string& model_type) {
    return Error(
               ErrorCode::unsupported,
               fmt::format(
                   "max_kv_size: the architecture '{}' makes its own key-value cache in mlx_lm, so "
                   "a limit would have "
                   "no effect",
                   model_type
               )
    )
        .with_hint(std::string(kv_alternatives));
}

class Mlx final : public Backend {
public:
    Task<Result<ServerCapabilities>> capabilities(Search search) const override {
        auto found = co_await find_mlx(std::move(search.explicit_path));
        if (!found) co_return std::unexpected(std::move(found).error());
        auto launcher = python_asset("server_launcher.py");
        if (!launcher) co_return std::unexpected(std::move(launcher).error());
        ServerCapabilities can;
        can.backend = BackendKind::mlx;
        can.python = {found->python.native()};
        can.program = can.python;
        can.program.insert(
            can.program.end(), found->server_words.begin(), found->server_words.end()
        );
        can.version = found->mlx_lm_version;
        can.flags = found->server_flags;
        can.kv_launcher = launcher->native();
        can.model_types = found->model_types;
        can.own_cache_types = found->own_cache_types;
        co_return can;
    }

    Result<std::vector<std::string>> command(
        const ServerConfig& config, const ServerCapabilities& capabilities
    ) const override {
        auto started = capabilities;
        if (config.max_kv_size()) {
            if (auto launched = use_launcher(started, *config.max_kv_size()); !launched) {
                return std::unexpected(launched.error());
            }
        }
        CommandWords words(server_name, started);
        words.option("model_path", {"--model"}, config.model_path());
        words.option("host", {"--host"}, config.host());
        words.option("port", {"--port"}, fmt::format("{}", config.port()));
        if (!config.adapter_path().empty()) {
            words.option(
                "adapter_path",
                {"--adapter-path"},
                config.adapter_path(),
                "fuse the adapter: mlx_lm.fuse"
            );
        }
        if (config.context_size()) {
            words.refuse(
                "context_size",
                "use max_kv_size to bound the key-value cache, and max_tokens to bound the answers"
            );
        }
        const auto& sampling = config.sampling();
        words.optional("temperature", {"--temp"}, sampling.temperature, "set it in each request");
        words.optional("top_p", {"--top-p"}, sampling.top_p, "set it in each request");
        words.optional("top_k", {"--top-k"}, sampling.top_k, "set it in each request");
        words.optional("min_p", {"--min-p"}, sampling.min_p, "set it in each request");
        words.optional(
            "max_tokens", {"--max-tokens"}, sampling.max_tokens, "set it in each request"
        );
        words.extra(config);
        return words.take();
    }

    Result<void> check_files(const ServerConfig& config, const ServerCapabilities& capabilities)
        const override {
        if (is_hub_name(config.model_path()) && !cached_snapshot(config.model_path())) {
            return {
            };  // mlx_lm downloads it; the launcher and explain_log tell what cannot be told before
        }
        const auto model = read_model(config.model_path());
        if (!model) return std::unexpected(model.error());
        const auto& known = capabilities.model_types;
        if (!known.empty() && !known.contains(model->model_type) && !model->custom_code) {
            return fail(
                ErrorCode::model_invalid,
                fmt::format(
                    "{}: mlx_lm {} cannot load models of type '{}'",
                    config.model_path(),
                    capabilities.version,
                    model->model_type
                ),
                "a newer mlx-lm may know it (pip install -U mlx-lm)"
            );
        }
        if (config.max_kv_size() && capabilities.own_cache_types.contains(model->model_type)) {
            return std::unexpected(no_effect(model->model_type));
        }
        if (config.adapter_path().empty()) return {};
        return check_adapter(*model, config.adapter_path());
    }

    std::map<std::string, std::string> request_defaults(const ServerConfig& config) const override {
        std::map<std::string, std::string> fields;
        const auto& sampling = config.sampling();
        if (sampling.repetition_penalty) {
            fields["repetition_penalty"] = json_number(*sampling.repetition_penalty);
        }
        if (sampling.repetition_context_size) {
            fields["repetition_context_size"] = json_number(*sampling.repetition_context_size);
        }
        return fields;
    }

    std::string request_model(const ServerConfig&) const override { return "default_model"; }

    /// With "default_model" the server takes the command line's adapter whatever the request says
    /// (ModelProvider.load of 0.32.2); with the text that --model got, the request's.
    std::string request_model_with_adapter(const ServerConfig& config) const override {
        return config.model_path();
    }

    std::span<const std::string_view> file_members() const override {
        static constexpr std::array<std::string_view, 2> members{"adapters", "draft_model"};
        return members;
    }

private:
    /// mlx_lm.server has no flag for it: our launcher sets the limit and then becomes the server.
    static Result<void> use_launcher(ServerCapabilities& started, int max_kv_size) {
        if (max_kv_size < smallest_kv_size) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format(
                    "max_kv_size: {} was given; allowed with mlx is {} tokens or more",
                    max_kv_size,
                    smallest_kv_size
                )
            );
        }
        if (started.kv_launcher.empty() || started.python.empty()) {
            return fail(
                ErrorCode::unsupported,
                fmt::format(
                    "max_kv_size: {} {} has no option for it", server_name, started.version
                ),
                std::string(kv_alternatives)
            );
        }
        started.program = started.python;
        started.program.insert(
            started.program.end(),
            {started.kv_launcher, "--punie-max-kv-size", fmt::format("{}", max_kv_size)}
        );
        return {};
    }
};

}  // namespace

const Backend& mlx_backend() {
    static const Mlx backend;
    return backend;
}

}  // namespace punie::backend
