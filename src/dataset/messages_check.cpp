#include "dataset/messages_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace punie::dataset {

namespace {

const std::vector<std::string> chat_keys = {"messages", "tools"};
const std::vector<std::string> message_keys = {"role", "content", "tool_calls", "tool_call_id"};

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\n\r") == std::string_view::npos;
}

bool begins_with_label(std::string_view text) {
    static constexpr std::array<std::string_view, 5> labels = {
        "Assistant:", "assistant:", "ASSISTANT:", "AI:", "assistant\n"
    };
    return std::ranges::any_of(labels, [&](auto label) { return text.starts_with(label); });
}

}  // namespace

Message::Message(const Node& object) : node(object) {
    for (const auto& member : elements(object)) {
        const auto key = member.key;
        if (key == "role") {
            role_node = &member;
        } else if (key == "content") {
            content = &member;
        } else if (key == "tool_calls") {
            calls = member.is(Node::Kind::null) ? nullptr : &member;
        } else if (key == "tool_call_id") {
            call_id = &member;
        } else if (key == "weight") {
            weight = &member;
        } else if (key == "function_call") {
            old_call = member.is(Node::Kind::null) ? nullptr : &member;
        } else if (key == "reasoning_content") {
            reasoning = &member;
        } else {
            other_keys = true;
        }
    }
    if (role_node != nullptr && role_node->is_string()) role = role_node->text;
}

MessagesCheck::MessagesCheck(RowChecker& checker, const Node& row)
    : row_(checker), object_(row), tools_(checker, row.find("tools")) {}

void MessagesCheck::run() {
    row_.check_keys(object_, chat_keys);
    for (const auto& member : elements(object_)) {
        if (member.key == "functions" || member.key == "function_call")
            row_.find(
                "D212",
                &member,
                fmt::format("\"{}\" is the field of an older interface", member.key)
            );
    }
    const auto* messages = object_.find("messages");
    if (!messages->is_array())
        return row_.find(
            "D302",
            messages,
            fmt::format("messages is {}; it must be a list", kind_words(*messages))
        );
    if (messages->count == 0) return row_.find("D301", messages, "messages is empty");
    // What the answer follows is known once the last assistant message is.
    for (const auto& element : elements(*messages)) {
        if (element.string("role") == "assistant") last_answer_ = &element;
    }
    for (const auto& element : elements(*messages)) {
        if (&element == last_answer_) {
            row_.facts_.prompt_hash = row_.words_.hash();
            row_.facts_.prompt_words = row_.words_.words();
            row_.facts_.estimated_prompt_tokens = row_.facts_.estimated_tokens;
        }
        message(element);
        ++index_;
    }
    end(*messages);
}

void MessagesCheck::message(const Node& node) {
    last_ = &node;
    if (!node.is_object())
        return row_.find(
            "D302", &node, fmt::format("a message is {}; it must be an object", kind_words(node))
        );
    constexpr std::size_t tokens_of_a_frame = 4;
    row_.facts_.estimated_tokens += tokens_of_a_frame;
    const Message message(node);
    check_fields(message);
    if (message.role_node == nullptr) return row_.find("D303", &node, "a message without a role");
    if (!message.role_node->is_string()) {
        return row_.find(
            "D303",
            message.role_node,
            fmt::format("role is {}; it must be a string", kind_words(*message.role_node))
        );
    }
    check_role(message);
    check_order(message);
    content(message);
    before_ = message.role;
}

void MessagesCheck::check_fields(const Message& message) {
    if (message.other_keys) row_.check_keys(message.node, message_keys);
    if (message.weight != nullptr && message.weight->text.starts_with('0'))
        row_.find("D213", message.weight, "the message has weight 0");
    if (message.old_call != nullptr)
        row_.find("D212", message.old_call, "\"function_call\" is the field of an older interface");
}

void MessagesCheck::check_role(const Message& message) {
    const auto role = message.role;
    if (is_known_role(role)) return;
    const auto standard = standard_role(role);
    if (!standard.empty()) {
        return row_.find(
            "D304",
            message.role_node,
            fmt::format("role \"{}\" is called \"{}\" here", role, standard)
        );
    }
    const auto close = nearest(role, {"user", "assistant", "system", "tool"});
    row_.find(
        "D304",
        message.role_node,
        close ? fmt::format("unknown role \"{}\"; was \"{}\" meant?", printable(role), *close)
              : fmt::format("unknown role \"{}\"", printable(role))
    );
}

