#include "translate/call_beginnings.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.hpp"
#include "openai/tool_calls/reading.hpp"

namespace punie::translate {

namespace {

namespace calls = openai::tool_calls;

constexpr std::string_view blanks = " \t\r\n";
constexpr std::size_t longest_name = 128;
constexpr std::size_t longest_head = 300;  // of a harmony message
constexpr std::string_view fence = "```";

/// The keys of calls in JSON, in all their spellings.
constexpr std::array<std::string_view, 12> call_keys = {
    "name",
    "function",
    "arguments",
    "parameters",
    "id",
    "type",
    "tool_calls",
    "tool_name",
    "tool_call_id",
    "tool",
    "args",
    "input",
};

std::string_view without_blanks(std::string_view text) {
    return text.substr(std::min(text.find_first_not_of(blanks), text.size()));
}

/// `token` stands at the front of `text`, or as much of it as has come.
bool begins_with(std::string_view text, std::string_view token) {
    return text.starts_with(token) || token.starts_with(text);
}

/// A name that has ended names a tool; one that goes on may.
bool may_be_name(std::string_view text, std::size_t length, const ToolSet& tools) {
    if (length == text.size()) return length <= longest_name;
    return length > 0 && tools.has(text.substr(0, length));
}

/// A harmony message without a recipient is no call.
bool may_be_harmony_call(std::string_view text) {
    const auto body = text.find("<|message|>");
    if (body == std::string_view::npos) return text.size() <= longest_head;
    return text.substr(0, body).contains("to=");
}

/// The object's members as far as they have come: no key but a call's, and a tool's name.
class Members {
public:
    /// `other_keys`: they make it no less a call (behind a marker).
    Members(std::string_view text, const ToolSet& tools, bool other_keys = false)
        : text_(text), tools_(tools), other_keys_(other_keys) {}

    /// `text_` begins behind the opening brace.
    bool may_be_call() {
        while (true) {
            skip(" \t\r\n,");
            if (ended()) return true;
            if (text_[at_] == '}') return any_;
            if (text_[at_] != '"') return false;
            const auto key = string();
            const bool known = std::ranges::any_of(call_keys, [&](std::string_view name) {
                return ended_ ? name.starts_with(key) : name == key;
            });
            if (!known && !other_keys_) return false;
            if (ended_) return true;
            any_ = true;
            skip(" \t\r\n:");
            if (ended()) return true;
            if (!may_be_value(key)) return false;
            if (ended_) return true;
        }
    }

private:
    bool ended() const { return at_ >= text_.size(); }

    void skip(std::string_view bytes) {
        at_ = std::min(text_.find_first_not_of(bytes, at_), text_.size());
    }

    /// Over the string here; `ended_` if it does not end.
    std::string_view string() {
        const auto begin = ++at_;
        for (; !ended(); ++at_) {
            if (text_[at_] == '\\') {
                ++at_;
            } else if (text_[at_] == '"') {
                return text_.substr(begin, at_++ - begin);
            }
        }
        ended_ = true;
        return text_.substr(std::min(begin, text_.size()));
    }

    bool may_be_value(std::string_view key) {
        if (text_[at_] == '"') {
            const auto value = string();
            const bool names = key == "name" || key == "tool_name";
            return ended_ || !names || tools_.has(value);
        }
        int depth = 0;
        for (; !ended(); ++at_) {
            const char c = text_[at_];
            if (c == '"') {
                string();
                if (ended_) return true;
                --at_;
            } else if (c == '{' || c == '[') {
                ++depth;
            } else if ((c == ',' && depth == 0) || ((c == '}' || c == ']') && depth-- == 0)) {
                return true;
            }
        }
        ended_ = true;
        return true;
    }

