#pragma once
// What the journal knows of a stage: whether it was done with this key, and how long it took.

#include <punie/error.hpp>

#include <optional>
#include <string>

#include "journal/journal.hpp"
#include "pipeline/run_types.hpp"

namespace punie::pipeline {

/// The journal's kind of run for a stage: "train", "eval", ...
std::string_view run_kind(StageKind kind);

struct StageRecord {
    bool done = false;
    std::string reason;               ///< why not
    std::optional<journal::Run> run;  ///< the newest with this key, whatever its state
};

/// Done: a finished run with the stage's key, whose output is still there.
Result<StageRecord> find_stage_record(journal::Journal& journal, const StageStatus& status);

/// Seconds that the stage of that name took when it last finished.
Result<std::optional<double>> last_seconds(
    journal::Journal& journal, const Experiment& experiment, const Stage& stage
);

}  // namespace punie::pipeline
