#include "eval/scorers/tool_call_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/json_equal.hpp"
#include "base/text.hpp"

namespace punie::eval::scorers {

namespace {

/// The prompt's tools by name.
std::map<std::string, const json::value*, std::less<>> declared(const ScorerContext& context) {
    std::map<std::string, const json::value*, std::less<>> tools;
    if (context.tools == nullptr) return tools;
    for (const auto& tool : *context.tools) {
        const auto* function = member(tool, "function");
        const auto& own = function == nullptr ? tool : *function;
        if (auto name = string_member(own, "name")) tools.emplace(*std::move(name), &own);
    }
    return tools;
}

class RulesReader {
public:
    explicit RulesReader(const ScorerContext& context) : declared_(declared(context)) {}

    Result<ToolCallRules> read(const json::value& value) {
        Parameters parameters(value);
        const auto* calls = parameters.get("calls");
        rules_.in_order = parameters.choice("order", {"any", "as-given"}) == "as-given";
        rules_.extra_calls = parameters.choice("extra", {"forbid", "allow"}) == "allow";
        RuleOptions options;
        options.ignore_case = parameters.flag("ignore_case", false);
        options.extra_members =
            parameters.choice("extra_arguments", {"forbid", "allow"}) == "allow";
        if (calls == nullptr) {
            read_call(parameters, options);
        } else if (!calls->is_array() || calls->get_array().empty()) {
            parameters.fault("calls", "should be a list of calls: [{name: ..., arguments: {...}}]");
        } else {
            read_calls(calls->get_array(), options);
        }
        if (!error_) error_ = parameters.error();
        if (error_) return std::unexpected(*std::move(error_));
        return std::move(rules_);
    }

private:
    void keep(std::optional<Error> error) {
        if (!error_) error_ = std::move(error);
    }

    void read_calls(const json::array& calls, const RuleOptions& options) {
        for (std::size_t i = 0; i < calls.size(); ++i) {
            Parameters parameters(calls[i], fmt::format("/calls/{}", i));
            auto own = options;
            own.ignore_case = parameters.flag("ignore_case", options.ignore_case);
            const std::vector<std::string> words = {"forbid", "allow"};
            if (parameters.get("extra_arguments") != nullptr)
                own.extra_members = parameters.choice("extra_arguments", words) == "allow";
            read_call(parameters, own);
            keep(parameters.error());
        }
    }

    /// {name, arguments}, or a name alone.
    void read_call(Parameters& parameters, const RuleOptions& options) {
        ExpectedCall call;
        call.extra_arguments = options.extra_members;
        const bool bare = parameters.get("value") != nullptr;
        const std::string_view key = bare ? "value" : "name";
        call.names = parameters.texts(key);
        if (call.names.empty())
            parameters.fault("", "a call needs the name of a tool: {name: ...}");
        const auto* arguments = parameters.get("arguments");
        call.any_arguments = arguments == nullptr;
        for (const auto& name : call.names) check_name(parameters, key, name);
        if (arguments != nullptr && !arguments->is_object())
            parameters.fault(
                "arguments",
                fmt::format("should be an object (name: value), is {}", describe_json(*arguments))
            );
        else if (arguments != nullptr)
            read_arguments(parameters, arguments->get_object(), options, call);
        rules_.calls.push_back(std::move(call));
    }

    void check_name(Parameters& parameters, std::string_view key, const std::string& name) {
        if (declared_.empty()) return;
        const auto found = declared_.find(name);
        if (found == declared_.end()) {
            std::vector<std::string> names;
            names.reserve(declared_.size());
            for (const auto& [known, tool] : declared_) names.push_back(known);
            const auto near = nearest(name, names);
            parameters.fault(
                key,
                near ? fmt::format("the prompt has no tool \"{}\"; did you mean {}?", name, *near)
                     : fmt::format("the prompt has no tool \"{}\"; it has {}", name, join_or(names))
            );
            return;
        }
        if (rules_.tools.contains(name)) return;
        DeclaredTool tool;
        if (const auto* schema = member(*found->second, "parameters")) {
            auto compiled = JsonSchema::compile(*schema);
            if (!compiled) {
                parameters.fault(
                    key, fmt::format("the tool's parameters: {}", compiled.error().message())
                );
                return;
            }
            tool.parameters = *schema;
            tool.schema = *std::move(compiled);
        }
        rules_.tools.emplace(name, std::move(tool));
    }

