#pragma once
// The work of one `run_experiment`: what its stages share.

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "compare/compare.hpp"
#include "compare/gates.hpp"
#include "pipeline/run_types.hpp"
#include "pipeline/stage_records.hpp"

namespace punie::pipeline {

/// Everything that a stage may use and add to. Owned by run_experiment; not thread-safe.
struct Work {
    const Experiment& experiment;
    journal::Journal& journal;
    const RunOptions& options;
    const ExperimentCalls& calls;
    std::stop_token stop;
    std::string run{};  ///< id of the experiment's run
    std::map<std::string, StageStatus> stages{};
    std::vector<EvalOutcome> evaluations{};  ///< in the order of the variants in the file
    std::optional<compare::Comparison> comparison{};
    std::vector<compare::GateResult> gates{};
    ExperimentOutcome outcome{};

    void say(const Stage& stage, std::string_view kind, std::string text, double seconds = 0) const;

    std::string mlx_lm() const {
        return options.mlx_lm.empty() ? experiment.mlx_lm : options.mlx_lm;
    }

    /// A run of the journal for the stage, open; the one that was killed if there is one.
    Result<journal::Run> begin(const StageStatus& status, json::object config) const;

    /// Closes it: done with results, or failed or interrupted with the error, which is given back.
    Result<void> finish(journal::Run run, json::object results) const;
    Error failed(journal::Run run, Error error) const;
};

// One function a kind of stage; each is called only when its stage is not up to date, but for
// evaluate, which judges what is there, and compare and report, which are cheap.
Result<void> run_data(Work& work, const StageStatus& status);
Result<void> run_feasibility(Work& work, const StageStatus& status);
Result<void> run_train(Work& work, const StageStatus& status);
Result<void> run_fuse(Work& work, const StageStatus& status);
Result<void> run_quantise(Work& work, const StageStatus& status);
Result<void> run_evaluate(Work& work, const StageStatus& status);
Result<void> run_compare(Work& work, const StageStatus& status);
Result<void> run_report(Work& work, const StageStatus& status);

}  // namespace punie::pipeline
