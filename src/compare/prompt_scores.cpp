#include "compare/prompt_scores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

namespace punie::compare {

namespace {

std::unexpected<Error> bad_table(const ScoreTable& table, const std::string& what) {
    return fail(ErrorCode::invalid_argument, fmt::format("{}: {}", table.name, what));
}

Result<void> check(const ScoreTable& table, const Score& score, const Score* before) {
    if (!(score.score >= 0 && score.score <= 1))
        return bad_table(
            table,
            fmt::format("prompt \"{}\" has score {}, expected 0 to 1", score.prompt, score.score)
        );
    if (before == nullptr || before->prompt != score.prompt) return {};
    if (before->sample == score.sample)
        return bad_table(
            table, fmt::format("prompt \"{}\" sample {} is there twice", score.prompt, score.sample)
        );
    if (before->group != score.group || before->category != score.category)
        return bad_table(
            table,
            fmt::format(
                "samples of prompt \"{}\" have different groups or categories (\"{}\" and \"{}\")",
                score.prompt,
                before->group != score.group ? before->group : before->category,
                before->group != score.group ? score.group : score.category
            )
        );
    return {};
}

std::vector<const Score*> sorted_rows(const ScoreTable& table) {
    std::vector<const Score*> rows;
    rows.reserve(table.scores.size());
    for (const auto& score : table.scores) rows.push_back(&score);
    std::ranges::sort(rows, [](const Score* one, const Score* other) {
        const int order = one->prompt.compare(other->prompt);
        return order != 0 ? order < 0 : one->sample < other->sample;
    });
    return rows;
}

}  // namespace

Result<std::vector<PromptScores>> by_prompt(const ScoreTable& table) {
    if (table.scores.empty())
        return bad_table(table, "no judged answers: there is nothing to compare");
    std::vector<PromptScores> prompts;
    const Score* before = nullptr;
    for (const auto* score : sorted_rows(table)) {
        if (auto good = check(table, *score, before); !good)
            return std::unexpected(std::move(good).error());
        if (before == nullptr || before->prompt != score->prompt)
            prompts.push_back(
                {.prompt = score->prompt,
                 .group = score->group,
                 .category = score->category,
                 .content = score->content,
                 .rendered = score->rendered}
            );
        prompts.back().samples.push_back(score->score);
        prompts.back().passes += score->passed ? 1 : 0;
        before = score;
    }
    for (auto& prompt : prompts)
        prompt.mean = std::accumulate(prompt.samples.begin(), prompt.samples.end(), 0.0) /
                      static_cast<double>(prompt.samples.size());
    return prompts;
}

GroupNumbers::GroupNumbers(const std::vector<const PromptScores*>& prompts) {
    std::unordered_map<std::string, std::size_t> known;
    numbers_.reserve(prompts.size());
    for (const auto* prompt : prompts) {
        if (prompt->group.empty()) {
            numbers_.push_back(count_++);
            continue;
        }
        const auto [place, fresh] = known.try_emplace(prompt->group, count_);
        if (fresh) ++count_;
        numbers_.push_back(place->second);
    }
}

}  // namespace punie::compare