    void read_arguments(
        Parameters& parameters,
        const json::object& arguments,
        const RuleOptions& options,
        ExpectedCall& call
    ) {
        call.arguments.reserve(arguments.size());
        for (const auto& [name, value] : arguments) {
            const auto pointer =
                fmt::format("{}/{}", parameters.at("arguments"), pointer_token(name));
            check_argument(pointer, call, name);
            auto rule = read_rule(value, pointer, options);
            if (!rule) {
                keep(std::move(rule).error());
                return;
            }
            call.arguments.emplace_back(name, *std::move(rule));
        }
    }

    /// An expected argument that the tool does not have could never come.
    void check_argument(
        const std::string& pointer, const ExpectedCall& call, std::string_view name
    ) {
        for (const auto& tool_name : call.names) {
            const auto tool = rules_.tools.find(tool_name);
            if (tool == rules_.tools.end()) return;
            const auto* properties = member(tool->second.parameters, "properties");
            const auto* additional = member(tool->second.parameters, "additionalProperties");
            const bool open = additional != nullptr && *additional != json::value(false);
            if (properties == nullptr || !properties->is_object() || open) return;
            if (properties->get_object().contains(name)) return;
        }
        if (call.names.empty()) return;
        const auto& tool = rules_.tools.find(call.names.front())->second;
        std::vector<std::string> names;
        for (const auto& known : member(tool.parameters, "properties")->get_object())
            names.emplace_back(known.key());
        const auto near = nearest(name, names);
        const auto words = near            ? fmt::format("did you mean {}?", *near)
                           : names.empty() ? std::string("it has none")
                                           : fmt::format("it has {}", join_or(names));
        keep(Error(
            ErrorCode::invalid_argument,
            fmt::format(
                "{}: {} has no argument \"{}\"; {}", pointer, call.names.front(), name, words
            )
        ));
    }

    std::map<std::string, const json::value*, std::less<>> declared_;
    ToolCallRules rules_;
    std::optional<Error> error_;
};

}  // namespace

Result<ToolCallRules> read_tool_call_rules(
    const json::value& parameters, const ScorerContext& context
) {
    return RulesReader(context).read(parameters);
}

json::value tool_call_schema() {
    return json::parse(R"json({
"description": "The calls that the answer must have: a tool's name, {name, arguments}, or {calls: [...]}.",
"anyOf": [
  {"type": "string"},
  {"type": "object",
   "properties": {
     "value": {"type": "string"},
     "name": {"type": ["string", "array"], "items": {"type": "string"}, "minItems": 1,
              "description": "The tool; a list names alternatives."},
     "arguments": {"type": "object",
       "description": "Left out: only the name counts. A value is exact; a list is accepted alternatives; {value: x}, {any: true}, {optional: x}, {regex: p}, {contains: t} and {number: n, tolerance: t} are rules."},
     "calls": {"type": "array", "minItems": 1, "items": {"anyOf": [
       {"type": "string"},
       {"type": "object", "properties": {
          "name": {"type": ["string", "array"], "items": {"type": "string"}, "minItems": 1},
          "arguments": {"type": "object"},
          "ignore_case": {"type": "boolean"},
          "extra_arguments": {"enum": ["forbid", "allow"]}},
        "required": ["name"], "additionalProperties": false}]}},
     "order": {"enum": ["any", "as-given"], "default": "any"},
     "extra": {"enum": ["forbid", "allow"], "default": "forbid",
               "description": "Calls beyond the expected ones."},
     "extra_arguments": {"enum": ["forbid", "allow"], "default": "forbid"},
     "ignore_case": {"type": "boolean", "default": false}},
   "additionalProperties": false}]
})json");
}

}  // namespace punie::eval::scorers
