// json: the answer is (or has) JSON: valid, fitting a schema, with these values at these paths.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "base/json_equal.hpp"
#include "base/json_schema.hpp"
#include "base/text.hpp"
#include "eval/scorers/all_scorers.hpp"
#include "eval/scorers/text_match.hpp"
#include "eval/scorers/value_rule.hpp"
#include "openai/tool_calls/reading.hpp"

namespace punie::eval::scorers {

namespace {

constexpr auto npos = std::string_view::npos;

struct PathRule {
    std::string path;                ///< as it was written
    std::vector<std::string> steps;  ///< names and indices
    ValueRule rule;
};

struct JsonRules {
    bool only = false;  ///< the answer must be nothing but JSON
    std::optional<JsonSchema> schema{};
    std::optional<ValueRule> equals{};
    std::vector<PathRule> paths{};
};

/// JSON found in an answer, or why there is none.
struct Found {
    std::optional<json::value> value{};
    std::string text{};
    std::string problem{};
};

Found found_in(std::string_view text) {
    text = trim(text);
    auto parsed = parse_json(text);
    if (!parsed) return {{}, {}, parsed.error().message()};
    return {*std::move(parsed), std::string(text), {}};
}

/// The first fenced block that is JSON; the last problem otherwise.
Found found_in_fences(std::string_view text) {
    Found last;
    auto open = text.find("```");
    while (open != npos) {
        const auto line = text.find('\n', open);
        if (line == npos) return last;
        auto close = text.find("```", line);
        const bool cut = close == npos;
        if (cut) close = text.size();
        auto found = found_in(text.substr(line + 1, close - line - 1));
        if (found.value) return found;
        last = std::move(found);
        if (cut) return last;
        open = text.find("```", close + 3);
    }
    return last;
}

/// JSON in the middle of a sentence: the first bracket at which a whole value begins.
Found found_inside(std::string_view text) {
    Found last;
    auto at = text.find_first_of("{[");
    while (at != npos) {
        auto read = openai::tool_calls::read_json_at(text, at);
        if (read.state == openai::tool_calls::JsonAt::State::whole)
            return {std::move(read.value), std::string(text.substr(at, read.end - at)), {}};
        if (last.problem.empty())
            last.problem = read.state == openai::tool_calls::JsonAt::State::cut
                               ? std::string("its JSON is cut off")
                               : read.problem;
        at = text.find_first_of("{[", std::max(read.end, at + 1));
    }
    return last;
}

Found find_json(std::string_view text, bool only) {
    auto whole = found_in(text);
    if (whole.value || only) return whole;
    auto fenced = found_in_fences(text);
    if (fenced.value) return fenced;
    auto inside = found_inside(text);
    if (inside.value) return inside;
    const auto first = trim(text).substr(0, 1);
    if (first == "{" || first == "[") return whole;
    return inside.problem.empty() ? fenced : inside;
}

const json::value* step_into(const json::value& value, const std::string& step) {
    if (const auto* object = value.if_object()) return object->if_contains(step);
    const auto* array = value.if_array();
    std::size_t index = 0;
    const auto* end = step.data() + step.size();
    if (array == nullptr || step.empty()) return nullptr;
    if (step.front() == '-') {  // from the end, as in Python
        if (std::from_chars(step.data() + 1, end, index).ptr != end || index > array->size())
            return nullptr;
        return index == 0 ? nullptr : &(*array)[array->size() - index];
    }
    if (std::from_chars(step.data(), end, index).ptr != end || index >= array->size())
        return nullptr;
    return &(*array)[index];
}

class JsonScorer : public Scorer {
public:
    explicit JsonScorer(JsonRules rules) : rules_(std::move(rules)) {}

    Judgement judge(const openai::Answer& answer) const override {
        if (auto nothing = unreadable(answer)) return *std::move(nothing);
        const auto found = find_json(answer.text, rules_.only);
        if (!found.value)
            return unparsed(
                found.problem.empty()
                    ? fmt::format("no JSON in it; {}", saying(answer))
                    : fmt::format("no valid JSON: {}; {}", printable(found.problem), saying(answer))
            );
        std::vector<std::string> reasons;
        std::size_t parts = 1;
        if (rules_.schema) {
            ++parts;
            if (const auto wrong = rules_.schema->check(*found.value, 3); !wrong.empty())
                reasons.push_back(fmt::format("{}", fmt::join(wrong, "; ")));
        }
        if (rules_.equals) {
            ++parts;
            if (!rules_.equals->fits(*found.value))
                reasons.push_back(fmt::format(
                    "should be {}, is {}",
                    rules_.equals->wanted(),
                    printable(short_json(*found.value, 120))
                ));
        }
        for (const auto& rule : rules_.paths) {
            ++parts;
            judge_path(rule, *found.value, reasons);
        }
        Judgement judgement;
        judgement.passed = reasons.empty();
        judgement.score = static_cast<double>(parts - reasons.size()) / static_cast<double>(parts);
        judgement.extracted = shortened(found.text, 500);
        judgement.reason = reasons.empty() ? std::string("valid, and as asked for")
                                           : fmt::format("{}", fmt::join(reasons, "; "));
        return judgement;
    }

private:
    static void judge_path(
        const PathRule& rule, const json::value& value, std::vector<std::string>& reasons
    ) {
        const auto* at = &value;
        for (const auto& step : rule.steps) {
            at = step_into(*at, step);
            if (at == nullptr) break;
        }
        if (at == nullptr) {
            if (!rule.rule.optional)
                reasons.push_back(
                    fmt::format("{} is missing, should be {}", rule.path, rule.rule.wanted())
                );
            return;
        }
        if (!rule.rule.fits(*at))
            reasons.push_back(fmt::format(
                "{} should be {}, is {}", rule.path, rule.rule.wanted(), printable(short_json(*at))
            ));
    }

