#pragma once
// The tools that a request declared, and a model's words as calls of them.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "openai/tool_calls/answer_types.hpp"

namespace punie::translate {

class ToolSet {
public:
    /// `tools` of a chat request; anything else is no tools.
    explicit ToolSet(const json::value& tools);

    bool empty() const { return parameters_.empty(); }

    bool has(std::string_view name) const { return parameters_.contains(name); }

    /// A text as calls of these tools. Nothing if there is none in it, or one that is broken, cut
    /// off or of a tool that was not declared: then all of it stays text.
    std::optional<openai::Answer> calls_in(std::string_view text) const;

    /// One `tool_calls` entry for each call; `first` counts the ids.
    json::array entries(
        const std::vector<openai::AnswerCall>& calls, std::string_view id, std::size_t first
    ) const;

private:
    std::string arguments_of(const openai::AnswerCall& call) const;

    std::map<std::string, json::value, std::less<>> parameters_;
};

}  // namespace punie::translate
