#include "dataset/messages_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace punie::dataset {

namespace {

const std::vector<std::string> message_keys = {
    "role",
    "content",
    "tool_calls",
    "tool_call_id",
    "name",
    "weight",
    "reasoning_content",
    "thinking",
    "reasoning",
    "refusal",
    "audio",
    "function_call",
    "train",
    "id",
    "metadata",
    "type"
};

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

MessagesCheck::MessagesCheck(RowChecker& checker, const Node& row)
    : row_(checker), object_(row), tools_(checker, row.find("tools")) {}

void MessagesCheck::run() {
    row_.check_keys(object_, {"tools"});
    for (const auto* old : {"functions", "function_call"}) {
        if (const auto* node = object_.find(old); node != nullptr)
            row_.find("D212", node, fmt::format("\"{}\" is the field of an older interface", old));
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

void MessagesCheck::message(const Node& message) {
    last_ = &message;
    if (!message.is_object())
        return row_.find(
            "D302",
            &message,
            fmt::format("a message is {}; it must be an object", kind_words(message))
        );
    constexpr std::size_t tokens_of_a_frame = 4;
    row_.facts_.estimated_tokens += tokens_of_a_frame;
    row_.check_keys(message, message_keys);
    if (const auto* weight = message.find("weight");
        weight != nullptr && weight->text.starts_with('0'))
        row_.find("D213", weight, "the message has weight 0");
    if (const auto* old = message.find("function_call");
        old != nullptr && !old->is(Node::Kind::null))
        row_.find("D212", old, "\"function_call\" is the field of an older interface");
    const auto* role = message.find("role");
    if (role == nullptr) return row_.find("D303", &message, "a message without a role");
    if (!role->is_string())
        return row_.find(
            "D303", role, fmt::format("role is {}; it must be a string", kind_words(*role))
        );
    check_role(message, role->text);
    check_order(message, role->text);
    content(message, role->text);
    before_ = role->text;
}

void MessagesCheck::check_role(const Node& message, std::string_view role) {
    if (is_known_role(role)) return;
    const auto* node = message.find("role");
    const auto standard = standard_role(role);
    if (!standard.empty())
        return row_.find(
            "D304", node, fmt::format("role \"{}\" is called \"{}\" here", role, standard)
        );
    const auto close = nearest(role, {"user", "assistant", "system", "tool"});
    row_.find(
        "D304",
        node,
        close ? fmt::format("unknown role \"{}\"; was \"{}\" meant?", printable(role), *close)
              : fmt::format("unknown role \"{}\"", printable(role))
    );
}

void MessagesCheck::check_order(const Node& message, std::string_view role) {
    if (role == "system" && index_ > 0)
        row_.find(
            "D305",
            &message,
            before_ == "system" ? "a second system message" : "a system message after others"
        );
    const bool twice = role == before_ && (role == "user" || role == "assistant");
    if (twice) row_.find("D306", &message, fmt::format("two {} messages in a row", role));
    if (role == "assistant" && !asked_ && !begins_with_assistant_told_) {
        begins_with_assistant_told_ = true;
        row_.find("D308", &message, "the assistant speaks before anybody has asked");
    }
    if (role == "user" || role == "tool") asked_ = true;
}

void MessagesCheck::missing_content(const Node& message, std::string_view role) {
    const auto* calls = message.find("tool_calls");
    const bool calling = (calls != nullptr && calls->is_array() && calls->count > 0) ||
                         message.find("function_call") != nullptr;
    if (role == "assistant" && calling) return;
    const auto* content = message.find("content");
    const bool thinking = message.string("reasoning_content").has_value();
    if (role == "assistant" && thinking)
        return row_.find("D311", &message, "the assistant thinks and says nothing");
    row_.find(
        "D310",
        content != nullptr ? content : &message,
        fmt::format("{} message without content", role)
    );
}

void MessagesCheck::wrong_content(const Node& content, std::string_view role) {
    const auto all_text = [](const Node& parts) {
        return std::ranges::all_of(elements(parts), [](const Node& part) {
            return part.string("type") == "text" && part.string("text").has_value();
        });
    };
    if (content.is_array() && content.count > 0 && all_text(content)) {
        row_.find("D313", &content, "content is a list of text parts; it should be one string");
        for (const auto& part : elements(content)) row_.take_text(*part.find("text"), role);
        return;
    }
    if (content.is_array())
        return row_.find(
            "D312",
            &content,
            "content is a list, and not of text parts alone (images and sound are not trained)"
        );
    row_.find(
        "D312",
        &content,
        fmt::format(
            "content of the {} message is {}; it must be a string", role, kind_words(content)
        )
    );
}

void MessagesCheck::string_content(
    const Node& message, const Node& content, std::string_view role
) {
    const auto text = content.text;
    if (role == "system" && !row_.facts_.system) row_.facts_.system = text;
    if (!is_blank(text)) {
        row_.take_text(content, role);
        if (role == "assistant" && begins_with_label(text))
            row_.find(
                "D320",
                &content,
                fmt::format(
                    "the answer begins with \"{}\"",
                    trim(text.substr(0, text.find_first_of(":\n") + 1))
                )
            );
        return;
    }
    if (role == "user") row_.find("D314", &content, "an empty user message");
    if (role != "assistant") return;
    const auto* calls = message.find("tool_calls");
    if (calls == nullptr || !calls->is_array() || calls->count == 0)
        row_.find("D311", &content, "an empty assistant message");
}

void MessagesCheck::content(const Node& message, std::string_view role) {
    const auto* content = message.find("content");
    std::optional<std::string_view> text;
    if (content == nullptr || content->is(Node::Kind::null)) {
        missing_content(message, role);
    } else if (content->is_string()) {
        text = content->text;
        string_content(message, *content, role);
    } else {
        wrong_content(*content, role);
    }
    const auto* calls = message.find("tool_calls");
    if (calls != nullptr && role != "assistant" && !calls->is(Node::Kind::null))
        row_.find("D421", calls, fmt::format("a {} message with tool_calls", role));
    if (role == "assistant") {
        row_.facts_.has_assistant = true;
        if (text && text->find("<think>") != std::string_view::npos) row_.facts_.thinks = true;
        if (message.string("reasoning_content").value_or("").size() > 0) row_.facts_.thinks = true;
        if (&message == last_answer_) row_.facts_.answer = text.value_or("");
        tools_.assistant(message, text);
    } else if (role == "tool" || role == "function") {
        tools_.result(message);
    } else {
        tools_.other();
    }
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
