#include "translate/chat_messages.hpp"

#include <boost/json.hpp>
#include <utility>

namespace punie::translate {

namespace {

void append_to(json::object& message, std::string_view name, std::string_view text) {
    auto& value = message[name];
    if (!value.is_string()) {
        value = text;
        return;
    }
    auto& whole = value.get_string();
    whole += '\n';
    whole += text;
}

}  // namespace

void Parts::text(std::string_view text) {
    parts_.push_back(json::object{{"type", "text"}, {"text", text}});
}

void Parts::image(std::string_view url) {
    images_ = true;
    parts_.push_back(json::object{{"type", "image_url"}, {"image_url", {{"url", url}}}});
}

json::value Parts::content() const {
    if (images_) return parts_;
    json::value text(plain());
    return text;
}

std::string Parts::plain() const {
    std::string all;
    bool first = true;
    for (const auto& part : parts_) {
        const auto text = string_member(part, "text");
        if (!text) continue;
        if (!std::exchange(first, false)) all += '\n';
        all += *text;
    }
    return all;
}

void ChatMessages::system(std::string_view text) {
    open_ = false;
    if (messages_.size() == 1 && messages_[0].at("role") == "system")
        return append_to(messages_[0].get_object(), "content", text);
    messages_.push_back(json::object{{"role", "system"}, {"content", text}});
}

void ChatMessages::user(const Parts& parts) {
    open_ = false;
    messages_.push_back(json::object{{"role", "user"}, {"content", parts.content()}});
}

json::object& ChatMessages::assistant() {
    if (!std::exchange(open_, true))
        messages_.push_back(json::object{{"role", "assistant"}, {"content", nullptr}});
    return messages_.back().get_object();
}

void ChatMessages::assistant_text(std::string_view text) {
    append_to(assistant(), "content", text);
}

void ChatMessages::assistant_thinking(std::string_view text) {
    append_to(assistant(), "reasoning_content", text);
}

void ChatMessages::assistant_call(
    std::string_view id, std::string_view name, std::string_view arguments
) {
    auto& calls = assistant()["tool_calls"];
    if (!calls.is_array()) calls.emplace_array();
    calls.get_array().push_back(json::object{
        {"id", id},
        {"type", "function"},
        {"function", {{"name", name}, {"arguments", arguments.empty() ? "{}" : arguments}}},
    });
}

void ChatMessages::tool_result(std::string_view id, const Parts& parts) {
    open_ = false;
    messages_.push_back(
        json::object{{"role", "tool"}, {"tool_call_id", id}, {"content", parts.plain()}}
    );
}

void ChatMessages::next() {
    open_ = false;
}

json::array ChatMessages::take() {
    // A message without calls has text, though it be empty: null content is for calls only.
    for (auto& message : messages_) {
        auto& object = message.get_object();
        if (object["content"].is_null() && !object.contains("tool_calls")) object["content"] = "";
    }
    return std::move(messages_);
}

json::object function_tool(
    std::string_view name,
    const json::value* description,
    const json::value* parameters,
    const json::value* strict
) {
    json::object function{{"name", name}};
    if (description != nullptr) function["description"] = *description;
    function["parameters"] = parameters != nullptr
                                 ? *parameters
                                 : json::value{{"type", "object"}, {"properties", json::object{}}};
    if (strict != nullptr) function["strict"] = *strict;
    return {{"type", "function"}, {"function", std::move(function)}};
}

json::object schema_format(std::string_view name, const json::value& schema, bool strict) {
    return {
        {"type", "json_schema"},
        {"json_schema", {{"name", name}, {"schema", schema}, {"strict", strict}}},
    };
}

void set_thinking(json::object& body, bool on) {
    body["chat_template_kwargs"] = json::object{{"enable_thinking", on}};
}

void finish_body(ChatForm& form) {
    form.body["model"] = form.model;
    form.body["stream"] = form.stream;
    if (form.stream) form.body["stream_options"] = json::object{{"include_usage", true}};
}

}  // namespace punie::translate
