#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <optional>

#include "base/text.hpp"
#include "dataset/convert.hpp"
#include "dataset/formats.hpp"

namespace punie::dataset {

namespace {

std::string text_of(const json::object& row, std::string_view key) {
    const auto* value = row.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
}

json::object message(std::string_view role, std::string_view content) {
    return {{"role", role}, {"content", content}};
}

Result<void> need_string(const json::object& row, std::string_view key) {
    const auto* value = row.if_contains(key);
    if (value != nullptr && value->is_string()) return {};
    return fail(ErrorCode::invalid_argument, fmt::format("{} is no string", key));
}

void put_system(const json::object& row, json::array& messages) {
    const auto system = text_of(row, "system");
    if (!system.empty()) messages.push_back(message("system", system));
}

/// {"name", "arguments"} as one call.
json::object call_of(const json::value& function) {
    return {{"type", "function"}, {"function", function}};
}

Result<json::object> sharegpt_message(const json::value& turn) {
    const auto from =
        string_member(turn, "from").value_or(string_member(turn, "role").value_or(""));
    const auto* value = member(turn, "value");
    if (value == nullptr) value = member(turn, "content");
    if (from.empty() || value == nullptr || !value->is_string())
        return fail(ErrorCode::invalid_argument, "a turn has no from and value");
    const auto text = std::string(value->get_string());
    if (from == "function_call" || from == "tool_call") {
        auto call = parse_json(text);
        if (!call || !call->is_object())
            return fail(ErrorCode::invalid_argument, "a function_call that is no JSON object");
        return json::object{
            {"role", "assistant"}, {"content", ""}, {"tool_calls", json::array{call_of(*call)}}
        };
    }
    const auto role = is_known_role(from) ? std::string_view(from) : standard_role(from);
    if (role.empty())
        return fail(
            ErrorCode::invalid_argument, fmt::format("unknown speaker \"{}\"", printable(from))
        );
    return message(role, text);
}

Result<json::object> from_sharegpt(json::object row) {
    json::array messages;
    put_system(row, messages);
    for (const auto* key : {"conversations", "conversation", "messages"}) {
        const auto* turns = row.if_contains(key);
        if (turns == nullptr || !turns->is_array()) continue;
        for (const auto& turn : turns->get_array()) {
            auto converted = sharegpt_message(turn);
            if (!converted) return converted;
            messages.push_back(*std::move(converted));
        }
        row.erase(key);
        break;
    }
    row.erase("system");
    row["messages"] = std::move(messages);
    return row;
}

Result<json::object> from_alpaca(json::object row) {
    for (const auto* key : {"instruction", "output"}) {
        if (auto fine = need_string(row, key); !fine) return std::unexpected(fine.error());
    }
    json::array messages;
    put_system(row, messages);
    if (const auto* history = row.if_contains("history");
        history != nullptr && history->is_array()) {
        for (const auto& pair : history->get_array()) {
            const bool two = pair.is_array() && pair.get_array().size() == 2 &&
                             pair.get_array()[0].is_string() && pair.get_array()[1].is_string();
            if (!two) return fail(ErrorCode::invalid_argument, "history is no list of pairs");
            messages.push_back(message("user", pair.get_array()[0].get_string()));
            messages.push_back(message("assistant", pair.get_array()[1].get_string()));
        }
    }
    const auto input = text_of(row, "input");
    const auto instruction = text_of(row, "instruction");
    messages.push_back(
        message("user", input.empty() ? instruction : fmt::format("{}\n\n{}", instruction, input))
    );
    messages.push_back(message("assistant", text_of(row, "output")));
    for (const auto* key : {"instruction", "input", "output", "system", "history"}) row.erase(key);
    row["messages"] = std::move(messages);
    return row;
}

Result<json::object> from_preference(json::object row) {
    const auto chosen = row["chosen"];
    json::array messages;
    if (const auto* prompt = row.if_contains("prompt"); prompt != nullptr) {
        if (prompt->is_array())
            messages = prompt->get_array();
        else if (prompt->is_string())
            messages.push_back(message("user", prompt->get_string()));
    }
    if (chosen.is_array()) {
        // The chosen side may repeat the prompt.
        if (chosen.get_array().size() > 1) messages.clear();
        for (const auto& turn : chosen.get_array()) messages.push_back(turn);
    } else if (chosen.is_string()) {
        messages.push_back(message("assistant", chosen.get_string()));
    } else {
        return fail(ErrorCode::invalid_argument, "chosen is neither a text nor a list of messages");
    }
    for (const auto* key : {"prompt", "chosen", "rejected"}) row.erase(key);
    row["messages"] = std::move(messages);
    return row;
}

Result<json::object> from_pair(
    json::object row, const std::string& question, const std::string& answer
) {
    for (const auto& key : {question, answer}) {
        if (auto fine = need_string(row, key); !fine) return std::unexpected(fine.error());
    }
    json::array messages;
    put_system(row, messages);
    messages.push_back(message("user", text_of(row, question)));
    messages.push_back(message("assistant", text_of(row, answer)));
    row.erase(question);
    row.erase(answer);
    row.erase("system");
    row["messages"] = std::move(messages);
    return row;
}

/// functions -> tools, function_call -> tool_calls, role function -> tool.
void modernise(json::object& row) {
    if (auto* functions = row.if_contains("functions");
        functions != nullptr && functions->is_array()) {
        json::array tools;
        for (const auto& function : functions->get_array()) tools.push_back(call_of(function));
        row.erase("functions");
        row["tools"] = std::move(tools);
    }
    if (auto* tools = row.if_contains("tools"); tools != nullptr && tools->is_string()) {
        auto parsed = parse_json(tools->get_string());
        if (parsed && parsed->is_array()) *tools = *std::move(parsed);
    }
    auto* messages = row.if_contains("messages");
    if (messages == nullptr || !messages->is_array()) return;
    for (auto& each : messages->get_array()) {
        if (!each.is_object()) continue;
        auto& object = each.get_object();
        if (auto* role = object.if_contains("role"); role != nullptr && role->is_string()) {
            const auto standard = standard_role(role->get_string());
            if (!standard.empty()) *role = standard;
        }
        if (auto* call = object.if_contains("function_call");
            call != nullptr && call->is_object()) {
            auto calls = json::array{call_of(*call)};
            object.erase("function_call");
            object["tool_calls"] = std::move(calls);
        }
    }
}

Result<void> set_arguments(json::object& function, Arguments wanted) {
    auto* arguments = function.if_contains("arguments");
    if (arguments == nullptr || wanted == Arguments::keep) return {};
    if (wanted == Arguments::object && arguments->is_string()) {
        const auto text = std::string(arguments->get_string());
        auto parsed = parse_json(trim(text).empty() ? "{}" : std::string_view(text));
        if (!parsed || !parsed->is_object())
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("arguments of {} are no JSON object", text_of(function, "name"))
            );
        *arguments = *std::move(parsed);
    }
    if (wanted == Arguments::string && arguments->is_object()) *arguments = to_text(*arguments);
    return {};
}

Result<void> set_arguments_of_row(json::object& row, Arguments wanted) {
    auto* messages = row.if_contains("messages");
    if (messages == nullptr || !messages->is_array()) return {};
    for (auto& each : messages->get_array()) {
        auto* calls = each.is_object() ? each.get_object().if_contains("tool_calls") : nullptr;
        if (calls == nullptr || !calls->is_array()) continue;
        for (auto& call : calls->get_array()) {
            auto* function = call.is_object() ? call.get_object().if_contains("function") : nullptr;
            if (function == nullptr || !function->is_object()) continue;
            if (auto set = set_arguments(function->get_object(), wanted); !set) return set;
        }
    }
    return {};
}

Result<json::object> to_completion(json::object row) {
    const auto* messages = row.if_contains("messages");
    if (messages == nullptr || !messages->is_array()) return row;
    const auto& list = messages->get_array();
    const bool pair = list.size() == 2 && string_member(list[0], "role") == "user" &&
                      string_member(list[1], "role") == "assistant";
    if (!pair) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "{} messages do not fit into prompt and completion (one of the user, one of the "
                "assistant)",
                list.size()
            )
        );
    }
    const auto prompt = string_member(list[0], "content");
    const auto completion = string_member(list[1], "content");
    if (!prompt || !completion || member(list[1], "tool_calls") != nullptr)
        return fail(
            ErrorCode::invalid_argument,
            "contents that are no text do not fit into prompt and completion"
        );
    row.erase("messages");
    row["prompt"] = *prompt;
    row["completion"] = *completion;
    return row;
}

