// The stage that puts the suite to one variant.

#include <fmt/format.h>

#include <algorithm>

#include "pipeline/run.hpp"
#include "pipeline/runner.hpp"
#include "stats/intervals.hpp"

namespace punie::pipeline {

namespace {

Result<ServerConfig> server_for(const Work& work, const Variant& variant) {
    auto kind =
        backend_from_name(variant.kind == VariantKind::endpoint ? "openai" : variant.backend);
    if (!kind) return std::unexpected(std::move(kind).error());
    const auto files = files_of(work.experiment, variant, work.stages);
    ServerOptions options{
        .backend = *kind, .model_path = files.model, .port = 0, .adapter_path = files.adapter
    };
    if (variant.kind == VariantKind::endpoint) {
        options.url = variant.url;
        options.model_path = variant.model;
    }
    return make_server_config(std::move(options));
}

std::string progress_line(const EvalProgress& progress) {
    if (progress.phase != "asking") return progress.phase;
    if (progress.judged == 0)
        return fmt::format("{}/{}", progress.runner.done, progress.runner.total);
    const auto interval = stats::wilson(progress.passed, progress.judged);
    return fmt::format(
        "{}/{}  passed {:.0f} % ({:.0f} to {:.0f}){}",
        progress.runner.done,
        progress.runner.total,
        100.0 * static_cast<double>(progress.passed) / static_cast<double>(progress.judged),
        100 * interval.low,
        100 * interval.high,
        progress.runner.unanswered > 0
            ? fmt::format("  {} without answer", progress.runner.unanswered)
            : ""
    );
}

EvalJob job_for(const Work& work, const StageStatus& status, ServerConfig server) {
    const auto& settings = work.experiment.evaluate;
    EvalJob job{.suite = work.experiment.suite, .server = std::move(server)};
    job.process.mlx_lm = work.mlx_lm();
    job.plan.repeats = settings.repeats;
    job.plan.max_tokens = settings.max_tokens;
    job.plan.temperature = settings.temperature;
    job.plan.seed = settings.seed;
    job.plan.limit = settings.limit;
    job.runner.concurrency = settings.concurrency;
    job.request_seconds = settings.request_seconds;
    job.name = status.stage.variant;
    job.command = work.options.command;
    job.resume = true;
    job.parent = work.run;
    job.stage = fmt::format("{}/{}", work.experiment.name, status.stage.id);
    job.key = status.key;
    return job;
}

}  // namespace

Result<void> run_evaluate(Work& work, const StageStatus& status) {
    const auto* variant = work.experiment.find(status.stage.variant);
    auto server = server_for(work, *variant);
    if (!server) return std::unexpected(std::move(server).error());
    const auto job = job_for(work, status, *std::move(server));
    const EvalCalls calls{
        .on_progress = [&](const EvalProgress& progress
                       ) { work.say(status.stage, "progress", progress_line(progress)); },
        .on_note = [&](const std::string& note) { work.say(status.stage, "note", note); }
    };
    auto outcome = evaluate(job, work.journal, calls, work.stop);
    if (!outcome) return std::unexpected(std::move(outcome).error());
    if (outcome->ended_by == "cancelled")
        return fail(ErrorCode::cancelled, "interrupted; the same command goes on");
    outcome->table.name = variant->name;
    if (outcome->counts.unanswered() > 0) {
        work.outcome.missed = true;
        work.outcome.misses.push_back(fmt::format("{}: {}", variant->name, outcome->run.error));
    }
    for (const auto& missed : missed_gates(outcome->suite, *outcome)) {
        // A base model that misses the gate is what one trains for; the last variant must reach it.
        if (variant != &work.experiment.variants.back()) continue;
        work.outcome.missed = true;
        work.outcome.misses.push_back(fmt::format("{}: {}", variant->name, missed));
    }
    const auto rank = [&work](const EvalOutcome& one) {
        return std::ranges::find(work.experiment.variants, one.table.name, &Variant::name) -
               work.experiment.variants.begin();
    };
    work.evaluations.push_back(*std::move(outcome));
    std::ranges::sort(work.evaluations, {}, rank);
    return {};
}

}  // namespace punie::pipeline
