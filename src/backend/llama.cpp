// llama-server (https://github.com/ggml-org/llama.cpp/tree/master/tools/server).

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <utility>

#include "backend/command_words.hpp"
#include "backend/kinds.hpp"
#include "backend/model_files.hpp"
#include "backend/paths.hpp"
#include "backend/program.hpp"

namespace punie::backend {

namespace {

constexpr std::string_view server_name = "llama-server";

/// "org/name" or "org/name:quant": decided by its shape alone, since a command builder looks at no
/// file.
bool names_repository(const std::string& model) {
    return std::ranges::count(model, '/') == 1 && !model.ends_with(".gguf") &&
           model.front() != '/' && model.front() != '.' && model.front() != '~';
}

/// "GGUF" at the start of the file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
Result<void> check_gguf(std::string_view field, const std::string& path) {
    if (auto exists = require_path(field, path); !exists) return exists;
    char magic[4] = {};
    std::ifstream file(path, std::ios::binary);
    if (file.read(magic, sizeof magic) && std::string_view(magic, sizeof magic) == "GGUF")
        return {};
    return fail(
        ErrorCode::model_invalid,
        fmt::format("{}: {} is not a GGUF file, which llama-server needs", field, path),
        "an MLX or safetensors folder is served with --backend mlx; convert_hf_to_gguf.py of "
        "llama.cpp makes a GGUF"
    );
}

class Llama final : public Backend {
public:
    Task<Result<ServerCapabilities>> capabilities(Search search) const override {
        ProgramQuestion question;
        question.kind = BackendKind::llama;
        question.name = "llama-server";
        question.variable = "PUNIE_LLAMA_SERVER";
        question.config_key = "llama_server";
        question.explicit_path = std::move(search.explicit_path);
        question.help_words = {"--help"};
        question.install_hint =
            "install llama.cpp (brew install llama.cpp, or build it: "
            "https://github.com/ggml-org/llama.cpp) or name it with PUNIE_LLAMA_SERVER";
        co_return co_await ask_program(std::move(question));
    }

    Result<std::vector<std::string>> command(
        const ServerConfig& config, const ServerCapabilities& capabilities
    ) const override {
        CommandWords words(server_name, capabilities);
        if (names_repository(config.model_path())) {
            words.option(
                "model_path", {"--hf-repo"}, config.model_path(), "download the GGUF file yourself"
            );
        } else {
            words.option("model_path", {"--model"}, config.model_path());
        }
        words.option("host", {"--host"}, config.host());
        words.option("port", {"--port"}, fmt::format("{}", config.port()));
        if (!config.adapter_path().empty())
            words.option("adapter_path", {"--lora"}, config.adapter_path());
        if (auto context = add_context(config, words); !context)
            return std::unexpected(context.error());
        add_sampling(config.sampling(), words);
        // Else it names itself by the model's path in every answer, and lets any web page ask it.
        words.wish(config, "--alias", "-a", request_model(config));
        words.wish(config, "--cors-origins", "", "localhost");
        words.extra(
            config,
            {{"-m", "--model"},
             {"-hf", "--hf-repo"},
             {"-hfr", "--hf-repo"},
             {"-c", "--ctx-size"},
             {"-n", "--predict"},
             {"--n-predict", "--predict"},
             {"--temperature", "--temp"}}
        );
        return words.take();
    }

    Result<void> check_files(const ServerConfig& config, const ServerCapabilities&) const override {
        if (!names_repository(config.model_path())) {
            if (auto model = check_gguf("model_path", config.model_path()); !model) return model;
        }
        if (config.adapter_path().empty()) return {};
        return check_gguf("adapter_path", config.adapter_path());
    }

    /// Everything has a flag.
    std::map<std::string, std::string> request_defaults(const ServerConfig&) const override {
        return {};
    }

    /// llama-server serves one model and does not look at the name, but says it again.
    std::string request_model(const ServerConfig& config) const override {
        if (names_repository(config.model_path())) return config.model_path();
        return std::filesystem::path(config.model_path()).stem().native();
    }

    /// State that all clients share, other clients' prompts and streams, and the model's path.
    std::span<const std::string_view> closed_routes() const override {
        static constexpr std::array<std::string_view, 8> routes{
            "/lora-adapters",
            "/slots",
            "/props",
            "/models",
            "/v1/stream",
            "/v1/streams",
            "/tools",
            "/cors-proxy"
        };
        return routes;
    }

private:
    /// Its context is its key-value cache: both fields are the same flag.
    static Result<void> add_context(const ServerConfig& config, CommandWords& words) {
        const auto kv = config.max_kv_size();
        const auto context = config.context_size();
        if (kv && context && *kv != *context) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format(
                    "max_kv_size: {} was given, context_size: {}; both are {} --ctx-size",
                    *kv,
                    *context,
                    server_name
                ),
                "give one of them, or the same number"
            );
        }
        words.optional(kv ? "max_kv_size" : "context_size", {"--ctx-size"}, kv ? kv : context);
        return {};
    }

    static void add_sampling(const SamplingDefaults& sampling, CommandWords& words) {
        words.optional("temperature", {"--temp"}, sampling.temperature);
        words.optional("top_p", {"--top-p"}, sampling.top_p);
        words.optional("top_k", {"--top-k"}, sampling.top_k);
        words.optional("min_p", {"--min-p"}, sampling.min_p);
        words.optional("max_tokens", {"--predict", "--n-predict"}, sampling.max_tokens);
        words.optional("repetition_penalty", {"--repeat-penalty"}, sampling.repetition_penalty);
        words.optional(
            "repetition_context_size", {"--repeat-last-n"}, sampling.repetition_context_size
        );
    }
};

}  // namespace

const Backend& llama_backend() {
    static const Llama backend;
    return backend;
}

}  // namespace punie::backend
