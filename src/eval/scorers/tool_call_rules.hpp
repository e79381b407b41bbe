#pragma once
// The parameters of the scorer tool_call.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json_schema.hpp"
#include "eval/scorer.hpp"
#include "eval/scorers/value_rule.hpp"

namespace punie::eval::scorers {

/// A tool as the prompt declares it.
struct DeclaredTool {
    json::value parameters{};            ///< its schema; null if none
    std::optional<JsonSchema> schema{};  ///< the same, compiled
};

struct ExpectedCall {
    std::vector<std::string> names;  ///< any of these
    bool any_arguments = false;      ///< `arguments` was left out: only the name counts
    std::vector<std::pair<std::string, ValueRule>> arguments;
    bool extra_arguments = false;  ///< others than the named are allowed
};

struct ToolCallRules {
    std::vector<ExpectedCall> calls;
    bool in_order = false;
    bool extra_calls = false;
    std::map<std::string, DeclaredTool, std::less<>> tools;  ///< those that are expected
};

/// Errors: invalid_argument: unknown keys, tools that the prompt does not declare, arguments that
/// the tool does not have, a tool's schema that is none.
Result<ToolCallRules> read_tool_call_rules(
    const json::value& parameters, const ScorerContext& context
);

json::value tool_call_schema();

}  // namespace punie::eval::scorers
