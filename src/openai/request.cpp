#include "openai/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/text.hpp"

namespace punie::openai {

namespace {

/// The members of an object in the order in which they are added; values are JSON text.
class Body {
public:
    bool has(std::string_view name) const {
        return std::ranges::any_of(fields_, [&](const auto& field) { return field.first == name; });
    }

    void add(std::string name, std::string value) {
        fields_.emplace_back(std::move(name), std::move(value));
    }

    std::string text() const {
        std::string out = "{";
        for (const auto& [name, value] : fields_) {
            if (out.size() > 1) out += ',';
            out += to_text(json::value(name)) + ':' + value;
        }
        return out + '}';
    }

private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

Result<std::string> string_json(std::string_view text, std::string_view field) {
    auto quoted = to_text(json::value(json::string_view(text.data(), text.size())));
    // The parser checks what the serializer does not: a body with stray bytes would be the server's
    // riddle.
    if (!parse_json(quoted)) {
        return fail(
            ErrorCode::invalid_argument, fmt::format("{}: the text is not valid UTF-8", field)
        );
    }
    return quoted;
}

Result<std::string> number_json(double number, std::string_view field) {
    if (std::isfinite(number)) return fmt::format("{}", number);
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("{}: {} was given; a finite number is needed", field, number)
    );
}

Result<std::string> raw_json(std::string_view text, std::string_view field) {
    if (auto value = parse_json(text); !value) {
        const auto shown = printable(text.substr(0, 80));
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "{}: `{}` was given, which is not JSON ({})", field, shown, value.error().message()
            ),
            R"(a text value needs its quotation marks: "\"text\"" in C++, '"text"' in a shell)"
        );
    }
    return std::string(trim(text));
}

std::string quoted_or_empty(const std::string& text) {
    return to_text(json::value(text));
}

Result<std::string> call_json(const ToolCall& call, const std::string& where) {
    auto name = string_json(call.name, where + ".name");
    if (!name) return name;
    auto arguments = string_json(call.arguments, where + ".arguments");
    if (!arguments) return arguments;
    return fmt::format(
        R"({{"id":{},"type":"function","function":{{"name":{},"arguments":{}}}}})",
        quoted_or_empty(call.id),
        *name,
        *arguments
    );
}

Result<std::string> message_json(const ChatMessage& message, const std::string& where) {
    static constexpr std::array<std::string_view, 5> roles = {
        "system", "user", "assistant", "tool", "developer"
    };
    if (std::ranges::find(roles, message.role) == roles.end()) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "{}.role: `{}` was given; allowed are system, user, assistant, tool and developer",
                where,
                printable(message.role)
            )
        );
    }
    auto content = string_json(message.content, where + ".content");
    if (!content) return content;
    auto out = fmt::format(R"({{"role":"{}","content":{})", message.role, *content);
    for (std::size_t i = 0; i < message.tool_calls.size(); ++i) {
        auto call = call_json(message.tool_calls[i], fmt::format("{}.tool_calls[{}]", where, i));
        if (!call) return call;
        out += (i == 0 ? R"(,"tool_calls":[)" : ",") + *call;
    }
    if (!message.tool_calls.empty()) out += ']';
    if (!message.tool_call_id.empty())
        out += R"(,"tool_call_id":)" + quoted_or_empty(message.tool_call_id);
    return out + '}';
}

Result<std::string> tool_json(const ToolDefinition& tool, const std::string& where) {
    auto name = string_json(tool.name, where + ".name");
    if (!name) return name;
    auto description = string_json(tool.description, where + ".description");
    if (!description) return description;
    auto parameters = raw_json(tool.parameters, where + ".parameters");
    if (!parameters) return parameters;
    return fmt::format(
        R"({{"type":"function","function":{{"name":{},"description":{},"parameters":{}}}}})",
        *name,
        *description,
        *parameters
    );
}

