#include "cli/suite_from_capture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <iterator>
#include <set>

#include "base/hash.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace punie::cli {

namespace {

constexpr std::size_t id_digits = 10;
constexpr std::size_t short_answer = 40;  // bytes: a name, a number, a yes

constexpr std::array<std::string_view, 8> sampling_fields{
    "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "max_tokens", "seed", "stop"
};
// What asks for another form of answer; fields of transport and accounting are left out.
constexpr std::array<std::string_view, 4> extra_fields{
    "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort"
};

std::string short_hash(const json::value& value) {
    return sha256_hex(to_text(value)).substr(0, id_digits);
}

/// "{{" begins a variable in YAML suites; text has it as "\{{".
std::string without_variables(std::string_view text) {
    std::string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text.substr(at).starts_with("{{")) {
            result += "\\{{";
            ++at;
        } else {
            result += text[at];
        }
    }
    return result;
}

void escape_variables(json::value& value) {
    if (auto* text = value.if_string()) {
        if (std::string_view(*text).contains("{{")) *text = without_variables(*text);
    } else if (auto* list = value.if_array()) {
        for (auto& item : *list) escape_variables(item);
    } else if (auto* object = value.if_object()) {
        for (auto& entry : *object) escape_variables(entry.value());
    }
}

/// The first choice's message; null if none was captured.
const json::value* answer_message(const json::value& line) {
    const auto* answer = member(line, "answer");
    const auto* choices = answer == nullptr ? nullptr : member(*answer, "choices");
    if (choices == nullptr || !choices->is_array() || choices->get_array().empty()) return nullptr;
    return member(choices->get_array().front(), "message");
}

/// One call as the scorer takes it; arguments that are no JSON object are not compared.
json::object expected_call(const json::value& call) {
    json::object expected;
    const auto* function = member(call, "function");
    if (function == nullptr) return expected;
    expected["name"] = string_member(*function, "name").value_or("");
    const auto arguments = parse_json(string_member(*function, "arguments").value_or(""));
    if (arguments && arguments->is_object() && !arguments->get_object().empty())
        expected["arguments"] = *arguments;
    return expected;
}

bool has_items(const json::value* list) {
    return list != nullptr && list->is_array() && !list->get_array().empty();
}

std::set<std::string> tool_names(const json::value* tools) {
    std::set<std::string> names;
    if (!has_items(tools)) return names;
    for (const auto& tool : tools->get_array())
        if (const auto* function = member(tool, "function"))
            names.insert(string_member(*function, "name").value_or(""));
    return names;
}

struct Expected {
    json::array scorers;
    bool judged = true;
};

/// A call of a tool that was not offered was a mistake: nobody should expect it again.
bool all_offered(const json::array& calls, const std::set<std::string>& names) {
    return std::ranges::all_of(calls, [&](const json::value& call) {
        const auto* function = member(call, "function");
        return function != nullptr && names.contains(string_member(*function, "name").value_or(""));
    });
}

Expected expected_calls(const json::array& calls) {
    json::array list;
    list.reserve(calls.size());
    for (const auto& call : calls) list.push_back(expected_call(call));
    Expected expected;
    if (list.size() == 1) {
        expected.scorers.push_back(json::object{{"tool_call", list.front()}});
    } else {
        expected.scorers.push_back(
            json::object{{"tool_call", {{"calls", std::move(list)}, {"order", "any"}}}}
        );
    }
    return expected;
}

Expected expectations(const json::value& line, const json::value* tools) {
    const auto* message = answer_message(line);
    const auto* calls = message == nullptr ? nullptr : member(*message, "tool_calls");
    const bool called = has_items(calls);
    if (called && all_offered(calls->get_array(), tool_names(tools)))
        return expected_calls(calls->get_array());
    const auto text =
        message == nullptr ? std::string{} : string_member(*message, "content").value_or("");
    const auto said = trim(text);
    Expected expected;
    if (has_items(tools) && message != nullptr && !called)
        expected.scorers.push_back(json::object{{"no_tool_call", json::object{}}});
    if (!said.empty() && said.size() <= short_answer && !said.contains('\n')) {
        expected.scorers.push_back(json::object{{"contains", said}});
    } else if (expected.scorers.empty()) {
        expected.scorers.push_back(json::object{{"regex", R"(\S)"}});
        expected.judged = false;
    }
    return expected;
}

/// The conversation that a request belongs to: its later turns begin in the same way.
std::string conversation(const json::array& messages) {
    json::array opening;
    for (const auto& message : messages) {
        opening.push_back(message);
        if (string_member(message, "role") == "user") break;
    }
    return "conversation-" + short_hash(opening);
}

