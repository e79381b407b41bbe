#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/text.hpp"
#include "eval/suite_parts.hpp"

namespace punie::eval {

namespace {

const std::vector<std::string> roles = {"system", "user", "assistant", "tool"};
constexpr std::array<std::string_view, 5> message_names = {
    "role", "content", "tool_calls", "tool_call_id", "name"
};

void check_content(const Fields& fields, const std::string& role) {
    const auto* content = fields.find("content");
    if (content == nullptr) {
        const bool calls = role == "assistant" && fields.find("tool_calls") != nullptr;
        if (!calls)
            fields.fault(fields.node(), "", fmt::format("the {} message has no content", role));
        return;
    }
    const bool parts = content->kind == Node::Kind::list &&
                       std::ranges::all_of(content->items, [](const Node& item) {
                           return item.kind == Node::Kind::map;
                       });
    if (content->kind != Node::Kind::text && !parts)
        fields.fault(
            *content,
            "content",
            fmt::format(
                "expected text, found {}{}",
                describe(*content),
                content->is_scalar() ? " (put it in quotes)" : ""
            )
        );
}

/// OpenAI's form of one call: arguments are JSON text there.
json::value call_from(
    const Node& node, const std::string& path, std::size_t index, Faults& faults
) {
    auto call = to_json(node);
    auto* object = call.if_object();
    const auto* function = member(call, "function");
    if (object == nullptr || function == nullptr || !string_member(*function, "name")) {
        faults.add(
            node.place,
            path,
            "expected a call {type: function, function: {name: ..., arguments: {...}}}"
        );
        return nullptr;
    }
    object->emplace("type", "function");
    object->emplace("id", fmt::format("call_{}", index + 1));
    auto& arguments = object->at("function").as_object()["arguments"];
    if (arguments.is_null()) arguments = json::object{};
    if (!arguments.is_string()) arguments = to_text(arguments);
    return call;
}

void set_calls(json::object& message, const Fields& fields, Faults& faults) {
    const auto* calls = fields.find("tool_calls");
    if (calls == nullptr) return;
    if (calls->kind != Node::Kind::list) {
        fields.fault(
            *calls,
            "tool_calls",
            fmt::format("expected a list of calls, found {}", describe(*calls))
        );
        return;
    }
    json::array converted;
    converted.reserve(calls->items.size());
    for (std::size_t i = 0; i < calls->items.size(); ++i)
        converted.push_back(call_from(
            calls->items[i], fmt::format("{}[{}]", fields.path_of("tool_calls"), i), i, faults
        ));
    message["tool_calls"] = std::move(converted);
}

std::optional<json::object> message_from(
    const Node& node, const std::string& path, Faults& faults
) {
    const Fields fields(node, path, faults);
    if (node.kind != Node::Kind::map) {
        fields.fault(
            node,
            "",
            fmt::format("expected a message {{role: user, content: ...}}, found {}", describe(node))
        );
        return std::nullopt;
    }
    fields.allow_only(message_names);
    const auto role = fields.text("role");
    if (!role) {
        if (fields.find("role") == nullptr) fields.fault(node, "", "a message needs a `role`");
        return std::nullopt;
    }
    if (std::ranges::find(roles, *role) == roles.end()) {
        fields.fault(
            *fields.find("role"),
            "role",
            fmt::format("unknown role \"{}\"; {}", printable(*role), suggestion(*role, roles))
        );
        return std::nullopt;
    }
    check_content(fields, *role);
    auto message = to_json(node).as_object();
    set_calls(message, fields, faults);
    return message;
}

}  // namespace

json::array read_messages(const Node& node, const std::string& path, Faults& faults) {
    json::array messages;
    if (node.kind != Node::Kind::list || node.items.empty()) {
        faults.add(
            node.place,
            path,
            fmt::format(
                "expected a list of messages {{role: user, content: ...}}, found {}",
                node.kind == Node::Kind::list ? "an empty one" : describe(node)
            )
        );
        return messages;
    }
    messages.reserve(node.items.size());
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const auto at = fmt::format("{}[{}]", path, i);
        auto message = message_from(node.items[i], at, faults);
        if (message) messages.push_back(*std::move(message));
    }
    const auto* last = messages.empty() ? nullptr : &messages.back();
    const auto role = last == nullptr ? std::nullopt : string_member(*last, "role");
    if (role && *role != "user" && *role != "tool")
        faults.add(
            node.items.back().place,
            path,
            fmt::format(
                "the last message is the {}'s; the model answers one of user or tool", *role
            )
        );
    return messages;
}

}  // namespace punie::eval
