#include "pipeline/run.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.hpp"
#include "pipeline/attempt.hpp"
#include "pipeline/report_of.hpp"
#include "pipeline/runner.hpp"

namespace punie::pipeline {

namespace {

using Clock = std::chrono::steady_clock;

/// These also give what later stages and the outcome need, so they are asked although up to date.
bool always_asked(StageKind kind) {
    return kind == StageKind::evaluate || kind == StageKind::compare;
}

Result<void> run_stage(Work& work, const StageStatus& status) {
    switch (status.stage.kind) {
        case StageKind::data:
            return run_data(work, status);
        case StageKind::feasibility:
            return run_feasibility(work, status);
        case StageKind::train:
            return run_train(work, status);
        case StageKind::fuse:
            return run_fuse(work, status);
        case StageKind::quantise:
            return run_quantise(work, status);
        case StageKind::evaluate:
            return run_evaluate(work, status);
        case StageKind::compare:
            return run_compare(work, status);
        case StageKind::report:
            break;
    }
    return run_report(work, status);
}

/// All stages in order, each reported.
Result<void> run_all(Work& work, const std::vector<StageStatus>& plan) {
    for (const auto& status : plan) {
        if (work.stop.stop_requested())
            return fail(ErrorCode::cancelled, status.stage.id + " was not begun");
        if (status.up_to_date) {
            work.say(status.stage, "up to date", {});
            ++work.outcome.stages_up_to_date;
            if (!always_asked(status.stage.kind)) continue;
        } else {
            work.say(status.stage, "begin", status.reason);
            ++work.outcome.stages_run;
        }
        const auto began = Clock::now();
        if (auto done = run_stage(work, status); !done)
            return std::unexpected(std::move(done).error().in(status.stage.id));
        const auto seconds = std::chrono::duration<double>(Clock::now() - began).count();
        if (!status.up_to_date) work.say(status.stage, "done", {}, seconds);
    }
    return {};
}

std::string key_of(const std::vector<StageStatus>& plan) {
    Sha256 key;
    for (const auto& status : plan) key.add_part(status.key);
    return key.hex();
}

/// The experiment's own run: the one that was killed with the same key is gone on with.
Result<journal::Run> begin_experiment(Work& work, const std::vector<StageStatus>& plan) {
    journal::Run run;
    const auto key = key_of(plan);
    auto earlier = work.journal.list({.kind = "experiment", .key = key, .limit = 1});
    if (!earlier) return std::unexpected(std::move(earlier).error());
    if (!earlier->empty()) {
        if (earlier->front().alive) {
            return fail(
                ErrorCode::state,
                fmt::format("another punie (pid {}) runs this experiment", earlier->front().pid),
                "wait for it, or stop it"
            );
        }
        run = earlier->front();
    }
    run.kind = "experiment";
    run.name = work.experiment.name;
    run.key = key;
    begin_attempt(run, work.options.command);
    run.config_json =
        to_text(json::object{{"file", std::filesystem::absolute(work.experiment.file).string()}});
    return work.journal.begin(std::move(run));
}

}  // namespace

void Work::say(const Stage& stage, std::string_view kind, std::string text, double seconds) const {
    if (!calls.on_event) return;
    calls.on_event(
        {.stage = stage.id, .kind = std::string(kind), .text = std::move(text), .seconds = seconds}
    );
}

Result<journal::Run> Work::begin(const StageStatus& status, json::object config) const {
    auto record = find_stage_record(journal, status);
    if (!record) return std::unexpected(std::move(record).error());
    auto made = record->run.value_or(journal::Run{});
    if (record->run && record->run->alive && record->run->parent != run) {
        return fail(
            ErrorCode::state, fmt::format("another punie (pid {}) runs it", record->run->pid)
        );
    }
    made.kind = run_kind(status.stage.kind);
    made.name = status.stage.variant.empty() ? experiment.name : status.stage.variant;
    made.stage = fmt::format("{}/{}", experiment.name, status.stage.id);
    made.parent = run;
    made.key = status.key;
    made.started = 0;  // of this attempt: what it took is estimated from it
    made.config_json = to_text(config);
    begin_attempt(made, options.command);
    return journal.begin(std::move(made));
}

Result<void> Work::finish(journal::Run made, json::object results) const {
    made.state = journal::RunState::done;
    made.results_json = to_text(results);
    return journal.update(made);
}

Error Work::failed(journal::Run made, Error error) const {
    end_with(made, error);
    (void)journal.update(made);  // the first error is the one to report
    return error;
}

Result<ExperimentOutcome> run_experiment(
    const Experiment& experiment,
    journal::Journal& journal,
    const RunOptions& options,
    const ExperimentCalls& calls,
    std::stop_token stop
) {
    auto plan = plan_experiment(experiment, journal, options);
    if (!plan) return std::unexpected(std::move(plan).error());
    Work work{
        .experiment = experiment,
        .journal = journal,
        .options = options,
        .calls = calls,
        .stop = std::move(stop)
    };
    for (const auto& status : *plan) work.stages[status.stage.id] = status;
    auto run = begin_experiment(work, *plan);
    if (!run) return std::unexpected(std::move(run).error());
    work.run = run->id;
    work.outcome.run = run->id;
    if (auto done = run_all(work, *plan); !done)
        return std::unexpected(work.failed(std::move(*run), std::move(done).error()));
    work.outcome.verdict =
        verdict_of(work.evaluations, work.comparison ? &*work.comparison : nullptr);
    work.outcome.report = experiment.report_html;
    run->results_json =
        to_text(json::object{{"verdict", work.outcome.verdict}, {"missed", work.outcome.missed}});
    run->state = journal::RunState::done;
    if (auto updated = journal.update(*run); !updated)
        return std::unexpected(std::move(updated).error());
    work.outcome.evaluations = std::move(work.evaluations);
    return std::move(work.outcome);
}

}  // namespace punie::pipeline
