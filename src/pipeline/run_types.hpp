#pragma once
// What running an experiment is asked, tells and comes to: plain values.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/evaluate.hpp"
#include "pipeline/stages.hpp"

namespace punie::pipeline {

struct RunOptions {
    std::string command;  ///< as typed
    std::string mlx_lm;   ///< overrides the experiment's
    bool again = false;   ///< runs every stage, whatever is up to date
    bool force = false;   ///< trains although the data check or the memory estimate says no
};

/// One stage as it stands.
struct StageStatus {
    Stage stage;
    std::string key;  ///< hash of its settings, its inputs' contents and its needs' keys
    bool up_to_date = false;
    std::string
        reason;  ///< why it is not: "never run", "its output is gone", "train:tuned comes first"
    std::filesystem::path output;               ///< folder or file that it makes; "" none
    std::optional<double> estimated_seconds{};  ///< from earlier runs; nothing: unknown
    std::uint64_t estimated_bytes = 0;          ///< of disk
    std::string estimate_source;  ///< "as last time", "300 iterations of the feasibility check"
};

/// Where a variant's files are once its stage is done.
struct VariantFiles {
    std::string model;    ///< folder
    std::string adapter;  ///< folder; "" none
};

struct ExperimentEvent {
    std::string stage;   ///< id; "" of the experiment
    std::string kind;    ///< "begin", "progress", "done", "up to date", "note"
    std::string text;    ///< for a person
    double seconds = 0;  ///< of "done"
};

struct ExperimentCalls {
    std::function<void(const ExperimentEvent&)> on_event;
};

struct ExperimentOutcome {
    std::string run;      ///< id of the experiment's run
    std::string verdict;  ///< one sentence
    bool missed = false;  ///< a threshold, a gate or an answer
    std::vector<std::string> misses;
    std::filesystem::path report;  ///< HTML; "" when none was made
    std::size_t stages_run = 0;
    std::size_t stages_up_to_date = 0;
    std::vector<EvalOutcome> evaluations;
};

}  // namespace punie::pipeline