bool has(const json::object& row, std::string_view key) {
    return row.if_contains(key) != nullptr;
}

bool is_sharegpt(const json::object& row) {
    if (has(row, "conversations") || has(row, "conversation")) return true;
    const auto* messages = row.if_contains("messages");
    if (messages == nullptr || !messages->is_array() || messages->get_array().empty()) return false;
    return member(messages->get_array().front(), "from") != nullptr;
}

Result<json::object> to_chat(json::object row, std::string& format) {
    if (is_sharegpt(row)) {
        format = "ShareGPT";
        return from_sharegpt(std::move(row));
    }
    if (has(row, "prompt") && has(row, "completion")) {
        format = "prompt/completion";
        return from_pair(std::move(row), "prompt", "completion");
    }
    if (has(row, "messages")) {
        format = "chat";
        return row;
    }
    if (has(row, "instruction") && has(row, "output")) {
        format = "Alpaca";
        return from_alpaca(std::move(row));
    }
    if (has(row, "chosen") && has(row, "rejected")) {
        format = "preference pairs";
        return from_preference(std::move(row));
    }
    for (const auto& [question, answer] : question_answer_keys()) {
        if (!has(row, question) || !has(row, answer)) continue;
        format = fmt::format("{}/{}", question, answer);
        return from_pair(std::move(row), std::string(question), std::string(answer));
    }
    std::string keys;
    for (const auto& each : row)
        keys = fmt::format("{}{}{}", keys, keys.empty() ? "" : ", ", std::string_view(each.key()));
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("no known format; the row has {}", keys.empty() ? "no keys" : printable(keys)),
        "expected messages, conversations, instruction and output, prompt and completion, chosen, "
        "or "
        "text"
    );
}

}  // namespace

Result<json::object> convert_row(
    json::object row, const ConvertOptions& options, std::string& format
) {
    auto chat = to_chat(std::move(row), format);
    if (!chat) return chat;
    modernise(*chat);
    if (auto set = set_arguments_of_row(*chat, options.arguments); !set)
        return std::unexpected(set.error());
    if (options.to == Target::completion) return to_completion(*std::move(chat));
    return chat;
}

}  // namespace punie::dataset
