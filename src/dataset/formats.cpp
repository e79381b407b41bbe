#include "dataset/formats.hpp"

#include <algorithm>
#include <array>

#include "base/ascii.hpp"
#include "base/text.hpp"

namespace punie::dataset {

namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::array question_keys = std::to_array<Pair>({
    {"input", "output"},
    {"question", "answer"},
    {"query", "response"},
    {"prompt", "response"},
    {"prompt", "output"},
    {"prompt", "answer"},
    {"instruction", "response"},
    {"question", "response"},
    {"user", "assistant"},
});

constexpr std::array roles = std::to_array<Pair>({
    {"human", "user"},          {"Human", "user"},         {"User", "user"},
    {"USER", "user"},           {"customer", "user"},      {"gpt", "assistant"},
    {"chatgpt", "assistant"},   {"bot", "assistant"},      {"model", "assistant"},
    {"ai", "assistant"},        {"AI", "assistant"},       {"Assistant", "assistant"},
    {"ASSISTANT", "assistant"}, {"System", "system"},      {"SYSTEM", "system"},
    {"developer", "system"},    {"function", "tool"},      {"function_response", "tool"},
    {"observation", "tool"},    {"tool_response", "tool"}, {"ipython", "tool"},
});

/// Letters to insert, remove, replace or swap with their neighbour (optimal string alignment).
std::size_t distance(std::string_view one, std::string_view other) {
    std::vector<std::vector<std::size_t>> table(
        one.size() + 1, std::vector<std::size_t>(other.size() + 1)
    );
    for (std::size_t row = 0; row <= one.size(); ++row) {
        for (std::size_t column = 0; column <= other.size(); ++column) {
            auto& least = table[row][column];
            if (row == 0 || column == 0) {
                least = row + column;
                continue;
            }
            const bool same = one[row - 1] == other[column - 1];
            least = std::min(
                {table[row - 1][column] + 1,
                 table[row][column - 1] + 1,
                 table[row - 1][column - 1] + (same ? 0 : 1)}
            );
            const bool swapped = row > 1 && column > 1 && one[row - 1] == other[column - 2] &&
                                 one[row - 2] == other[column - 1];
            if (swapped) least = std::min(least, table[row - 2][column - 2] + 1);
        }
    }
    return table[one.size()][other.size()];
}

}  // namespace

std::string_view name_of(Format format) {
    static constexpr std::array<std::string_view, 4> names = {
        "", "chat", "prompt/completion", "text"
    };
    return names.at(static_cast<std::size_t>(format));
}

Format format_of(const Node& row) {
    bool prompt = false;
    bool completion = false;
    bool messages = false;
    bool text = false;
    for (const auto& member : elements(row)) {
        prompt = prompt || member.key == "prompt";
        completion = completion || member.key == "completion";
        messages = messages || member.key == "messages";
        text = text || member.key == "text";
    }
    if (prompt && completion) return Format::completion;
    if (messages) return Format::chat;
    return text ? Format::text : Format::none;
}

std::span<const std::pair<std::string_view, std::string_view>> question_answer_keys() {
    return question_keys;
}

bool is_sharegpt(const Node& row) {
    for (const auto& member : elements(row)) {
        const bool named = member.key == "messages" || member.key == "conversations" ||
                           member.key == "conversation";
        if (!named || !member.is_array() || member.child == nullptr) continue;
        const auto& first = *member.child;
        if (first.find("from") != nullptr && first.find("value") != nullptr) return true;
        if (member.key != "messages" && first.find("role") != nullptr &&
            first.find("content") != nullptr)
            return true;
    }
    return false;
}

ForeignRow foreign_row(const Node& row) {
    if (is_sharegpt(row)) return {.kind = Foreign::sharegpt};
    if (row.find("instruction") != nullptr && row.find("output") != nullptr)
        return {.kind = Foreign::alpaca};
    if (row.find("chosen") != nullptr && row.find("rejected") != nullptr)
        return {.kind = Foreign::preference};
    for (const auto& keys : question_keys) {
        if (row.find(keys.first) != nullptr && row.find(keys.second) != nullptr)
            return {Foreign::input_output, keys.first, keys.second};
    }
    return {};
}

std::optional<std::string> meant_key(std::string_view key, const std::vector<std::string>& wanted) {
    const auto plain = lower(trim(key));
    // Short words are near to everything ("time" to "type"): one letter there, two in longer ones.
    constexpr std::size_t shortest = 4;
    constexpr std::size_t long_enough = 7;
    for (const auto& candidate : wanted) {
        if (plain == candidate) return candidate;
        if (plain.size() < shortest || plain.front() != candidate.front()) continue;
        const std::size_t allowed = candidate.size() >= long_enough ? 2 : 1;
        if (distance(plain, candidate) <= allowed) return candidate;
    }
    return std::nullopt;
}

std::string_view standard_role(std::string_view role) {
    const auto found = std::ranges::find(roles, role, &Pair::first);
    return found == roles.end() ? std::string_view{} : found->second;
}

bool is_known_role(std::string_view role) {
    return role == "user" || role == "assistant" || role == "system" || role == "tool";
}

}  // namespace punie::dataset
