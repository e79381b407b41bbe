#include "openai/tool_calls/all_formats.hpp"

namespace punie::openai {

namespace tool_calls {

const std::vector<Format>& formats() {
    static const std::vector<Format> all = {
        hermes(),
        qwen_xml(),
        glm(),
        mistral(),
        kimi(),
        deepseek(),
        gemma(),
        harmony(),
        minimax(),
        phi(),
        granite(),
        command_r(),
        llama_json(),
        pythonic(),
        plain_json(),
    };
    return all;
}

}  // namespace tool_calls

std::vector<std::string> tool_call_formats() {
    std::vector<std::string> names;
    names.reserve(tool_calls::formats().size());
    for (const auto& format : tool_calls::formats()) names.emplace_back(format.name);
    return names;
}

}  // namespace punie::openai