void MessagesCheck::check_order(const Message& message) {
    const auto role = message.role;
    if (role == "system" && index_ > 0) {
        row_.find(
            "D305",
            &message.node,
            before_ == "system" ? "a second system message" : "a system message after others"
        );
    }
    const bool twice = role == before_ && (role == "user" || role == "assistant");
    if (twice) row_.find("D306", &message.node, fmt::format("two {} messages in a row", role));
    if (role == "assistant" && !asked_ && !begins_with_assistant_told_) {
        begins_with_assistant_told_ = true;
        row_.find("D308", &message.node, "the assistant speaks before anybody has asked");
    }
    if (role == "user" || role == "tool") asked_ = true;
}

void MessagesCheck::missing_content(const Message& message) {
    const bool calling = message.has_calls() || message.old_call != nullptr;
    if (message.role == "assistant" && calling) return;
    if (message.role == "assistant" && message.reasoning != nullptr)
        return row_.find("D311", &message.node, "the assistant thinks and says nothing");
    row_.find(
        "D310",
        message.content != nullptr ? message.content : &message.node,
        fmt::format("{} message without content", message.role)
    );
}

void MessagesCheck::wrong_content(const Message& message) {
    const auto& content = *message.content;
    const auto all_text = [](const Node& parts) {
        return std::ranges::all_of(elements(parts), [](const Node& part) {
            return part.string("type") == "text" && part.string("text").has_value();
        });
    };
    if (content.is_array() && content.count > 0 && all_text(content)) {
        row_.find("D313", &content, "content is a list of text parts; it should be one string");
        for (const auto& part : elements(content)) row_.take_text(*part.find("text"), message.role);
        return;
    }
    row_.find(
        "D312",
        &content,
        content.is_array()
            ? "content is a list, and not of text parts alone (images and sound are not trained)"
            : fmt::format(
                  "content of the {} message is {}; it must be a string",
                  message.role,
                  kind_words(content)
              )
    );
}

void MessagesCheck::string_content(const Message& message) {
    const auto& content = *message.content;
    const auto role = message.role;
    const auto text = content.text;
    if (role == "system" && !row_.facts_.system) row_.facts_.system = text;
    if (!is_blank(text)) {
        row_.take_text(content, role);
        if (role == "assistant" && begins_with_label(text)) {
            const auto label = text.substr(0, text.find_first_of(":\n") + 1);
            row_.find("D320", &content, fmt::format("the answer begins with \"{}\"", trim(label)));
        }
        return;
    }
    if (role == "user") row_.find("D314", &content, "an empty user message");
    if (role == "assistant" && !message.has_calls() && message.old_call == nullptr)
        row_.find("D311", &content, "an empty assistant message");
}

void MessagesCheck::content(const Message& message) {
    std::optional<std::string_view> text;
    if (message.content == nullptr || message.content->is(Node::Kind::null)) {
        missing_content(message);
    } else if (message.content->is_string()) {
        text = message.content->text;
        string_content(message);
    } else {
        wrong_content(message);
    }
    if (message.role == "assistant") return answer(message, text);
    if (message.calls != nullptr)
        row_.find("D421", message.calls, fmt::format("a {} message with tool_calls", message.role));
    if (message.role == "tool" || message.role == "function") {
        tools_.result(message);
    } else {
        tools_.other();
    }
}

void MessagesCheck::answer(const Message& message, std::optional<std::string_view> text) {
    auto& facts = row_.facts_;
    facts.has_assistant = true;
    // The text was just looked at; nearly no answer has a sign of a call or a thought in it.
    const auto& signs = row_.signs_;
    const bool marked = text && (signs.angle || signs.square || trim(*text).starts_with('{'));
    if (marked && text->find("<think>") != std::string_view::npos) facts.thinks = true;
    if (message.reasoning != nullptr && message.reasoning->is_string() &&
        !message.reasoning->text.empty())
        facts.thinks = true;
    if (&message.node == last_answer_) facts.answer = text.value_or("");
    tools_.assistant(message, text, marked);
}

void MessagesCheck::end(const Node& messages) {
    tools_.end();
    if (!row_.facts_.has_assistant)
        return row_.find("D309", &messages, "no message of the assistant");
    if (last_ == nullptr || !last_->is_object()) return;
    const auto role = last_->string("role").value_or("");
    if (role != "assistant" && !role.empty())
        row_.find("D307", last_, fmt::format("the last message is the {}'s", role));
}

}  // namespace punie::dataset