json::object prompt_of(const json::value& line, const json::object& request, CaptureSuite& suite) {
    const auto& messages = request.at("messages");
    const auto* tools = request.if_contains("tools");
    json::object prompt{
        {"id", ""}, {"group", conversation(messages.get_array())}, {"messages", messages}
    };
    const bool tools_offered = has_items(tools);
    if (tools_offered) prompt["tools"] = *tools;
    prompt["id"] = "request-" + short_hash(json::array{messages, tools_offered ? *tools : nullptr});
    for (const auto field : sampling_fields)
        if (const auto* value = request.if_contains(field); value != nullptr && !value->is_null())
            prompt[field] = *value;
    if (const auto* most = request.if_contains("max_completion_tokens"))
        if (!prompt.contains("max_tokens") && most->is_number()) prompt["max_tokens"] = *most;
    json::object extra;
    for (const auto field : extra_fields)
        if (const auto* value = request.if_contains(field); value != nullptr && !value->is_null())
            extra[field] = *value;
    if (!extra.empty()) prompt["extra"] = std::move(extra);
    auto expected = expectations(line, tools);
    if (!expected.judged) ++suite.unjudged;
    prompt["expect"] = std::move(expected.scorers);
    json::object metadata{
        {"captured", string_member(line, "time").value_or("")},
        {"model", string_member(line, "model").value_or("")}
    };
    if (const auto* message = answer_message(line)) metadata["observed"] = *message;
    prompt["metadata"] = std::move(metadata);
    return prompt;
}

/// The request of a line that can be asked again; null and a count otherwise.
const json::object* usable_request(
    const json::value& line, const FromCaptureOptions& options, CaptureSuite& suite
) {
    const auto* request = member(line, "request");
    if (request == nullptr || !request->is_object()) {
        ++suite.broken;
        return nullptr;
    }
    if (!options.model.empty() && string_member(line, "model") != options.model) return nullptr;
    const auto* messages = member(*request, "messages");
    const bool chat = string_member(line, "route").value_or("").ends_with("/chat/completions");
    if (!chat || !has_items(messages)) {
        ++suite.no_chat;
        return nullptr;
    }
    const auto role = string_member(messages->get_array().back(), "role");
    if (role != "user" && role != "tool") {
        ++suite.no_chat;
        return nullptr;
    }
    return &request->get_object();
}

std::string yaml_text(const json::array& prompts, const FromCaptureOptions& options) {
    std::string text = fmt::format(
        "# Made of captured requests. What is expected is what was answered then: right or wrong,\n"
        "# look at each before you trust a score. Long answers only have to be there.\n"
        "suite: {}\nprompts:\n",
        to_text(json::string(options.name))
    );
    for (const auto& prompt : prompts) {
        bool first = true;
        for (const auto& entry : prompt.get_object()) {
            auto value = entry.value();
            escape_variables(value);
            fmt::format_to(
                std::back_inserter(text),
                "{}{}: {}\n",
                first ? "  - " : "    ",
                std::string_view(entry.key()),
                to_text(value)
            );
            first = false;
        }
    }
    return text;
}

std::string jsonl_text(const json::array& prompts, const FromCaptureOptions& options) {
    auto text = to_text(json::object{{"suite", options.name}}) + "\n";
    for (const auto& prompt : prompts) {
        text += to_text(prompt);
        text += '\n';
    }
    return text;
}

}  // namespace

Result<CaptureSuite> suite_from_capture(std::string_view lines, const FromCaptureOptions& options) {
    CaptureSuite suite;
    json::array prompts;
    std::set<std::string> seen;
    for (const auto& text : split_lines(lines)) {
        if (trim(text).empty()) continue;
        const auto line = parse_json(text);
        if (!line) {
            ++suite.broken;
            continue;
        }
        const auto* request = usable_request(*line, options, suite);
        if (request == nullptr) continue;
        const auto unjudged = suite.unjudged;
        auto prompt = prompt_of(*line, *request, suite);
        if (!seen.emplace(prompt.at("id").get_string()).second) {
            ++suite.repeated;
            suite.unjudged = unjudged;
            continue;
        }
        prompts.push_back(std::move(prompt));
        if (options.limit > 0 && prompts.size() >= options.limit) break;
    }
    if (prompts.empty()) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "no captured chat could be used: {} other requests, {} lines that are no capture{}",
                suite.no_chat,
                suite.broken,
                options.model.empty() ? "" : fmt::format(", none for model {}", options.model)
            ),
            "capture is switched on by `capture: FILE` in punie.yaml"
        );
    }
    suite.prompts = prompts.size();
    suite.text = options.yaml ? yaml_text(prompts, options) : jsonl_text(prompts, options);
    return suite;
}

}  // namespace punie::cli
