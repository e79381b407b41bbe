#pragma once
// One evaluation from suite to verdict: server, requests, records, judgements, journal.
//
//   evaluate(job)
//     suite and plan -> identity (hashes) -> journal run -> server ready -> requests
//     each answer: responses.jsonl, then judged, then the journal
//     -> summary with interval -> journal run finished

#include <punie/server_process.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "compare/score_table.hpp"
#include "eval/plan.hpp"
#include "eval/runner.hpp"
#include "eval/score_run.hpp"
#include "eval/suite.hpp"
#include "journal/journal.hpp"

namespace punie::pipeline {

struct EvalJob {
    std::filesystem::path suite;
    ServerConfig server;             ///< backend openai: an endpoint that is not ours
    ServerProcessOptions process{};  ///< how to supervise it
    std::string api_key{};           ///< for the endpoint
    eval::PlanOptions plan{};        ///< its model and request_defaults are filled in
    eval::RunnerOptions runner{};
    double request_seconds = 300;  ///< limit of one attempt
    std::string name{};            ///< of the run, for people; "" makes one
    std::string command{};         ///< as typed
    std::filesystem::path out{};   ///< another place for responses.jsonl; "" is the run's folder
    bool resume = false;           ///< go on with the newest unfinished run of the same question
    std::string parent{};          ///< the experiment's run
    std::string stage{};
    std::string key{};  ///< of the experiment's stage: its newest run with this key is gone on
                        ///< with, finished or not, and only what has no answer yet is asked
};

/// For a progress line. `phase`: "reading", "starting the server", "asking", "stopping".
struct EvalProgress {
    std::string phase;
    eval::RunnerProgress runner;
    std::size_t judged = 0;
    std::size_t passed = 0;
    double score_sum = 0;
    std::optional<double> seconds_left;
};

struct EvalCalls {
    std::function<void(const EvalProgress&)> on_progress;
    std::function<void(const std::string&)> on_note;  ///< something that a person should know
};

/// A mean with its 95 % interval.
struct Estimate {
    double mean = 0;
    double low = 0;
    double high = 0;
    std::size_t prompts = 0;
    std::size_t groups = 0;
    std::string method;
};

struct EvalOutcome {
    journal::Run run;
    eval::Suite suite;
    eval::ScoredRun scored;
    eval::SampleCounts counts;
    Estimate accuracy;  ///< share of passed samples
    Estimate score;     ///< mean score
    compare::ScoreTable table;
    std::filesystem::path responses;
    std::string concurrency;
    std::string ended_by;     ///< "" when all were asked
    double seconds = 0;       ///< of the requests, in all attempts
    std::size_t resumed = 0;  ///< samples that were there already
};

/// Errors: those of the suite, the plan, the server and the disk; cancelled only when nothing was
/// asked yet. An end by Ctrl-C, the time limit or a dead server is an outcome, with what there is.
Result<EvalOutcome> evaluate(
    const EvalJob& job, journal::Journal& journal, const EvalCalls& calls, std::stop_token stop
);

/// The scores of a judged run as comparing needs them. Samples without an answer are counted, not
/// scored.
compare::ScoreTable score_table(
    const eval::Suite& suite, const eval::ScoredRun& scored, std::string name
);

/// Mean and interval as `punie compare` has them.
Estimate estimate_of(const compare::ScoreTable& table, bool passed);

/// {"mean","low","high","n","groups","method"}.
json::object to_json(const Estimate& estimate);

/// Fills in what follows from an outcome's suite and judged samples: counts, table, accuracy,
/// score.
void summarise(EvalOutcome& outcome, std::string name);

/// {"accuracy": {"mean","low","high","n","method"}, "score": ..., "answered", ..., "seconds"}:
/// results_json of an eval run.
std::string eval_results_json(
    const eval::SampleCounts& counts,
    const Estimate& accuracy,
    const Estimate& score,
    double seconds
);

/// Gates of the suite that this outcome misses, a sentence each.
std::vector<std::string> missed_gates(const eval::Suite& suite, const EvalOutcome& outcome);

}  // namespace punie::pipeline