/// "[a,b]" of what `one` makes of each item.
template <typename Items, typename One>
Result<std::string> array_json(const Items& items, std::string_view field, One one) {
    std::string out = "[";
    for (std::size_t i = 0; i < items.size(); ++i) {
        auto item = one(items[i], fmt::format("{}[{}]", field, i));
        if (!item) return item;
        if (i > 0) out += ',';
        out += *item;
    }
    return out + ']';
}

/// Adds what succeeded; remembers the first that did not.
class Adder {
public:
    explicit Adder(Body& body) : body_(body) {}

    void operator()(std::string name, Result<std::string> value) {
        if (error_) return;
        if (value) return body_.add(std::move(name), std::move(*value));
        error_ = std::move(value).error();
    }

    const std::optional<Error>& error() const { return error_; }

private:
    Body& body_;
    std::optional<Error> error_;
};

/// The fields that ChatRequest has members for.
Result<void> add_typed(Body& body, const ChatRequest& request, const BodyOptions& options) {
    Adder add(body);
    add("model", string_json(request.model ? *request.model : options.model, "model"));
    add("messages", array_json(request.messages, "messages", message_json));
    if (!request.tools.empty()) add("tools", array_json(request.tools, "tools", tool_json));
    if (request.max_tokens) add("max_tokens", std::to_string(*request.max_tokens));
    if (request.temperature) add("temperature", number_json(*request.temperature, "temperature"));
    if (request.top_p) add("top_p", number_json(*request.top_p, "top_p"));
    if (request.seed) add("seed", std::to_string(*request.seed));
    if (request.logprobs) add("logprobs", "true");
    if (request.logprobs && *request.logprobs > 0)
        add("top_logprobs", std::to_string(*request.logprobs));
    if (!request.stop.empty()) add("stop", array_json(request.stop, "stop", string_json));
    if (options.stream) {
        add("stream", "true");
        add("stream_options", R"({"include_usage":true})");
    }
    if (add.error()) return std::unexpected(*add.error());
    return {};
}

Result<void> add_extra(Body& body, const ChatRequest& request, const BodyOptions& options) {
    for (const auto& [name, value] : request.extra) {
        const auto field = "extra." + printable(name);
        if (name == "stream" && !options.stream) {
            return fail(
                ErrorCode::invalid_argument,
                field + ": whether to stream is decided by the call, not by a field"
            );
        }
        if (body.has(name)) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format(
                    "{}: the request sets `{}` as well; give it once", field, printable(name)
                )
            );
        }
        auto json_text = raw_json(value, field);
        if (!json_text) return std::unexpected(std::move(json_text).error());
        body.add(name, std::move(*json_text));
    }
    return {};
}

/// OpenAI renamed max_tokens; servers prefer the new name, so a default under the old one must not
/// join it.
std::string_view twin_of(std::string_view field) {
    if (field == "max_tokens") return "max_completion_tokens";
    if (field == "max_completion_tokens") return "max_tokens";
    return field;
}

}  // namespace

Result<std::string> build_request_body(const ChatRequest& request, const BodyOptions& options) {
    if (request.messages.empty()) {
        return fail(
            ErrorCode::invalid_argument, "messages: none was given; at least one is needed"
        );
    }
    Body body;
    if (auto typed = add_typed(body, request, options); !typed)
        return std::unexpected(std::move(typed).error());
    if (auto extra = add_extra(body, request, options); !extra)
        return std::unexpected(std::move(extra).error());
    for (const auto& [name, value] : options.defaults) {
        if (body.has(name) || body.has(twin_of(name))) continue;
        auto json_text = raw_json(value, "request_defaults." + printable(name));
        if (!json_text) return json_text;
        body.add(name, std::move(*json_text));
    }
    return body.text();
}

Result<void> check_json_fields(
    const std::map<std::string, std::string>& fields, const std::string& where
) {
    for (const auto& [name, value] : fields) {
        if (auto json_text = raw_json(value, where + '.' + printable(name)); !json_text) {
            return std::unexpected(std::move(json_text).error());
        }
    }
    return {};
}

}  // namespace punie::openai
