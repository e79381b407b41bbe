#pragma once
// A conversation: roles, their order, contents, and with `ToolsCheck` the calls and results in it.
// Parts of RowChecker, which owns what they write to.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/json_row.hpp"
#include "dataset/row_check.hpp"

namespace punie::dataset {

/// The members of a message that are looked at, found in one pass.
struct Message {
    explicit Message(const Node& object);

    const Node& node;
    const Node* role_node = nullptr;
    const Node* content = nullptr;
    const Node* calls = nullptr;  ///< nullptr if null
    const Node* call_id = nullptr;
    const Node* weight = nullptr;
    const Node* old_call = nullptr;   ///< function_call
    const Node* reasoning = nullptr;  ///< reasoning_content
    std::string_view role{};
    bool other_keys = false;

    bool has_calls() const { return calls != nullptr && calls->is_array() && calls->count > 0; }
};

/// Calls against the declared tools, results against the calls.
class ToolsCheck {
public:
    ToolsCheck(RowChecker& row, const Node* declared);

    /// An assistant message; `content` is its text, if it has one; `marked`: there may be a call in
    /// it.
    void assistant(const Message& message, std::optional<std::string_view> content, bool marked);
    void result(const Message& message);
    /// A message that is neither: all calls before it must have been answered.
    void other();
    /// After the last message.
    void end();

private:
    struct Call {
        std::string_view id;
        const Node* node = nullptr;
        bool answered = false;
    };

    void call(const Node& call);
    void check_arguments(const Node& arguments, const ToolSpec* tool);
    void check_parsed(const Node& at, const json::value& arguments, const ToolSpec* tool);
    const ToolSpec* declared_tool(const Node& call, std::string_view name);
    void expect_answers();
    void note_preamble(std::optional<std::string_view> content, bool structured);

    RowChecker& row_;
    std::shared_ptr<const ToolList> tools_;
    std::vector<Call> open_;
    std::vector<std::string_view> ids_;
    bool undeclared_told_ = false;
    bool unanswered_told_ = false;
};

class MessagesCheck {
public:
    MessagesCheck(RowChecker& checker, const Node& row);
    void run();

private:
    void message(const Node& node);
    void check_fields(const Message& message);
    void check_role(const Message& message);
    void check_order(const Message& message);
    void content(const Message& message);
    void missing_content(const Message& message);
    void string_content(const Message& message);
    void wrong_content(const Message& message);
    void answer(const Message& message, std::optional<std::string_view> text);
    void end(const Node& messages);

    RowChecker& row_;
    const Node& object_;
    ToolsCheck tools_;
    std::size_t index_ = 0;
    std::string_view before_;  ///< role of the message before
    const Node* last_ = nullptr;
    const Node* last_answer_ = nullptr;
    bool asked_ = false;  ///< a user or tool has spoken
    bool begins_with_assistant_told_ = false;
};

}  // namespace punie::dataset