    JsonRules rules_;
};

/// RFC 6901: "/a/b~1c/0".
std::vector<std::string> pointer_steps(std::string_view path) {
    std::vector<std::string> steps;
    while (!path.empty()) {
        path.remove_prefix(1);
        const auto token = path.substr(0, path.find('/'));
        path.remove_prefix(token.size());
        std::string step;
        for (std::size_t i = 0; i < token.size(); ++i) {
            const bool escaped = token[i] == '~' && i + 1 < token.size();
            if (escaped && (token[i + 1] == '0' || token[i + 1] == '1'))
                step += token[++i] == '0' ? '~' : '/';
            else
                step += token[i];
        }
        steps.push_back(std::move(step));
    }
    return steps;
}

/// "$.a.b[0]['c d']": names, indices, nothing that searches.
std::optional<std::vector<std::string>> dollar_steps(std::string_view path) {
    std::vector<std::string> steps;
    path.remove_prefix(1);
    while (!path.empty()) {
        if (path.front() == '.') {
            path.remove_prefix(1);
            const auto name = path.substr(0, path.find_first_of(".["));
            if (name.empty() || name == "*") return std::nullopt;
            steps.emplace_back(name);
            path.remove_prefix(name.size());
            continue;
        }
        if (path.front() != '[') return std::nullopt;
        const bool quoted = path.size() > 1 && (path[1] == '\'' || path[1] == '"');
        const auto end = quoted ? path.find(path[1], 2) : path.find(']');
        if (end == npos) return std::nullopt;
        const auto name = path.substr(quoted ? 2 : 1, end - (quoted ? 2 : 1));
        const bool number = !name.empty() && name.find_first_not_of("0123456789-") == npos;
        if (!quoted && !number) return std::nullopt;
        steps.emplace_back(name);
        path.remove_prefix(end + (quoted ? 1 : 0));
        if (!path.starts_with(']')) return std::nullopt;
        path.remove_prefix(1);
    }
    return steps;
}

void read_paths(Parameters& parameters, const RuleOptions& options, JsonRules& rules) {
    const auto* paths = parameters.get("paths");
    if (paths == nullptr) return;
    if (!paths->is_object()) {
        parameters.fault("paths", "should be an object: {$.a.b[0]: value} or {/a/b/0: value}");
        return;
    }
    for (const auto& [path, value] : paths->get_object()) {
        const std::string_view text = path;
        const auto steps = text.starts_with('$') ? dollar_steps(text)
                           : text.starts_with('/') || text.empty()
                               ? std::optional(pointer_steps(text))
                               : std::nullopt;
        auto rule = read_rule(
            value, fmt::format("{}/{}", parameters.at("paths"), pointer_token(path)), options
        );
        if (!steps)
            parameters.fault(
                "paths",
                fmt::format(
                    "{} is no path; write $.a.b[0] or /a/b/0", short_json(json::value(text))
                )
            );
        else if (!rule)
            parameters.fault("", rule.error().message());
        else
            rules.paths.push_back({std::string(text), *steps, *std::move(rule)});
    }
}

Result<std::shared_ptr<const Scorer>> make(const json::value& value, const ScorerContext&) {
    JsonRules rules;
    if (value == json::value(true)) return std::make_shared<const JsonScorer>(std::move(rules));
    if (!value.is_object())
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("should be true, or {{schema, paths, equals}}, is {}", describe_json(value))
        );
    Parameters parameters(value);
    if (!parameters.flag("valid", true)) parameters.fault("valid", "should be true");
    const bool also_value = parameters.get("value") == nullptr || parameters.flag("value", true);
    if (!also_value) parameters.fault("value", "should be true");
    rules.only = parameters.flag("only", false);
    RuleOptions options;
    options.ignore_case = parameters.flag("ignore_case", false);
    options.extra_members = parameters.flag("extra_members", false);
    if (const auto* schema = parameters.get("schema")) {
        auto compiled = JsonSchema::compile(*schema);
        if (compiled)
            rules.schema = *std::move(compiled);
        else
            parameters.fault("schema", compiled.error().message());
    }
    if (const auto* equals = parameters.get("equals")) {
        // A list here is the value: what would a choice between whole documents be for?
        auto rule = equals->is_array()
                        ? read_rule(json::object{{"value", *equals}}, "/equals", options)
                        : read_rule(*equals, "/equals", options);
        if (rule)
            rules.equals = *std::move(rule);
        else
            parameters.fault("", rule.error().message());
    }
    read_paths(parameters, options, rules);
    if (auto error = parameters.error()) return std::unexpected(*std::move(error));
    return std::make_shared<const JsonScorer>(std::move(rules));
}

json::value schema() {
    return json::parse(R"json({
"description": "The answer is JSON, or has JSON in a code fence or a sentence.",
"anyOf": [
  {"const": true},
  {"type": "object",
   "properties": {
     "value": {"const": true},
     "valid": {"const": true},
     "only": {"type": "boolean", "default": false, "description": "Nothing but JSON: no fence, no words."},
     "schema": {"type": ["object", "boolean"], "description": "JSON Schema, draft 7."},
     "equals": {"description": "The whole value."},
     "paths": {"type": "object", "propertyNames": {"pattern": "^(\\$|/|$)"},
       "description": "Values by JSON pointer (/a/b/0) or path ($.a.b[0])."},
     "extra_members": {"type": "boolean", "default": false,
       "description": "Objects may have members that are not named."},
     "ignore_case": {"type": "boolean", "default": false}},
   "additionalProperties": false}]
})json");
}

}  // namespace

Kind json_answer() {
    return {"json", make, schema};
}

}  // namespace punie::eval::scorers
