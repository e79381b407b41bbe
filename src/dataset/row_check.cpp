#include "dataset/row_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "dataset/bytes.hpp"
#include "dataset/messages_check.hpp"
#include "dataset/utf8.hpp"

namespace punie::dataset {

namespace {

const std::vector<std::string> top_keys = {"messages", "prompt", "completion", "text", "tools"};

std::string shown(std::string_view text) {
    constexpr std::size_t most = 40;
    const auto cut = text.size() <= most ? text : text.substr(0, most);
    return printable(cut) + (cut.size() < text.size() ? "..." : "");
}

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\n\r") == std::string_view::npos;
}

bool is_border_space(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

}  // namespace

std::size_t estimate_tokens(std::string_view text) {
    constexpr double bytes_a_token = 4;
    constexpr double wide_a_token = 1.4;
    const auto characters = count_characters(text);
    const auto rest = text.size() - characters;  // a wide character has 1 to 3 bytes more
    const auto wide = static_cast<double>(rest) / 2;
    const auto narrow = static_cast<double>(characters) - wide;
    return static_cast<std::size_t>(std::max(0.0, narrow) / bytes_a_token + wide / wide_a_token) +
           1;
}

RowChecker::RowChecker(RowCheckOptions options) : options_(options) {}

RowChecker::~RowChecker() = default;

void RowChecker::find(
    std::string_view code, const Node* node, std::string message, std::optional<Severity> severity
) {
    findings_.push_back({code, node, std::move(message), severity});
}

/// A data set has few keys, in every row the same: once judged harmless is enough.
void RowChecker::check_keys(const Node& object, const std::vector<std::string>& wanted) {
    constexpr std::size_t most_harmless = 64;
    for (const auto& member : elements(object)) {
        if (std::ranges::find(wanted, member.key) != wanted.end()) continue;
        if (std::ranges::find(harmless_, member.key) != harmless_.end()) continue;
        const auto meant = meant_key(member.key, wanted);
        if (!meant) {
            const bool harmless =
                !meant_key(member.key, top_keys) &&
                !meant_key(member.key, {"role", "content", "tool_calls", "tool_call_id"});
            if (harmless && harmless_.size() < most_harmless) harmless_.emplace_back(member.key);
            continue;
        }
        // What is there in its right spelling too was not misspelled.
        if (object.find(*meant) != nullptr) continue;
        find(
            "D204",
            &member,
            fmt::format(
                "\"{}\" is no key that mlx_lm reads; was \"{}\" meant?", shown(member.key), *meant
            )
        );
    }
}

/// No format that mlx_lm knows: which one was it meant to be?
void RowChecker::check_unknown(const Node& row) {
    switch (foreign_row(row).kind) {
        case Foreign::sharegpt:
            return find("D205", nullptr, "a conversation in ShareGPT's format (from, value)");
        case Foreign::alpaca:
            return find(
                "D206", nullptr, "an example in Alpaca's format (instruction, input, output)"
            );
        case Foreign::preference:
            return find("D207", nullptr, "a preference pair (chosen, rejected)");
        case Foreign::input_output:
            return find(
                "D207",
                nullptr,
                fmt::format(
                    "question and answer under other names ({}, {})",
                    foreign_row(row).prompt_key,
                    foreign_row(row).answer_key
                )
            );
        case Foreign::none:
            break;
    }
    const auto before = findings_.size();
    check_keys(row, top_keys);
    if (findings_.size() > before) return;
    if (row.find("prompt") != nullptr) return find("D201", nullptr, "prompt without completion");
    if (row.find("completion") != nullptr)
        return find("D201", nullptr, "completion without prompt");
    std::string keys;
    for (const auto& member : elements(row))
        keys = keys.empty() ? shown(member.key) : fmt::format("{}, {}", keys, shown(member.key));
    find(
        "D201",
        nullptr,
        keys.empty() ? "an empty object"
                     : fmt::format("none of messages, prompt and completion, text; only {}", keys)
    );
}

void RowChecker::check_format(const Node& row, Format file_format) {
    const auto format = facts_.format;
    if (format == Format::completion && row.find("messages") != nullptr)
        find("D203", row.find("messages"), "the row has messages and prompt/completion");
    if (file_format == Format::none || format == Format::none || format == file_format) return;
    find(
        "D202",
        nullptr,
        fmt::format(
            "a {} row in a file that begins with {} rows", name_of(format), name_of(file_format)
        )
    );
}

bool RowChecker::check_string(const Node* value, std::string_view name) {
    if (value == nullptr) return false;
    if (value->is_string()) return true;
    find("D209", value, fmt::format("{} is {}; it must be a string", name, kind_words(*value)));
    return false;
}

void RowChecker::judge_marks(const Node& node, std::string_view role) {
    for (auto& mark : marks_) {
        std::optional<Severity> severity;
        // Written calls are how sets without tool_calls teach them; the template's own are better.
        const bool written_call = mark.code == "D501" && role != "user" &&
                                  mark.message.find("tool_") != std::string::npos;
        if (written_call) severity = Severity::warning;
        find(mark.code, &node, std::move(mark.message), severity);
    }
}

/// `role` is "user", "assistant", ..., "prompt", "completion" or "text".
void RowChecker::take_text(const Node& node, std::string_view role) {
    const auto text = node.text;
    const bool system = role == "system";
    // The application's prompt, the same in all rows: it must not make them look alike, and once
    // it was found clean it need not be looked at again.
    const auto system_hash = system ? hash_bytes(text.data(), text.size()) : 0;
    if (!system) words_.add(text);
    facts_.estimated_tokens += parser_->ascii() ? text.size() / 4 + 1 : estimate_tokens(text);
    if (system && system_hash == clean_system_) return;
    signs_ = signs_of(text);
    const TextWish wish{
        .flags = node.flags,
        .ascii = parser_->ascii(),
        .special_tokens = role != "text",
        .answer = role == "assistant" || role == "completion",
        .long_words = system || words_.long_word(),
        .emails = options_.emails,
        .signs = signs_,
    };
    marks_.clear();
    look_at_text(text, wish, marks_);
    if (!marks_.empty()) judge_marks(node, role);
    if (system && marks_.empty()) clean_system_ = system_hash;
    check_borders(node, role);
}

/// Only where the border decides about tokens that are trained or that serving would make
/// otherwise.
void RowChecker::check_borders(const Node& node, std::string_view role) {
    const auto text = node.text;
    if (text.empty() || is_blank(text)) return;
    const bool answer = role == "assistant" || role == "completion";
    const bool ends =
        is_border_space(text.back()) && (answer || role == "prompt" || role == "user");
    if (ends && (answer || text.back() == ' '))
        find(
            "D504",
            &node,
            fmt::format("{} ends with {}", role, text.back() == ' ' ? "a space" : "a line end")
        );
    const bool one_space = text.front() == ' ' && text.size() > 1 && text[1] != ' ';
    if (answer && (one_space || text.front() == '\n'))
        find(
            "D504",
            &node,
            fmt::format("{} begins with {}", role, one_space ? "a space" : "a line end")
        );
}

void RowChecker::check_completion(const Node& row) {
    const auto* prompt = row.find("prompt");
    const auto* completion = row.find("completion");
    if (check_string(prompt, "prompt")) {
        take_text(*prompt, "prompt");
        if (is_blank(prompt->text)) find("D210", prompt, "prompt is empty", Severity::warning);
        facts_.prompt_hash = words_.hash();
        facts_.prompt_words = words_.words();
        facts_.estimated_prompt_tokens = facts_.estimated_tokens;
    }
    if (!check_string(completion, "completion")) return;
    take_text(*completion, "completion");
    facts_.has_assistant = true;
    facts_.answer = completion->text;
    if (is_blank(completion->text))
        find("D210", completion, "completion is empty: nothing to train on");
}

void RowChecker::check_text_row(const Node& row) {
    const auto* text = row.find("text");
    if (options_.mask_prompt) find("D211", text, "a text row, and --mask-prompt");
    if (!check_string(text, "text")) return;
    if (is_blank(text->text)) find("D210", text, "text is empty");
    take_text(*text, "text");
    facts_.answer = text->text;
}

void RowChecker::check(const RowParser& parser, const Node& row, Format file_format) {
    parser_ = &parser;
    findings_.clear();
    facts_.calls.clear();
    facts_.called.clear();
    facts_ = RowFacts{.calls = std::move(facts_.calls), .called = std::move(facts_.called)};
    words_.start(options_.near);
    if (!row.is_object())
        return find("D127", nullptr, fmt::format("the row is {}", kind_words(row)));
    facts_.format = format_of(row);
    facts_.keys = row.count;
    if (const auto* weight = row.find("weight"); weight != nullptr && weight->text == "0")
        find("D213", weight, "the row has weight 0");
    check_format(row, file_format);
    switch (facts_.format) {
        case Format::none:
            return check_unknown(row);
        case Format::completion:
            check_completion(row);
            break;
        case Format::text:
            check_text_row(row);
            break;
        case Format::chat:
            if (is_sharegpt(row)) return check_unknown(row);
            MessagesCheck(*this, row).run();
            break;
    }
    facts_.words = words_.words();
    if (!options_.hashes) return;
    const auto system = facts_.system.value_or("");
    const auto system_hash = hash_bytes(system.data(), system.size());
    facts_.hash = mix64(words_.hash() + system_hash);
    if (facts_.prompt_hash != 0) facts_.prompt_hash = mix64(facts_.prompt_hash + system_hash);
    if (!facts_.answer.empty()) {
        facts_.answer_hash = hash_bytes(facts_.answer.data(), facts_.answer.size());
        facts_.answer_characters = facts_.answer.size();
    }
    if (options_.near) facts_.sketch = words_.sketch();
}

std::string conversation_text(const Node& row) {
    std::string text;
    const auto add = [&](std::optional<std::string_view> part) {
        if (part) text.append(*part).append("\n");
    };
    add(row.string("prompt"));
    add(row.string("completion"));
    const auto* messages = row.find("messages");
    if (messages == nullptr || !messages->is_array()) {
        add(row.string("text"));
        return text;
    }
    for (const auto& message : elements(*messages)) {
        if (message.string("role") == "system") continue;
        add(message.string("content"));
        const auto* calls = message.find("tool_calls");
        if (calls != nullptr) text.append(calls->text).append("\n");
    }
    return text;
}

}  // namespace punie::dataset
