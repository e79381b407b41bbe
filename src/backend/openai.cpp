// An endpoint that is not ours: nothing is found, started or checked.

#include "backend/kinds.hpp"
#include "backend/sampling_fields.hpp"

namespace punie::backend {

namespace {

class OpenAi final : public Backend {
public:
    Task<Result<ServerCapabilities>> capabilities(Search) const override {
        ServerCapabilities can;
        can.backend = BackendKind::openai;
        co_return can;
    }

    Result<std::vector<std::string>> command(const ServerConfig&, const ServerCapabilities&)
        const override {
        return fail(
            ErrorCode::invalid_argument,
            "backend: openai is an endpoint that is not ours, nothing is started",
            "use the endpoint directly, or choose mlx, llama or vllm to start a server"
        );
    }

    Result<void> check_files(const ServerConfig&, const ServerCapabilities&) const override {
        return {};
    }

    /// All sampling defaults travel in the requests; what the endpoint does not know it refuses
    /// itself.
    std::map<std::string, std::string> request_defaults(const ServerConfig& config) const override {
        return sampling_fields(config.sampling());
    }

    std::string request_model(const ServerConfig& config) const override {
        return config.model_path();
    }
};

}  // namespace

const Backend& openai_backend() {
    static const OpenAi backend;
    return backend;
}

}  // namespace punie::backend
