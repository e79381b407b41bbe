#pragma once
// Score tables made up for tests.

#include <fmt/format.h>

#include <string>
#include <vector>

#include "compare/score_table.hpp"

namespace punie::compare {

inline Score yes_no(std::string prompt, bool passed, std::string group = {}) {
    return {
        .prompt = std::move(prompt),
        .group = std::move(group),
        .score = passed ? 1.0 : 0.0,
        .passed = passed
    };
}

inline std::string prompt_name(std::size_t number) {
    return fmt::format("p{:04}", number);
}

/// One yes/no sample a prompt: the first `passes` of `count` pass.
inline ScoreTable passing(std::string name, std::size_t count, std::size_t passes) {
    ScoreTable table{.name = std::move(name), .source = "made up", .format = "scores"};
    for (std::size_t at = 0; at < count; ++at)
        table.scores.push_back(yes_no(prompt_name(at), at < passes));
    return table;
}

/// `base` with the first `lost` passing prompts lost and the first `won` failing ones won.
inline ScoreTable changed(ScoreTable base, std::string name, std::size_t lost, std::size_t won) {
    base.name = std::move(name);
    for (auto& score : base.scores) {
        auto& left = score.passed ? lost : won;
        if (left == 0) continue;
        --left;
        score.passed = !score.passed;
        score.score = score.passed ? 1 : 0;
    }
    return base;
}

}  // namespace punie::compare
