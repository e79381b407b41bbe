// https://github.com/ollama/ollama/blob/main/docs/api.md; names as in the package `ollama` 0.6
// (ollama/_types.py).

#include "translate/ollama_request.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>

#include "base/json_equal.hpp"

namespace punie::translate {

namespace {

struct Renamed {
    std::string_view from;
    std::string_view to;
};

/// Options with a counterpart; the others are about how Ollama loads a model.
constexpr std::array options = {
    Renamed{"temperature", "temperature"},
    Renamed{"top_p", "top_p"},
    Renamed{"top_k", "top_k"},
    Renamed{"min_p", "min_p"},
    Renamed{"seed", "seed"},
    Renamed{"presence_penalty", "presence_penalty"},
    Renamed{"frequency_penalty", "frequency_penalty"},
    Renamed{"repeat_penalty", "repetition_penalty"},
    Renamed{"repeat_last_n", "repetition_context_size"},
};

void read_stop(const Fields& fields, json::object& body) {
    const auto* stop = fields.find("stop");
    if (stop == nullptr) return;
    if (stop->is_string()) {
        body["stop"] = json::array{*stop};
        return;
    }
    const auto* list = stop->if_array();
    if (list == nullptr) return fields.wrong("stop", "a string or a list of strings");
    for (const auto& word : *list) {
        if (!word.is_string()) return fields.wrong("stop", "a list of strings");
    }
    if (!list->empty()) body["stop"] = *list;
}

void read_options(const Fields& fields, json::object& body) {
    const auto* value = fields.find("options");
    if (value == nullptr) return;
    const Fields given(*value, "options", fields.faults());
    for (const auto& option : options) {
        if (const auto* number = given.number(option.from)) body[option.to] = *number;
    }
    // -1 is without end, -2 until the context is full: both are the server's to say.
    if (const auto most = given.integer("num_predict"); most && *most > 0)
        body["max_tokens"] = *most;
    read_stop(given, body);
}

void read_format(const Fields& fields, json::object& body) {
    const auto* format = fields.find("format");
    if (format == nullptr || *format == "") return;
    if (*format == "json")
        body["response_format"] = json::object{{"type", "json_object"}};
    else if (format->is_object())
        body["response_format"] = schema_format("answer", *format, true);
    else
        fields.wrong("format", R"("json" or a JSON schema)");
}

void read_think(const Fields& fields, json::object& body) {
    const auto* think = fields.find("think");
    if (think == nullptr) return;
    if (const auto* flag = think->if_bool()) return set_thinking(body, *flag);
    const auto* effort = think->if_string();
    if (effort == nullptr)
        return fields.wrong("think", R"(true, false, "low", "medium" or "high")");
    set_thinking(body, true);
    body["reasoning_effort"] = *effort;
}

/// By the first bytes, as base64 shows them.
std::string_view media_of(std::string_view base64) {
    if (base64.starts_with("/9j/")) return "image/jpeg";
    if (base64.starts_with("R0lGOD")) return "image/gif";
    if (base64.starts_with("UklGR")) return "image/webp";
    return "image/png";
}

constexpr std::string_view loading = "punie_loading";  // in the kept request only

}  // namespace

void read_ollama_common(const Fields& fields, ChatForm& form) {
    form.model = fields.needed_text("model");
    form.stream = fields.flag("stream").value_or(true);
    form.request = fields.value();
    form.request.erase(loading);
    read_options(fields, form.body);
    read_format(fields, form.body);
    read_think(fields, form.body);
}

void read_ollama_images(const Fields& fields, Parts& parts) {
    const auto* images = fields.array("images");
    if (images == nullptr) return;
    for (std::size_t i = 0; i < images->size(); ++i) {
        const auto* data = (*images)[i].if_string();
        if (data == nullptr) {
            const auto found = describe_json((*images)[i]);
            fields.faults().add(
                indexed(fields.path_of("images"), i),
                fmt::format("found {}; expected the image in base64", found)
            );
            return;
        }
        const std::string_view text = *data;
        parts.image(
            text.starts_with("data:") ? std::string(text)
                                      : fmt::format("data:{};base64,{}", media_of(text), text)
        );
    }
}

void ask_for_loading(const Fields& fields, ChatForm& form) {
    const auto* kept = fields.find("keep_alive");
    const bool zero = kept != nullptr && ((kept->is_number() && kept->to_number<double>() == 0) ||
                                          *kept == "0" || *kept == "0s" || *kept == "0m");
    if (zero) {
        return fields.fault(
            "keep_alive", "0 without any text would unload the model; use `punie unload MODEL`"
        );
    }
    form.stream = false;
    form.request[loading] = true;
    form.body["max_tokens"] = 1;
    form.body["messages"] = json::array{json::object{{"role", "user"}, {"content", "."}}};
}

bool asks_for_loading(const ChatForm& form) {
    return form.request.contains(loading);
}

}  // namespace punie::translate
