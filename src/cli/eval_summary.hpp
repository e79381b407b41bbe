#pragma once
// How an evaluation is told on the terminal and as JSON; shared by eval, score and run.

#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "cli/terminal.hpp"
#include "pipeline/evaluate.hpp"

namespace punie::cli {

/// "accuracy 71.7 % (59.2 to 81.5, 60 prompts, wilson)".
std::string estimate_text(std::string_view what, const pipeline::Estimate& estimate);

/// One line while it runs: asked, running score with interval, failures, time left.
std::string progress_text(const pipeline::EvalProgress& progress);

/// Failures first, then score with interval, categories, and the prompts that failed (at most
/// `wrong`).
void show_evaluation(
    Terminal& terminal, const pipeline::EvalOutcome& outcome, std::size_t wrong = 5
);

/// Notes each gate of the suite and the threshold (share of passed samples, if given) that was
/// missed. The exit code: failed for those, and for samples without an answer.
ExitCode judge_limits(
    Terminal& terminal, const pipeline::EvalOutcome& outcome, std::optional<double> threshold
);

json::object evaluation_json(const pipeline::EvalOutcome& outcome, bool with_samples);

}  // namespace punie::cli
