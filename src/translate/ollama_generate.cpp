// Ollama's POST /api/generate: a prompt, not a conversation.

#include <boost/json.hpp>

#include "translate/ollama_answer.hpp"
#include "translate/ollama_request.hpp"
#include "translate/protocols.hpp"

namespace punie::translate {

namespace {

class GenerateShape : public OllamaShape {
public:
    json::object piece(
        std::string_view text, std::string_view thinking, const json::array& /*calls*/
    ) const override {
        json::object members{{"response", text}};
        if (!thinking.empty()) members["thinking"] = thinking;
        return members;
    }
};

const GenerateShape shape;

void refuse_what_no_chat_has(const Fields& fields) {
    fields.refuse("suffix", "a chat cannot fill in a middle");
    fields.refuse("template", "the model's own chat template is used");
    fields.refuse("raw", "the model's own chat template is used; see /v1/completions");
    fields.refuse("context", "send the conversation as messages to /api/chat");
    fields.refuse("steps", "no images are made here");
}

void read_prompt(const Fields& fields, ChatForm& form) {
    ChatMessages messages;
    Parts parts;
    const auto prompt = fields.text("prompt").value_or("");
    if (!prompt.empty()) parts.text(prompt);
    read_ollama_images(fields, parts);
    if (parts.empty()) return ask_for_loading(fields, form);
    if (const auto system = fields.text("system"); system && !system->empty())
        messages.system(*system);
    messages.user(parts);
    form.body["messages"] = messages.take();
}

class OllamaGenerate : public OllamaProtocol {
public:
    OllamaGenerate() : OllamaProtocol(shape) {}

    std::string_view name() const override { return "ollama_generate"; }

    Result<ChatForm> request(const json::object& request) const override {
        Faults faults;
        const Fields fields(request, faults);
        ChatForm form;
        read_ollama_common(fields, form);
        refuse_what_no_chat_has(fields);
        read_prompt(fields, form);
        if (faults.any()) return std::unexpected(faults.error());
        finish_body(form);
        return form;
    }
};

}  // namespace

const Protocol& ollama_generate() {
    static const OllamaGenerate protocol;
    return protocol;
}

}  // namespace punie::translate
