#pragma once
// May two variants be compared at all? What differs is refused or named.

#include <punie/error.hpp>

#include <string>
#include <vector>

#include "compare/comparison.hpp"
#include "compare/prompt_scores.hpp"

namespace punie::compare {

/// A prompt that both variants have.
struct PromptPair {
    const PromptScores* before = nullptr;
    const PromptScores* after = nullptr;
};

struct Pairing {
    std::vector<PromptPair> common;  ///< in order of their names
    std::size_t left_out = 0;
    std::vector<std::string> notes;
};

/// Other suite, sampling or chat template: an error (state) unless allowed and named; another
/// backend, or an identity that only one side knows: a note.
Result<std::vector<std::string>> check_identity(
    const ScoreTable& baseline, const ScoreTable& other, const CompareOptions& options
);

struct Side {
    const std::string& name;
    const std::vector<PromptScores>& prompts;
};

/// Errors (state): prompts that one side lacks (unless only_common), none in common, prompts that
/// ask something else, or were rendered otherwise, under the same name. (invalid_argument): a
/// prompt in different groups.
Result<Pairing> pair_up(const Side& baseline, const Side& other, const CompareOptions& options);

}  // namespace punie::compare
