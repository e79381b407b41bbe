// https://platform.openai.com/docs/api-reference/responses/create; names and types as in the
// package `openai` 3.57 (openai/types/responses/response_create_params.py).

#include "translate/responses_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "translate/chat_messages.hpp"
#include "translate/fields.hpp"

namespace punie::translate {

namespace {

void read_image(const Fields& part, Parts& parts) {
    part.refuse("file_id", "files are not kept here; send the image as a data URL in image_url");
    const auto url = part.needed_text("image_url");
    if (!url.empty()) parts.image(url);
}

/// A string or a list of parts.
void read_content(const Fields& holder, std::string_view name, Parts& parts) {
    const auto* content = holder.find(name);
    if (content == nullptr) return holder.fault(name, "is missing");
    if (const auto* text = content->if_string()) return parts.text(*text);
    for (const auto& part : holder.list(name)) {
        const auto type = part.needed_text("type");
        if (type == "input_text" || type == "output_text" || type == "text")
            parts.text(part.text("text").value_or(""));
        else if (type == "refusal")
            parts.text(part.text("refusal").value_or(""));
        else if (type == "input_image")
            read_image(part, parts);
        else
            part.wrong("type", R"("input_text", "input_image", "output_text" or "refusal")");
    }
}

void read_message(const Fields& item, ChatMessages& messages) {
    const auto role = item.needed_text("role");
    Parts parts;
    read_content(item, "content", parts);
    if (role == "user")
        messages.user(parts);
    else if (role == "assistant")
        messages.assistant_text(parts.plain());
    else if (role == "system" || role == "developer")
        messages.system(parts.plain());
    else
        item.wrong("role", R"("user", "assistant", "system" or "developer")");
}

void read_reasoning(const Fields& item, ChatMessages& messages) {
    std::string text;
    for (const std::string_view name : {"content", "summary"}) {
        if (!text.empty()) break;  // the thoughts themselves, else what was said of them
        for (const auto& part : item.list(name)) {
            if (!text.empty()) text += '\n';
            text += part.text("text").value_or("");
        }
    }
    if (!text.empty()) messages.assistant_thinking(text);
}

void read_item(const Fields& item, ChatMessages& messages) {
    const auto type = item.text("type").value_or("message");
    if (type == "message") {
        read_message(item, messages);
    } else if (type == "function_call") {
        const auto id = item.needed_text("call_id");
        const auto name = item.needed_text("name");
        messages.assistant_call(id, name, item.text("arguments").value_or(""));
    } else if (type == "function_call_output") {
        Parts parts;
        read_content(item, "output", parts);
        messages.tool_result(item.needed_text("call_id"), parts);
        if (parts.has_images())
            item.fault("output", "images are not supported in a result; send them in a message");
    } else if (type == "reasoning") {
        read_reasoning(item, messages);
    } else {
        item.wrong("type", R"("message", "function_call", "function_call_output" or "reasoning")");
    }
}

void read_input(const Fields& fields, json::object& body) {
    ChatMessages messages;
    if (const auto text = fields.text("instructions"); text && !text->empty())
        messages.system(*text);
    const auto* input = fields.find("input");
    if (input == nullptr) {
        fields.fault("input", "is missing; a string or a list of items is needed");
    } else if (const auto* text = input->if_string()) {
        Parts parts;
        parts.text(*text);
        messages.user(parts);
    } else {
        for (const auto& item : fields.list("input")) read_item(item, messages);
        if (messages.empty()) fields.fault("input", "needs at least one item");
    }
    body["messages"] = messages.take();
}

void read_tools(const Fields& fields, json::object& body) {
    json::array tools;
    for (const auto& tool : fields.list("tools")) {
        if (tool.needed_text("type") != "function") {
            tool.wrong("type", R"("function": OpenAI's own tools do not exist here)");
            continue;
        }
        tool.object("parameters");
        tools.emplace_back(function_tool(
            tool.needed_text("name"),
            tool.find("description"),
            tool.find("parameters"),
            tool.find("strict")
        ));
    }
    if (!tools.empty()) body["tools"] = std::move(tools);
}

/// {"type": "allowed_tools", "mode", "tools": [{"type": "function", "name"}]}
void allow_tools(const Fields& choice, json::object& body) {
    std::vector<std::string> names;
    for (const auto& tool : choice.list("tools")) names.push_back(tool.needed_text("name"));
    body["tool_choice"] = choice.needed_text("mode");
    auto* tools = body.if_contains("tools");
    if (tools == nullptr) return;
    json::array kept;
    for (const auto& tool : tools->get_array()) {
        const std::string name(tool.at("function").at("name").as_string());
        if (std::ranges::find(names, name) != names.end()) kept.push_back(tool);
    }
    *tools = std::move(kept);
}

void read_tool_choice(const Fields& fields, json::object& body) {
    const auto* value = fields.find("tool_choice");
    if (value == nullptr) return;
    if (value->is_string()) {
        if (*value == "auto" || *value == "none" || *value == "required")
            body["tool_choice"] = *value;
        else
            fields.wrong("tool_choice", R"("auto", "none", "required" or an object)");
        return;
    }
    const Fields choice(*value, "tool_choice", fields.faults());
    const auto type = choice.needed_text("type");
    if (type == "function")
        body["tool_choice"] = json::object{
            {"type", "function"}, {"function", {{"name", choice.needed_text("name")}}}
        };
    else if (type == "allowed_tools")
        allow_tools(choice, body);
    else
        choice.wrong("type", R"("function" or "allowed_tools")");
}

void read_format(const Fields& fields, json::object& body) {
    const auto* value = fields.find("text");
    if (value == nullptr) return;
    const Fields text(*value, "text", fields.faults());
    if (text.find("format") == nullptr) return;
    const Fields format(*text.find("format"), "text.format", fields.faults());
    const auto type = format.needed_text("type");
    if (type == "text") return;
    if (type == "json_object") {
        body["response_format"] = json::object{{"type", "json_object"}};
    } else if (type != "json_schema") {
        format.wrong("type", R"("text", "json_object" or "json_schema")");
    } else if (const auto* schema = format.object("schema")) {
        const auto name = format.text("name").value_or("answer");
        body["response_format"] =
            schema_format(name, *schema, format.flag("strict").value_or(false));
    } else {
        format.fault("schema", "is missing; an object is needed");
    }
}

void read_reasoning_settings(const Fields& fields, json::object& body) {
    const auto* value = fields.find("reasoning");
    if (value == nullptr) return;
    const Fields reasoning(*value, "reasoning", fields.faults());
    const auto effort = reasoning.text("effort");
    if (!effort) return;
    if (*effort == "none") return set_thinking(body, false);
    const bool known = *effort == "minimal" || *effort == "low" || *effort == "medium";
    body["reasoning_effort"] = known ? *effort : "high";
}

void refuse_what_is_kept_by_servers(const Fields& fields) {
    fields.refuse(
        "previous_response_id", "answers are not kept here; send the whole conversation as `input`"
    );
    fields.refuse("conversation", "conversations are not kept here; send the whole one as `input`");
    fields.refuse("prompt", "prompts are not kept here; send the text as `instructions`");
    fields.refuse("background", "the answer comes on the connection that asked for it");
}

}  // namespace

Result<ChatForm> read_responses_request(const json::object& request) {
    Faults faults;
    const Fields fields(request, faults);
    ChatForm form;
    form.model = fields.needed_text("model");
    form.stream = fields.flag("stream").value_or(false);
    form.request = request;
    refuse_what_is_kept_by_servers(fields);
    read_input(fields, form.body);
    if (const auto most = fields.integer("max_output_tokens")) {
        if (*most < 1) fields.wrong("max_output_tokens", "a whole number above 0");
        form.body["max_tokens"] = *most;
    }
    copy_numbers(fields, {"temperature", "top_p"}, form.body);
    read_tools(fields, form.body);
    read_tool_choice(fields, form.body);
    if (const auto parallel = fields.flag("parallel_tool_calls"))
        form.body["parallel_tool_calls"] = *parallel;
    read_format(fields, form.body);
    read_reasoning_settings(fields, form.body);
    if (faults.any()) return std::unexpected(faults.error());
    finish_body(form);
    return form;
}

}  // namespace punie::translate