    std::string_view text_;
    const ToolSet& tools_;
    bool other_keys_;
    std::size_t at_ = 0;
    bool any_ = false;
    bool ended_ = false;
};

/// Long texts are looked at whole only now and then: see may_stay_whole_call.
constexpr std::size_t looked_at = 256;

/// JSON behind a marker: a call, unless it names no tool.
bool may_be_tagged_json(std::string_view text, const ToolSet& tools) {
    if (text.starts_with('[')) text = without_blanks(text.substr(1));
    if (text.empty()) return true;
    if (!text.starts_with('{')) return false;
    constexpr bool other_keys = true;
    return Members(text.substr(1, looked_at), tools, other_keys).may_be_call();
}

/// Behind "<tool_call>": JSON, Qwen's <function=...>, or GLM's name and keys.
bool may_follow_tool_call(std::string_view text, const ToolSet& tools) {
    if (text.empty() || text.starts_with('{') || text.starts_with('['))
        return may_be_tagged_json(text, tools);
    if (text.starts_with('<'))
        return begins_with(text, "<function=") || begins_with(text, "<invoke");
    const auto length = calls::name_length(text);
    if (!may_be_name(text, length, tools)) return false;
    const auto behind = without_blanks(text.substr(length));
    return begins_with(behind, "<arg_key>") || begins_with(behind, "</tool_call>");
}

bool may_be_json_call(std::string_view text, const ToolSet& tools) {
    if (text.starts_with('[')) {
        text = without_blanks(text.substr(1));
        if (text.empty()) return true;
        if (!text.starts_with('{')) return false;
    }
    if (!text.starts_with('{')) return false;
    return Members(text.substr(1, looked_at), tools).may_be_call();
}

/// "[name(" of a tool.
bool may_be_pythonic(std::string_view text, const ToolSet& tools) {
    if (!text.starts_with('[')) return false;
    text = without_blanks(text.substr(1));
    if (text.empty()) return true;
    const auto length = calls::name_length(text);
    const bool digit = text.front() >= '0' && text.front() <= '9';
    if (digit || !may_be_name(text, length, tools)) return false;
    return length == text.size() || text[length] == '(';
}

/// What stands in the fence that the text begins with: behind its first line.
bool may_be_fenced_call(std::string_view text, const ToolSet& tools) {
    const auto line = text.find('\n');
    const auto language = trim(text.substr(fence.size(), line - fence.size()));
    const bool word =
        std::ranges::all_of(language, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    constexpr std::size_t longest_word = 12;
    if (!word || language.size() > longest_word) return false;
    if (line == std::string_view::npos) return true;
    const auto inside = without_blanks(text.substr(line + 1));
    return inside.empty() || may_be_json_call(inside, tools);
}

bool may_be_action(std::string_view text) {
    const auto behind = without_blanks(text);
    return behind.empty() || behind.starts_with('[') || begins_with(behind, fence);
}

}  // namespace

bool may_follow(std::string_view marker, std::string_view text, const ToolSet& tools) {
    if (marker == "<|channel|>" || marker == "<|start|>") return may_be_harmony_call(text);
    if (marker == "<function=") {
        const auto length = calls::name_length(text);
        if (!may_be_name(text, length, tools)) return false;
        return length == text.size() || text[length] == '>';
    }
    const auto behind = without_blanks(text);
    if (marker == "<tool_call>") return may_follow_tool_call(behind, tools);
    if (marker == "<function_call>" || marker == "<functioncall>" || marker == "<|tool_call|>" ||
        marker == "<|START_ACTION|>")
        return may_be_tagged_json(behind, tools);
    if (marker.ends_with("function_calls>") || marker == "<minimax:tool_call>")
        return behind.empty() || behind.starts_with('<');
    return true;  // the others are tokens that nobody talks about
}

bool may_begin_answer(std::string_view text, const ToolSet& tools) {
    constexpr std::string_view functools = "functools";
    constexpr std::string_view action = "Action:";
    if (text.starts_with('{') || text.starts_with('['))
        return may_be_json_call(text, tools) || may_be_pythonic(text, tools);
    if (text.starts_with(fence)) return may_be_fenced_call(text, tools);
    if (text.starts_with(functools)) {
        const auto behind = without_blanks(text.substr(functools.size()));
        return behind.empty() || behind.starts_with('[');
    }
    if (text.starts_with(action)) return may_be_action(text.substr(action.size()));
    return fence.starts_with(text) || functools.starts_with(text) || action.starts_with(text);
}

bool may_stay_whole_call(std::string_view text, const ToolSet& tools) {
    if (text.starts_with(fence)) {
        const auto close = text.find("\n```", fence.size());
        return close == std::string_view::npos || trim(text.substr(close + 4)).empty();
    }
    const bool list = text.starts_with('[');
    const auto first = without_blanks(text.substr(list ? 1 : 0));
    if (!first.starts_with('{')) return true;
    const auto read = calls::read_json_at(text, 0);
    if (read.state == calls::JsonAt::State::bad) return false;
    if (read.state == calls::JsonAt::State::cut)
        return Members(first.substr(1), tools).may_be_call();
    const auto behind = without_blanks(text.substr(read.end));
    return behind.empty() || behind.starts_with(';') || behind.starts_with('{');
}

}  // namespace punie::translate
