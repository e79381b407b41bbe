// `vllm serve` (https://docs.vllm.ai). Its flags are known from its sources only; no run against
// the real program.

#include <fmt/format.h>

#include <array>
#include <utility>

#include "backend/command_words.hpp"
#include "backend/kinds.hpp"
#include "backend/model_files.hpp"
#include "backend/paths.hpp"
#include "backend/program.hpp"
#include "backend/sampling_fields.hpp"

namespace punie::backend {

namespace {

constexpr const char* adapter_name = "adapter";  // what requests call model plus adapter

class Vllm final : public Backend {
public:
    Task<Result<ServerCapabilities>> capabilities(Search search) const override {
        ProgramQuestion question;
        question.kind = BackendKind::vllm;
        question.name = "vllm";
        question.variable = "PUNIE_VLLM";
        question.config_key = "vllm";
        question.explicit_path = std::move(search.explicit_path);
        question.subcommand = {"serve"};
        question.help_words = {
            "serve", "--help=all"
        };  // a bare --help lists the groups only, since 0.9
        question.older_help_words = {"serve", "--help"};
        question.install_hint =
            "install it (pip install vllm; Linux with a GPU) or name it with PUNIE_VLLM";
        co_return co_await ask_program(std::move(question));
    }

    Result<std::vector<std::string>> command(
        const ServerConfig& config, const ServerCapabilities& capabilities
    ) const override {
        CommandWords words("vllm", capabilities);
        words.word(config.model_path());
        words.option("host", {"--host"}, config.host());
        words.option("port", {"--port"}, fmt::format("{}", config.port()));
        if (!config.adapter_path().empty()) {
            words.flag("adapter_path", "--enable-lora");
            words.option(
                "adapter_path",
                {"--lora-modules"},
                fmt::format("{}={}", adapter_name, config.adapter_path())
            );
        }
        words.optional("context_size", {"--max-model-len"}, config.context_size());
        if (config.max_kv_size()) {
            words.refuse(
                "max_kv_size",
                "use context_size (--max-model-len) for the tokens of one sequence, or the extra "
                "argument "
                "--kv-cache-memory-bytes for the whole cache"
            );
        }
        if (config.sampling().repetition_context_size) {
            words.refuse(
                "repetition_context_size",
                "leave it out: vLLM's repetition_penalty looks at the whole text"
            );
        }
        words.extra(config);
        return words.take();
    }

    Result<void> check_files(const ServerConfig& config, const ServerCapabilities&) const override {
        if (!is_hub_name(config.model_path())) {
            if (auto model = require_path("model_path", config.model_path()); !model) return model;
        }
        if (config.adapter_path().empty()) return {};
        return require_path("adapter_path", config.adapter_path() + "/adapter_config.json");
    }

    std::map<std::string, std::string> request_defaults(const ServerConfig& config) const override {
        return sampling_fields(config.sampling());
    }

    /// With VLLM_ALLOW_RUNTIME_LORA_UPDATING or its developer's mode these change it for everybody.
    std::span<const std::string_view> closed_routes() const override {
        static constexpr std::array<std::string_view, 7> routes{
            "/v1/load_lora_adapter",
            "/v1/unload_lora_adapter",
            "/reset_prefix_cache",
            "/reset_mm_cache",
            "/sleep",
            "/wake_up",
            "/collective_rpc"
        };
        return routes;
    }

    std::string request_model(const ServerConfig& config) const override {
        return config.adapter_path().empty() ? config.model_path() : adapter_name;
    }
};

}  // namespace

const Backend& vllm_backend() {
    static const Vllm backend;
    return backend;
}

}  // namespace punie::backend
