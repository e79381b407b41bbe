#include <punie/chat.hpp>
#include <punie/server_command.hpp>

#include <cstdlib>

#include "backend/backend.hpp"

namespace punie {

Result<ChatModel> create_server_model(const ServerConfig& config) {
    if (config.backend() != BackendKind::openai && config.port() == 0) {
        return fail(
            ErrorCode::invalid_argument,
            "port: 0 is not known yet to a client",
            "take the configuration of the running server: ServerProcess::config()"
        );
    }
    EndpointOptions options;
    options.base_url = config.base_url();
    options.model = backend::backend_for(config.backend()).request_model(config);
    options.request_defaults = request_defaults(config);
    if (config.backend() ==
        BackendKind::openai) {  // a server of ours has no key; a secret never comes from argv
        // NOLINTNEXTLINE(concurrency-mt-unsafe): read only, nothing in Punie changes the environment
        if (const char* key = std::getenv("PUNIE_API_KEY"); key != nullptr) options.api_key = key;
    }
    return create_endpoint_model(std::move(options));
}

}  // namespace punie
