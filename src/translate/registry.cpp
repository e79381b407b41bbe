#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/text.hpp"
#include "translate/protocols.hpp"

namespace punie::translate {

namespace {

struct Route {
    std::string_view path;
    const Protocol& (*protocol)();
};

constexpr std::array routes = {
    Route{"/v1/messages", anthropic},
    Route{"/v1/messages/count_tokens", anthropic_counts},
    Route{"/api/chat", ollama_chat},
    Route{"/api/generate", ollama_generate},
    Route{"/v1/responses", responses},
};

/// As OpenAI names them: https://platform.openai.com/docs/guides/error-codes
std::string_view error_type(int status) {
    switch (status) {
        case 401:
            return "authentication_error";
        case 403:
            return "permission_error";
        case 404:
            return "not_found_error";
        case 429:
            return "rate_limit_error";
        default:
            return status >= 500 ? "server_error" : "invalid_request_error";
    }
}

}  // namespace

const Protocol* protocol_for(std::string_view path) {
    const auto* found = std::ranges::find(routes, path, &Route::path);
    return found == routes.end() ? nullptr : &found->protocol();
}

std::string openai_error(int status, std::string_view message, std::string_view code) {
    json::object error{
        {"message", printable(message)},
        {"type", error_type(status)},
        {"param", nullptr},
        {"code", nullptr},
    };
    if (!code.empty()) error["code"] = printable(code);
    return to_text(json::object{{"error", std::move(error)}});
}

}  // namespace punie::translate
