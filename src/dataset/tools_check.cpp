#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "dataset/messages_check.hpp"

namespace punie::dataset {

namespace {

/// What stands before the call, without a thinking block.
std::string_view before_the_call(std::string_view content, std::size_t call) {
    auto text = content.substr(0, call);
    if (const auto thought = text.rfind("</think>"); thought != std::string_view::npos)
        text.remove_prefix(thought + std::string_view("</think>").size());
    return trim(text);
}

/// Where a call begins that is written as text; npos if there is none.
std::size_t written_call(std::string_view content) {
    for (const auto* opening : {"<tool_call>", "[TOOL_CALLS]", "<function="}) {
        if (const auto at = content.find(opening); at != std::string_view::npos) return at;
    }
    const auto start = content.find_first_not_of(" \n");
    if (start == std::string_view::npos || content[start] != '{') return std::string_view::npos;
    const bool call = content.find("\"name\"") != std::string_view::npos &&
                      content.find("\"arguments\"") != std::string_view::npos;
    return call ? start : std::string_view::npos;
}

}  // namespace

ToolsCheck::ToolsCheck(RowChecker& row, const Node* declared) : row_(row) {
    if (declared == nullptr || declared->is(Node::Kind::null)) return;
    const auto raw = row_.parser_->raw(*declared);
    tools_ = row_.shelf_.list_of(*declared, raw);
    row_.facts_.tools = tools_;
    row_.facts_.estimated_tokens += raw.size() / 4;
    for (const auto& fault : tools_->faults) row_.find(fault.code, declared, fault.message);
}

void ToolsCheck::note_preamble(std::optional<std::string_view> content, bool structured) {
    const auto text = content.value_or("");
    const auto written = structured ? std::string_view::npos : written_call(text);
    if (!structured && written == std::string_view::npos) return;
    const auto preamble = before_the_call(text, written);
    row_.facts_.calls.push_back(
        {.preamble = !preamble.empty(), .written = !structured, .example = preamble}
    );
}

void ToolsCheck::assistant(
    const Message& message, std::optional<std::string_view> content, bool marked
) {
    expect_answers();
    const auto* calls = message.calls;
    if (calls == nullptr) return marked ? note_preamble(content, false) : void();
    if (!calls->is_array())
        return row_.find(
            "D404", calls, fmt::format("tool_calls is {}; it must be a list", kind_words(*calls))
        );
    note_preamble(content, calls->count > 0);
    for (const auto& element : elements(*calls)) call(element);
}

const ToolSpec* ToolsCheck::declared_tool(const Node& call, std::string_view name) {
    if (tools_ == nullptr || tools_->tools.empty()) {
        if (!undeclared_told_ && (tools_ == nullptr || tools_->faults.empty()))
            row_.find(
                "D406", &call, fmt::format("{} is called, and the row declares no tools", name)
            );
        undeclared_told_ = true;
        return nullptr;
    }
    const auto* tool = tools_->find(name);
    if (tool != nullptr) return tool;
    const auto names = tools_->names();
    const auto close = nearest(name, names);
    row_.find(
        "D405",
        &call,
        close ? fmt::format("{} is not declared; was {} meant?", name, *close)
              : fmt::format("{} is not declared (declared: {})", name, fmt::join(names, ", "))
    );
    return nullptr;
}

void ToolsCheck::call(const Node& call) {
    if (!call.is_object())
        return row_.find(
            "D404", &call, fmt::format("a tool call is {}; it must be an object", kind_words(call))
        );
    const auto* function = call.find("function");
    if (function == nullptr && call.find("name") != nullptr) {
        row_.find(
            "D404", &call, "the call is not wrapped: name and arguments belong into \"function\""
        );
        function = &call;
    }
    const auto name = function == nullptr ? std::nullopt : function->string("name");
    if (!name || name->empty())
        return row_.find("D404", &call, "a tool call without function.name");
    row_.words_.add(*name);
    row_.facts_.called.push_back(*name);
    const auto id = call.string("id").value_or("");
    if (!id.empty()) {
        if (std::ranges::find(ids_, id) != ids_.end())
            row_.find(
                "D415", &call, fmt::format("the id \"{}\" was used by another call", printable(id))
            );
        ids_.push_back(id);
    }
    open_.push_back({id, &call});
    const auto* tool = declared_tool(call, *name);
    const auto* arguments = function->find("arguments");
    if (arguments == nullptr)
        return row_.find(
            "D404",
            &call,
            fmt::format("the call of {} has no arguments (an empty object is written {{}})", *name)
        );
    check_arguments(*arguments, tool);
}

void ToolsCheck::check_arguments(const Node& arguments, const ToolSpec* tool) {
    row_.words_.add(arguments.text);
    row_.facts_.estimated_tokens += arguments.text.size() / 4 + 4;
    if (arguments.is_object()) {
        ++row_.facts_.object_arguments;
        if (tool != nullptr && tool->schema) check_parsed(arguments, to_json(arguments), tool);
        return;
    }
    if (!arguments.is_string())
        return row_.find(
            "D408",
            &arguments,
            fmt::format("arguments is {}; it must be an object", kind_words(arguments))
        );
    ++row_.facts_.string_arguments;
    auto parsed = parse_json(arguments.text);
    if (!parsed)
        return row_.find(
            "D409",
            &arguments,
            fmt::format("arguments is a string that is no JSON: {}", parsed.error().message())
        );
    if (!parsed->is_object())
        return row_.find("D408", &arguments, "arguments is a string that holds no object");
    check_parsed(arguments, *parsed, tool);
}

void ToolsCheck::check_parsed(const Node& at, const json::value& arguments, const ToolSpec* tool) {
    if (tool == nullptr || !tool->schema) return;
    constexpr std::size_t shown = 3;
    for (const auto& fault : tool->schema->check(arguments, shown))
        row_.find("D407", &at, fmt::format("{}: {}", tool->name, fault));
}

void ToolsCheck::result(const Message& message) {
    const auto open = [](const Call& call) { return !call.answered; };
    const auto id = message.call_id != nullptr && message.call_id->is_string()
                        ? message.call_id->text
                        : std::string_view{};
    if (std::ranges::none_of(open_, open))
        return row_.find("D412", &message.node, "a tool's result, and no call waits for one");
    auto call = std::ranges::find_if(open_, open);
    const bool call_ids =
        std::ranges::any_of(open_, [](const Call& each) { return !each.id.empty(); });
    if (!id.empty() && call_ids) {
        const auto of_id = std::ranges::find_if(open_, [&](const Call& each) {
            return !each.answered && each.id == id;
        });
        if (of_id == open_.end()) {
            row_.find(
                "D414",
                &message.node,
                fmt::format("tool_call_id \"{}\" belongs to no open call", printable(id))
            );
        } else {
            call = of_id;
        }
    }
    call->answered = true;
}

void ToolsCheck::expect_answers() {
    const auto unanswered =
        std::ranges::find_if(open_, [](const Call& call) { return !call.answered; });
    if (unanswered != open_.end() && !unanswered_told_) {
        unanswered_told_ = true;
        row_.find(
            "D413", unanswered->node, "the conversation goes on before the tool has answered"
        );
    }
    open_.clear();
}

void ToolsCheck::other() {
    expect_answers();
}

/// The last message may be the call: that is what the row teaches. But when one of several was
/// answered, the others are missing.
void ToolsCheck::end() {
    const bool some = std::ranges::any_of(open_, [](const Call& call) { return call.answered; });
    if (some) expect_answers();
}

}  // namespace punie::dataset
