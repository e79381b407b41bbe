#include <punie/server_command.hpp>

#include "backend/backend.hpp"
#include "backend/kinds.hpp"
#include "base/assert.hpp"

namespace punie {

namespace backend {

const Backend& backend_for(BackendKind kind) {
    switch (kind) {
        case BackendKind::mlx:
            return mlx_backend();
        case BackendKind::llama:
            return llama_backend();
        case BackendKind::vllm:
            return vllm_backend();
        case BackendKind::openai:
            return openai_backend();
    }
    PUNIE_ASSERT(false, "a BackendKind without a backend");
}

}  // namespace backend

Result<std::vector<std::string>> build_server_command(
    const ServerConfig& config, const ServerCapabilities& capabilities
) {
    if (capabilities.backend != config.backend() && config.backend() != BackendKind::openai) {
        return fail(
            ErrorCode::invalid_argument,
            std::string("capabilities: those of ").append(name_of(capabilities.backend)) +
                " were given; the configuration is for " + std::string(name_of(config.backend()))
        );
    }
    return backend::backend_for(config.backend()).command(config, capabilities);
}

std::map<std::string, std::string> request_defaults(const ServerConfig& config) {
    return backend::backend_for(config.backend()).request_defaults(config);
}

}  // namespace punie
