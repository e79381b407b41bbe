#pragma once
// A score table by prompt: 3 samples of a prompt are not 3 prompts.

#include <punie/error.hpp>

#include <string>
#include <vector>

#include "compare/score_table.hpp"

namespace punie::compare {

/// The samples of one prompt; `mean` is what is compared.
struct PromptScores {
    std::string prompt;
    std::string group;
    std::string category;
    std::string content;
    std::string rendered;
    double mean = 0;
    std::vector<double> samples;  ///< in order of their numbers
    std::size_t passes = 0;

    bool yes_or_no() const { return samples.size() == 1 && (mean == 0 || mean == 1); }
};

/// Sorted by prompt, so that the order of rows cannot matter. Errors: invalid_argument for a table
/// without scores, a sample that is there twice, a score outside 0 to 1, and a prompt whose samples
/// disagree on group or category.
Result<std::vector<PromptScores>> by_prompt(const ScoreTable& table);

/// Group names as numbers; an empty name is a group of its own.
class GroupNumbers {
public:
    explicit GroupNumbers(const std::vector<const PromptScores*>& prompts);

    const std::vector<std::size_t>& numbers() const { return numbers_; }

    std::size_t count() const { return count_; }

    /// Some group has several prompts.
    bool grouped() const { return count_ < numbers_.size(); }

private:
    std::vector<std::size_t> numbers_;
    std::size_t count_ = 0;
};

}  // namespace punie::compare
