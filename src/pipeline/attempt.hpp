#pragma once
// What every run that Punie makes says about this attempt at it, and a training's reports as the
// journal's points.

#include <chrono>
#include <string>
#include <vector>

#include "journal/journal.hpp"
#include "training/training_log.hpp"

namespace punie::pipeline {

/// Command, working folder, Punie's version and the machine; what an earlier attempt left (state,
/// finish, error) is taken away. The rest of `run` stays.
void begin_attempt(journal::Run& run, const std::string& command);

/// The state and error of a run that ended with `error`: interrupted when it was cancelled, else
/// failed.
void end_with(journal::Run& run, const Error& error);

/// `began`: when this process began the training.
journal::TrainingPoint point_of(
    const training::TrainReport& report, std::chrono::steady_clock::time_point began
);

/// Adds the reports that the journal has not: a punie that was killed had no time to record them.
/// When they came is not known; `seconds` of their points is 0.
Result<void> add_missing_points(
    journal::Journal& journal,
    const std::string& run,
    const std::vector<training::TrainReport>& reports
);

}  // namespace punie::pipeline
