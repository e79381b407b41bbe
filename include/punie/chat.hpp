#pragma once
// A chat with a model behind an OpenAI-compatible endpoint: `create_server_model(config)` for a
// server of ours, `create_endpoint_model(options)` for any other. Blocking calls; JSON values
// travel as text, so that no JSON library shows in this header.
//
//   auto model = punie::create_server_model(server.config());
//   punie::ChatRequest request;
//   request.messages = {{.role = "user", .content = "What is the capital of France?"}};
//   auto reply = model->complete(request);
//   if (!reply) std::cerr << reply.error().describe();

#include <punie/error.hpp>
#include <punie/server_config.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace punie {

/// A function call that the model asks for. `arguments` is JSON text as the server gave it (perhaps
/// not valid JSON).
struct ToolCall {
    std::string id;
    std::string name;
    std::string arguments;
};

struct ChatMessage {
    std::string role;  ///< system, user, assistant or tool
    std::string content;
    std::vector<ToolCall> tool_calls{};  ///< of an assistant message
    std::string tool_call_id{};          ///< of a tool message: which call it answers
};

/// A function that the model may call; `parameters` is its JSON Schema as text ("{}" for none).
struct ToolDefinition {
    std::string name;
    std::string description;
    std::string parameters = "{}";
};

struct ChatRequest {
    std::vector<ChatMessage> messages;
    std::vector<ToolDefinition> tools{};
    std::optional<std::string> model{};  ///< empty: the backend's own name for what it serves
    std::optional<int> max_tokens{};
    std::optional<double> temperature{};  ///< 0: greedy
    std::optional<double> top_p{};
    std::optional<std::uint64_t> seed{};
    std::optional<int> logprobs{};  ///< number of alternatives a token
    std::vector<std::string> stop{};
    std::map<std::string, std::string> extra{
    };  ///< further fields of the body; the values are JSON text
};

struct ChatUsage {
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
};

struct ChatReply {
    std::string content;
    std::string reasoning;  ///< `reasoning` or `reasoning_content`, where the server separates it
    std::vector<ToolCall> tool_calls;
    std::string finish_reason;     ///< as the server said; "" when it said none
    bool lost_tool_calls = false;  ///< finish_reason tool_calls without any call: the server
                                   ///< dropped what it could not parse
    std::optional<ChatUsage> usage;
    std::string logprobs;  ///< JSON text of the choice's `logprobs`, "" if none
    std::string model;     ///< as the server named it
    std::string raw;       ///< the whole response body (complete) or the last usage chunk (stream)
    std::chrono::duration<double> time_to_first_token{0
    };  ///< TTFT; of a complete reply: the whole time
    std::chrono::duration<double> total_time{0};
    int attempts = 1;  ///< how often the request was sent
};

/// A piece of a streamed reply.
struct ChatDelta {
    std::string content;
    std::string reasoning;
};

/// Limits of one request; zero: none. A timeout error says which limit, and what had arrived by
/// then. A reply that is not streamed has no first token: `first_token` is then the wait for the
/// answer's first byte, which most servers send when all is generated. Keep-alive comments of a
/// stream count for `between_tokens`, never as a first token.
struct ChatDeadlines {
    std::chrono::milliseconds connect{10'000};
    std::chrono::milliseconds first_token{300'000};
    std::chrono::milliseconds between_tokens{60'000};
    std::chrono::milliseconds total{0};
};

struct EndpointOptions {
    std::string base_url;  ///< "http://host:port/v1"
    std::string api_key{
    };  ///< sent as a bearer token; from the environment or a file, never from argv
    std::string model{};  ///< default name of the model; "" for the endpoint's first
    std::map<std::string, std::string> request_defaults{
    };  ///< fields (JSON text) put into requests that lack them
    ChatDeadlines deadlines{};
    int max_attempts = 4;  ///< tries where a repeat is safe: refused, 429, 503
    std::string ca_file{};
    bool verify_tls = true;
};

/// A client for one model. Thread-safe: any number of threads may call at once; each call is its
/// own exchange.
class ChatModel {
public:
    explicit ChatModel(EndpointOptions options);
    ChatModel(const ChatModel&) = delete;
    ChatModel& operator=(const ChatModel&) = delete;
    ChatModel(ChatModel&&) noexcept;
    ChatModel& operator=(ChatModel&&) noexcept;
    ~ChatModel();

    const EndpointOptions& options() const;

    /// One whole reply. Errors: connection, timeout, http_status (with the server's message),
    /// protocol, cancelled.
    Result<ChatReply> complete(const ChatRequest& request, std::stop_token stop = {}) const;

    /// Streams; `on_delta` is called in the calling thread for each piece, in order. A stream that
    /// ends without
    /// `[DONE]` or a finish_reason is an error (protocol), never a short reply.
    Result<ChatReply> stream(
        const ChatRequest& request,
        const std::function<void(const ChatDelta&)>& on_delta,
        std::stop_token stop = {}
    ) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// The client for the server of `config`: its URL, its model name, its sampling defaults
/// (repetition_penalty with them).
Result<ChatModel> create_server_model(const ServerConfig& config);

/// The client for any endpoint. Errors: invalid_argument (URL).
Result<ChatModel> create_endpoint_model(EndpointOptions options);

}  // namespace punie
