#pragma once
// The messages of a chat request, as the translated protocols put them together.

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "translate/protocol.hpp"

namespace punie::translate {

/// The parts of one message's content.
class Parts {
public:
    void text(std::string_view text);
    void image(std::string_view url);

    bool empty() const { return parts_.empty(); }

    bool has_images() const { return images_; }

    /// Text alone is one string, its parts on lines of their own: many servers know no lists.
    json::value content() const;
    /// Only the texts.
    std::string plain() const;

private:
    json::array parts_;
    bool images_ = false;
};

/// Puts messages in a row: system messages at the start become one (chat templates allow no more),
/// an assistant's thinking, text and calls become one message.
class ChatMessages {
public:
    void system(std::string_view text);
    void user(const Parts& parts);
    void assistant_text(std::string_view text);
    void assistant_thinking(std::string_view text);
    void assistant_call(std::string_view id, std::string_view name, std::string_view arguments);
    /// Images of a result follow in a user message: a tool's message is text.
    void tool_result(std::string_view id, const Parts& parts);
    /// What the assistant says from here on is a message of its own.
    void next();

    bool empty() const { return messages_.empty(); }

    json::array take();

private:
    json::object& assistant();

    json::array messages_;
    bool open_ = false;  // the last message is the assistant's and may grow
};

/// {"type": "function", "function": {...}}; members that are null are left out.
json::object function_tool(
    std::string_view name,
    const json::value* description,
    const json::value* parameters,
    const json::value* strict
);

/// {"type": "json_schema", "json_schema": {"name", "schema", "strict"}}.
json::object schema_format(std::string_view name, const json::value& schema, bool strict);

/// Thinking on or off, for the chat templates that can.
void set_thinking(json::object& body, bool on);

/// `model`, `stream` and, for streams, that the usage is asked for.
void finish_body(ChatForm& form);

}  // namespace punie::translate
