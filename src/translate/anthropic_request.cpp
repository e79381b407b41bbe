// https://docs.anthropic.com/en/api/messages; names and types as in the package `anthropic` 2.13
// (anthropic/types/message_create_params.py).

#include "translate/anthropic_request.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json_equal.hpp"
#include "translate/chat_messages.hpp"
#include "translate/fields.hpp"

namespace punie::translate {

namespace {

void read_image(const Fields& block, Parts& parts) {
    if (block.find("source") == nullptr) return block.fault("source", "is missing");
    const Fields source(*block.find("source"), block.path_of("source"), block.faults());
    const auto type = source.needed_text("type");
    if (type == "url") return parts.image(source.needed_text("url"));
    if (type == "base64") {
        const auto media = source.needed_text("media_type");
        return parts.image(fmt::format("data:{};base64,{}", media, source.needed_text("data")));
    }
    source.wrong("type", R"("base64" or "url" (files are not kept here))");
}

void read_blocks(const Fields& holder, std::string_view name, Parts& parts);

void read_document(const Fields& block, Parts& parts) {
    if (block.find("source") == nullptr) return block.fault("source", "is missing");
    const Fields source(*block.find("source"), block.path_of("source"), block.faults());
    const auto type = source.needed_text("type");
    for (const std::string_view name : {"title", "context"}) {
        if (const auto text = block.text(name)) parts.text(*text);
    }
    if (type == "text") return parts.text(source.needed_text("data"));
    if (type == "content") return read_blocks(source, "content", parts);
    source.wrong("type", R"("text" or "content" (a chat request cannot carry a PDF or a file))");
}

void read_search_result(const Fields& block, Parts& parts) {
    if (const auto title = block.text("title")) parts.text(*title);
    if (const auto source = block.text("source")) parts.text(*source);
    read_blocks(block, "content", parts);
}

/// Text, images and documents: what users and tools say.
bool read_plain_block(const Fields& block, std::string_view type, Parts& parts) {
    if (type == "text")
        parts.text(block.text("text").value_or(""));
    else if (type == "image")
        read_image(block, parts);
    else if (type == "document")
        read_document(block, parts);
    else if (type == "search_result")
        read_search_result(block, parts);
    else
        return false;
    return true;
}

/// A string or a list of plain blocks.
void read_blocks(const Fields& holder, std::string_view name, Parts& parts) {
    const auto* content = holder.find(name);
    if (content == nullptr) return;
    if (const auto* text = content->if_string()) return parts.text(*text);
    for (const auto& block : holder.list(name)) {
        const auto type = block.needed_text("type");
        if (!read_plain_block(block, type, parts))
            block.wrong("type", R"("text", "image", "document" or "search_result")");
    }
}

/// Results come first: a chat wants them behind the calls that they answer.
void read_user(const Fields& message, ChatMessages& messages) {
    Parts parts;
    if (const auto* text = message.find("content"); text != nullptr && text->is_string()) {
        parts.text(text->get_string());
        return messages.user(parts);
    }
    for (const auto& block : message.list("content")) {
        const auto type = block.needed_text("type");
        if (type == "tool_result") {
            Parts result;
            read_blocks(block, "content", result);
            if (block.flag("is_error").value_or(false) && result.empty()) result.text("error");
            messages.tool_result(block.needed_text("tool_use_id"), result);
            if (!result.has_images()) continue;
            const auto pictures = result.content();
            for (const auto& part : pictures.get_array()) {
                if (const auto* url = member(part, "image_url"))
                    parts.image(string_member(*url, "url").value_or(""));
            }
        } else if (!read_plain_block(block, type, parts)) {
            block.wrong("type", R"("text", "image", "document", "search_result" or "tool_result")");
        }
    }
    if (!parts.empty()) messages.user(parts);
}

void read_call(const Fields& block, ChatMessages& messages) {
    const auto* input = block.object("input");
    messages.assistant_call(
        block.needed_text("id"),
        block.needed_text("name"),
        input == nullptr ? std::string("{}") : to_text(*input)
    );
}

void read_assistant(const Fields& message, ChatMessages& messages) {
    messages.next();
    if (const auto* text = message.find("content"); text != nullptr && text->is_string())
        return messages.assistant_text(std::string_view(text->get_string()));
    for (const auto& block : message.list("content")) {
        const auto type = block.needed_text("type");
        if (type == "text")
            messages.assistant_text(block.text("text").value_or(""));
        else if (type == "thinking")
            messages.assistant_thinking(block.text("thinking").value_or(""));
        else if (type == "tool_use")
            read_call(block, messages);
        else if (type != "redacted_thinking")  // nobody here can read it
            block.wrong("type", R"("text", "thinking", "redacted_thinking" or "tool_use")");
    }
    messages.next();
}

void read_messages(const Fields& fields, ChatMessages& messages) {
    if (fields.find("system") != nullptr) {
        Parts parts;
        read_blocks(fields, "system", parts);
        if (!parts.empty()) messages.system(parts.plain());
    }
    const auto list = fields.list("messages");
    if (list.empty()) fields.fault("messages", "needs at least one message");
    for (const auto& message : list) {
        const auto role = message.needed_text("role");
        if (message.find("content") == nullptr) message.fault("content", "is missing");
        if (role == "user") {
            read_user(message, messages);
        } else if (role == "assistant") {
            read_assistant(message, messages);
        } else if (role == "system") {
            Parts parts;
            read_blocks(message, "content", parts);
            messages.system(parts.plain());
        } else {
            message.wrong("role", R"("user", "assistant" or "system")");
        }
    }
}

void read_tools(const Fields& fields, json::object& body) {
    json::array tools;
    for (const auto& tool : fields.list("tools")) {
        const auto type = tool.text("type").value_or("custom");
        if (type != "custom") {
            tool.wrong("type", R"("custom": tools that Anthropic runs itself do not exist here)");
            continue;
        }
        tool.object("input_schema");
        tools.emplace_back(function_tool(
            tool.needed_text("name"),
            tool.find("description"),
            tool.find("input_schema"),
            tool.find("strict")
        ));
    }
    if (!tools.empty()) body["tools"] = std::move(tools);
}

void read_tool_choice(const Fields& fields, json::object& body) {
    const auto* value = fields.find("tool_choice");
    if (value == nullptr) return;
    const Fields choice(*value, "tool_choice", fields.faults());
    const auto type = choice.needed_text("type");
    if (type == "auto")
        body["tool_choice"] = "auto";
    else if (type == "any")
        body["tool_choice"] = "required";
    else if (type == "none")
        body["tool_choice"] = "none";
    else if (type == "tool")
        body["tool_choice"] = json::object{
            {"type", "function"}, {"function", {{"name", choice.needed_text("name")}}}
        };
    else
        choice.wrong("type", R"("auto", "any", "tool" or "none")");
    if (const auto alone = choice.flag("disable_parallel_tool_use"))
        body["parallel_tool_calls"] = !*alone;
}

void read_thinking(const Fields& fields, json::object& body) {
    const auto* value = fields.find("thinking");
    if (value == nullptr) return;
    const Fields thinking(*value, "thinking", fields.faults());
    const auto type = thinking.needed_text("type");
    if (type == "enabled" || type == "adaptive" || type == "between_tools")
        set_thinking(body, true);
    else if (type == "disabled")
        set_thinking(body, false);
    else
        thinking.wrong("type", R"("enabled", "adaptive", "between_tools" or "disabled")");
}

void read_output(const Fields& fields, json::object& body) {
    const auto* value = fields.find("output_config");
    if (value == nullptr) return;
    const Fields output(*value, "output_config", fields.faults());
    if (const auto effort = output.text("effort")) {
        const bool known = *effort == "low" || *effort == "medium";
        body["reasoning_effort"] = known ? *effort : "high";
    }
    const auto* format = output.find("format");
    if (format == nullptr) return;
    const Fields schema(*format, "output_config.format", fields.faults());
    if (schema.needed_text("type") != "json_schema")
        schema.wrong("type", R"("json_schema")");
    else if (const auto* object = schema.object("schema"))
        body["response_format"] = schema_format("answer", *object, true);
    else
        schema.fault("schema", "is missing; an object is needed");
}

void read_limits(const Fields& fields, bool limited, json::object& body) {
    const auto most = fields.integer("max_tokens");
    if (limited && fields.find("max_tokens") == nullptr)
        fields.fault("max_tokens", "is missing; a whole number above 0 is needed");
    if (most && *most < 1) fields.wrong("max_tokens", "a whole number above 0");
    if (most) body["max_tokens"] = *most;
    copy_numbers(fields, {"temperature", "top_p", "top_k"}, body);
    const auto* stops = fields.array("stop_sequences");
    if (stops == nullptr || stops->empty()) return;
    for (std::size_t i = 0; i < stops->size(); ++i) {
        if ((*stops)[i].is_string()) continue;
        const auto found = describe_json((*stops)[i]);
        fields.faults().add(
            indexed("stop_sequences", i), fmt::format("found {}; expected a string", found)
        );
    }
    body["stop"] = *stops;
}

}  // namespace

Result<ChatForm> read_anthropic_request(const json::object& request, bool limited) {
    Faults faults;
    const Fields fields(request, faults);
    ChatForm form;
    form.model = fields.needed_text("model");
    form.stream = limited && fields.flag("stream").value_or(false);
    form.request = request;
    ChatMessages messages;
    read_messages(fields, messages);
    form.body["messages"] = messages.take();
    read_limits(fields, limited, form.body);
    read_tools(fields, form.body);
    read_tool_choice(fields, form.body);
    read_thinking(fields, form.body);
    read_output(fields, form.body);
    fields.refuse("container", "nothing is run on the server's side");
    fields.refuse("mcp_servers", "the client has to call them itself");
    if (faults.any()) return std::unexpected(faults.error());
    finish_body(form);
    return form;
}

}  // namespace punie::translate
