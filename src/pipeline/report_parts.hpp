#pragma once
// The pieces of report_of: each takes one thing from its own struct to the report's.

#include <punie/error.hpp>

#include <string>
#include <vector>

#include "compare/compare.hpp"
#include "pipeline/evaluate.hpp"
#include "report/report_data.hpp"

namespace punie::pipeline {

/// The pair that the verdict speaks of; null when there is none.
const compare::PairResult* main_pair(const compare::Comparison& comparison);

/// `comparison` may be null; `index` is the variant's in it.
report::Variant report_variant(
    const EvalOutcome& outcome, const compare::Comparison* comparison, std::size_t index
);

std::vector<report::Difference> report_differences(const compare::Comparison& comparison);

/// All prompts of the suite, without answers.
std::vector<report::Prompt> report_prompts(const eval::Suite& suite);

/// The answers of one variant, from its file, with the judgements of the outcome.
Result<void> add_samples(
    std::vector<report::Prompt>& prompts, const EvalOutcome& outcome, std::size_t variant
);

/// Names and values of a run's environment_json.
std::vector<report::Fact> report_environment(const std::string& environment_json);

}  // namespace punie::pipeline
