// Ollama's POST /api/chat.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "translate/ollama_answer.hpp"
#include "translate/ollama_request.hpp"
#include "translate/protocols.hpp"

namespace punie::translate {

namespace {

/// Calls without an answer so far: Ollama's results name the tool, a chat's the call.
class OpenCalls {
public:
    std::string add(std::string id, std::string name) {
        if (id.empty()) id = fmt::format("call_{}", count_);
        ++count_;
        open_.emplace_back(id, std::move(name));
        return id;
    }

    /// The oldest open call of that name; without a name the oldest.
    std::string take(std::string_view name) {
        const auto found = std::ranges::find_if(open_, [&](const auto& call) {
            return name.empty() || call.second == name;
        });
        if (found == open_.end()) return fmt::format("call_{}", count_++);
        auto id = std::move(found->first);
        open_.erase(found);
        return id;
    }

    void answered(std::string_view id) {
        std::erase_if(open_, [&](const auto& call) { return call.first == id; });
    }

private:
    std::vector<std::pair<std::string, std::string>> open_;
    std::size_t count_ = 0;
};

std::string arguments_text(const Fields& function) {
    const auto* arguments = function.find("arguments");
    if (arguments == nullptr) return "{}";
    if (const auto* text = arguments->if_string()) return std::string(*text);
    if (!arguments->is_object()) function.wrong("arguments", "an object");
    return to_text(*arguments);
}

void read_assistant(const Fields& message, ChatMessages& messages, OpenCalls& open) {
    messages.next();
    if (const auto thinking = message.text("thinking"); thinking && !thinking->empty())
        messages.assistant_thinking(*thinking);
    const auto text = message.text("content").value_or("");
    const auto calls = message.list("tool_calls");
    if (!text.empty() || calls.empty()) messages.assistant_text(text);
    for (const auto& call : calls) {
        if (call.find("function") == nullptr) {
            call.fault("function", "is missing; an object is needed");
            continue;
        }
        const Fields function(*call.find("function"), call.path_of("function"), call.faults());
        const auto name = function.needed_text("name");
        const auto id = open.add(call.text("id").value_or(""), name);
        messages.assistant_call(id, name, arguments_text(function));
    }
    messages.next();
}

void read_result(const Fields& message, ChatMessages& messages, OpenCalls& open) {
    Parts parts;
    parts.text(message.text("content").value_or(""));
    auto id = message.text("tool_call_id").value_or("");
    if (id.empty())
        id = open.take(message.text("tool_name").value_or(message.text("name").value_or("")));
    else
        open.answered(id);
    messages.tool_result(id, parts);
}

void read_message(const Fields& message, ChatMessages& messages, OpenCalls& open) {
    const auto role = message.needed_text("role");
    if (role == "assistant") return read_assistant(message, messages, open);
    if (role == "tool") return read_result(message, messages, open);
    if (role == "system") return messages.system(message.text("content").value_or(""));
    if (role != "user") return message.wrong("role", R"("system", "user", "assistant" or "tool")");
    Parts parts;
    const auto text = message.text("content").value_or("");
    if (!text.empty() || message.find("images") == nullptr) parts.text(text);
    read_ollama_images(message, parts);
    messages.user(parts);
}

void read_tools(const Fields& fields, json::object& body) {
    json::array tools;
    for (const auto& tool : fields.list("tools")) {
        const auto type = tool.text("type").value_or("function");
        if (type != "function") tool.wrong("type", R"("function")");
        const auto* inner = tool.find("function");
        if (inner == nullptr) {
            tool.fault("function", "is missing; an object is needed");
            continue;
        }
        const Fields function(*inner, tool.path_of("function"), tool.faults());
        function.object("parameters");
        tools.emplace_back(function_tool(
            function.needed_text("name"),
            function.find("description"),
            function.find("parameters"),
            nullptr
        ));
    }
    if (!tools.empty()) body["tools"] = std::move(tools);
}

class ChatShape : public OllamaShape {
public:
    json::object piece(std::string_view text, std::string_view thinking, const json::array& calls)
        const override {
        json::object message{{"role", "assistant"}, {"content", text}};
        if (!thinking.empty()) message["thinking"] = thinking;
        if (!calls.empty()) message["tool_calls"] = calls;
        return {{"message", std::move(message)}};
    }
};

const ChatShape shape;

class OllamaChat : public OllamaProtocol {
public:
    OllamaChat() : OllamaProtocol(shape) {}

    std::string_view name() const override { return "ollama_chat"; }

    Result<ChatForm> request(const json::object& request) const override {
        Faults faults;
        const Fields fields(request, faults);
        ChatForm form;
        read_ollama_common(fields, form);
        ChatMessages messages;
        OpenCalls open;
        for (const auto& message : fields.list("messages")) read_message(message, messages, open);
        read_tools(fields, form.body);
        if (messages.empty())
            ask_for_loading(fields, form);
        else
            form.body["messages"] = messages.take();
        if (faults.any()) return std::unexpected(faults.error());
        finish_body(form);
        return form;
    }
};

}  // namespace

const Protocol& ollama_chat() {
    static const OllamaChat protocol;
    return protocol;
}

}  // namespace punie::translate
