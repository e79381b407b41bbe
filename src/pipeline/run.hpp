#pragma once
// Running an experiment: each stage once, whatever interrupts it.
//
//   plan_experiment: which stages are up to date (pure look at the journal and the disk)
//   run_experiment:  runs those that are not, in order, each recorded before it counts as done

#include <punie/error.hpp>

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "journal/journal.hpp"
#include "pipeline/experiment.hpp"
#include "pipeline/run_types.hpp"

namespace punie::pipeline {

/// Errors: those of reading the inputs (suite, model, data).
Result<std::vector<StageStatus>> plan_experiment(
    const Experiment& experiment, journal::Journal& journal, const RunOptions& options
);

/// Errors: the first stage's that failed, its id in front; cancelled. What was done stays done.
Result<ExperimentOutcome> run_experiment(
    const Experiment& experiment,
    journal::Journal& journal,
    const RunOptions& options,
    const ExperimentCalls& calls,
    std::stop_token stop
);

/// Where the files of `variant` are or will be, given the keys of the stages.
VariantFiles files_of(
    const Experiment& experiment,
    const Variant& variant,
    const std::map<std::string, StageStatus>& stages
);

}  // namespace punie::pipeline
