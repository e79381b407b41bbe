#include "openai/tool_calls/thinking.hpp"

#include <array>

#include "base/text.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr std::array tags = {
    ThinkingTags{"<think>", "</think>", true},            // Qwen, DeepSeek, GLM, Granite ...
    ThinkingTags{"<thinking>", "</thinking>", true},      //
    ThinkingTags{"<thought>", "</thought>", false},       //
    ThinkingTags{"<reasoning>", "</reasoning>", false},   //
    ThinkingTags{"[THINK]", "[/THINK]", true},            // Magistral
    ThinkingTags{"◁think▷", "◁/think▷", true},            // Kimi
    ThinkingTags{"<seed:think>", "</seed:think>", true},  // Seed-OSS
    ThinkingTags{"<longcat_think>", "</longcat_think>", true},
    ThinkingTags{"<|channel>thought", "<channel|>", false},             // Gemma 4
    ThinkingTags{"<unused94>thought", "<unused95>", false},             // MedGemma
    ThinkingTags{"<|START_THINKING|>", "<|END_THINKING|>", true},       // Command R and A
    ThinkingTags{"<|begin_of_thought|>", "<|end_of_thought|>", false},  // Sky-T1, OpenThinker
};

}  // namespace

std::span<const ThinkingTags> thinking_tags() {
    return tags;
}

std::optional<Piece> read_thinking(Source& source, std::size_t at, const ThinkingTags& tags_here) {
    const auto before = source.text().substr(0, at);
    if (before.ends_with('`')) return std::nullopt;
    const auto begin = at + tags_here.opening.size();
    const auto close = source.find(tags_here.closing, begin);
    if (close != npos)
        return Piece{
            .end = close + tags_here.closing.size(),
            .thinking = std::string(trim(source.slice(begin, close)))
        };
    const auto last = before.find_last_not_of(" \t");
    const bool own_line = last == npos || before[last] == '\n';
    if (!own_line) return std::nullopt;
    return Piece{
        .end = source.size(),
        .thinking = std::string(trim(source.text().substr(begin))),
        .thinking_cut = true
    };
}

}  // namespace punie::openai::tool_calls
