#pragma once
// The JSON texts that the fake answers with, in the shapes of mlx_lm.server.

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "options.hpp"

namespace fake {

inline std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
            out += escape;
        } else {
            out += c;
        }
    }
    return out + '"';
}

/// The text from the value of `"name":` on; enough for numbers, true and false. "" when the request
/// has no such field.
inline std::string_view value_in(std::string_view body, std::string_view name) {
    auto at = body.find('"' + std::string(name) + "\":");
    if (at == std::string_view::npos) return {};
    at = body.find_first_not_of(" \n\t", at + name.size() + 3);
    return at == std::string_view::npos ? std::string_view() : body.substr(at);
}

inline bool asks(const std::string& body, std::string_view name) {
    return value_in(body, name).starts_with("true");
}

/// Words with the space before them, as a tokenizer would have them.
inline std::vector<std::string> tokens_of(const std::string& text) {
    std::vector<std::string> tokens(1);
    for (const char c : text) {
        if (c == ' ' && !tokens.back().empty()) tokens.emplace_back();
        tokens.back() += c;
    }
    return tokens;
}

inline std::string head_of(const Options& options, std::string_view object) {
    return R"({"id":"chatcmpl-fake","system_fingerprint":"fake","object":")" + std::string(object) +
           R"(","model":)" + quoted(options.model) + R"(,"created":1700000000,)";
}

inline std::string usage_of(std::size_t tokens) {
    const auto count = std::to_string(tokens);
    return R"("usage":{"prompt_tokens":7,"completion_tokens":)" + count + R"(,"total_tokens":)" +
           std::to_string(tokens + 7) + "}";
}

inline constexpr std::string_view one_tool_call =
    R"([{"index":0,"id":"call_1","type":"function","function":{"name":"get_weather",)"
    R"("arguments":"{\"city\": \"Paris\"}"}}])";

inline std::string logprobs_of(std::string_view token) {
    return R"("logprobs":{"content":[{"token":)" + quoted(token) +
           R"(,"logprob":-0.25,"top_logprobs":[{"token":)" + quoted(token) +
           R"(,"logprob":-0.25}]}]},)";
}

inline std::string complete_message(const Options& options, const std::string& content) {
    if (options.lost_tool_calls) return R"({"role":"assistant","content":null})";
    if (options.tool_call) {
        return R"({"role":"assistant","content":null,"tool_calls":)" + std::string(one_tool_call) +
               "}";
    }
    std::string message = R"({"role":"assistant","content":)" + quoted(content);
    if (!options.reasoning.empty()) message += R"(,"reasoning":)" + quoted(options.reasoning);
    return message + "}";
}

inline std::string complete_body(
    const Options& options, const std::string& content, std::size_t tokens, std::string_view finish
) {
    std::string body = head_of(options, "chat.completion") + R"("choices":[)";
    if (!options.empty_choices) {
        body += R"({"index":0,)" + (options.logprobs ? logprobs_of(content) : std::string()) +
                R"("finish_reason":")" + std::string(finish) + R"(","message":)" +
                complete_message(options, content) + "}";
    }
    return body + "]," + usage_of(tokens) + "}";
}

/// One chunk of a stream; `delta` and `finish` as JSON.
inline std::string chunk(
    const Options& options,
    std::string_view delta,
    std::string_view finish = "null",
    std::string_view logprobs = {}
) {
    return head_of(options, "chat.completion.chunk") + R"("choices":[{"index":0,)" +
           std::string(logprobs) + R"("finish_reason":)" + std::string(finish) + R"(,"delta":)" +
           std::string(delta) + "}]}";
}

inline std::string usage_chunk(const Options& options, std::size_t tokens) {
    return head_of(options, "chat.completion.chunk") + R"("choices":[],)" + usage_of(tokens) + "}";
}

inline std::string error_body(const Options& options, int status) {
    if (!options.error_body.empty()) return options.error_body;
    return R"({"error":{"message":"fake error )" + std::to_string(status) +
           R"(","type":"fake_error"}})";
}

}  // namespace fake
