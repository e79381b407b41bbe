// The stages that end an experiment: its variants compared, and the report.

#include <fmt/format.h>

#include <algorithm>

#include "pipeline/report_of.hpp"
#include "pipeline/runner.hpp"

namespace punie::pipeline {

namespace {

std::size_t baseline_of(const Work& work) {
    for (std::size_t i = 0; i < work.evaluations.size(); ++i) {
        if (work.evaluations[i].table.name == work.experiment.compare.baseline) return i;
    }
    return 0;
}

compare::GateOptions gates_of(const Experiment& experiment) {
    return {
        .threshold = experiment.compare.threshold,
        .min_gain = experiment.compare.min_gain,
        .no_regression = experiment.compare.no_regression
    };
}

/// The suite's own no_regression and the experiment's.
std::vector<std::string> guarded_categories(const Work& work) {
    auto categories = work.experiment.compare.no_regression;
    for (const auto& category : work.evaluations.front().suite.no_regression) {
        if (std::ranges::find(categories, category) == categories.end())
            categories.push_back(category);
    }
    return categories;
}

json::object results_json(const compare::Comparison& comparison) {
    json::array differences;
    for (const auto& pair : comparison.pairs) {
        differences.push_back(json::object{
            {"baseline", comparison.variants[pair.baseline].name},
            {"other", comparison.variants[pair.other].name},
            {"difference", pair.overall.difference.value},
            {"p", pair.overall.p ? json::value(*pair.overall.p) : json::value(nullptr)},
            {"claim", name_of(pair.overall.claim)},
            {"words", pair.overall.words}
        });
    }
    return {{"differences", std::move(differences)}};
}

/// Loss curves and what the trainings came to, from the journal.
Result<std::vector<report::Training>> trainings_of(const Work& work) {
    std::vector<report::Training> trainings;
    for (const auto& [id, status] : work.stages) {
        if (status.stage.kind != StageKind::train) continue;
        auto record = find_stage_record(work.journal, status);
        if (!record) return std::unexpected(std::move(record).error());
        if (!record->run) continue;
        auto points = work.journal.points(record->run->id);
        if (!points) return std::unexpected(std::move(points).error());
        report::Training training{.name = status.stage.variant};
        for (const auto& point : *points) {
            training.points.push_back(
                {.iteration = point.iteration,
                 .train_loss = point.train_loss,
                 .valid_loss = point.valid_loss,
                 .memory_gb =
                     point.peak_memory_gb > 0 ? std::optional(point.peak_memory_gb) : std::nullopt,
                 .tokens_per_second = point.tokens_per_second > 0
                                          ? std::optional(point.tokens_per_second)
                                          : std::nullopt}
            );
        }
        if (const auto results = parse_json(record->run->results_json)) {
            training.best_iteration = integer_member(*results, "best_iteration");
            training.kept_iteration = integer_member(*results, "kept_iteration");
            training.seconds = number_member(*results, "seconds");
        }
        for (const auto& [name, value] : status.stage.settings)
            training.settings.push_back({std::string(name), to_text(value)});
        trainings.push_back(std::move(training));
    }
    return trainings;
}

/// What the data check found, from its run.
Result<void> add_data(const Work& work, ReportParts& parts) {
    const auto found = work.stages.find("data");
    if (found == work.stages.end()) return {};
    auto record = find_stage_record(work.journal, found->second);
    if (!record) return std::unexpected(std::move(record).error());
    if (!record->run) return {};
    const auto results = parse_json(record->run->results_json);
    if (!results) return {};
    if (const auto* facts = member(*results, "facts"); facts != nullptr && facts->is_array()) {
        for (const auto& fact : facts->as_array()) {
            parts.data.push_back(
                {string_member(fact, "name").value_or(""), string_member(fact, "value").value_or("")
                }
            );
        }
    }
    const auto* findings = member(*results, "findings");
    if (findings == nullptr || !findings->is_array()) return {};
    for (const auto& finding : findings->as_array()) {
        parts.findings.push_back(
            {.code = string_member(finding, "code").value_or(""),
             .severity = string_member(finding, "severity").value_or("note"),
             .file = string_member(finding, "file").value_or(""),
             .line = integer_member(finding, "line").value_or(0),
             .message = string_member(finding, "message").value_or(""),
             .why = string_member(finding, "why").value_or("")}
        );
    }
    return {};
}

Result<compare::Comparison> compared(const Work& work) {
    std::vector<compare::ScoreTable> tables;
    tables.reserve(work.evaluations.size());
    for (const auto& one : work.evaluations) {
        tables.push_back(one.table);
        // Right or not: half a tool call is none, and the figures are then those shown everywhere.
        for (auto& score : tables.back().scores) score.score = score.passed ? 1 : 0;
    }
    compare::CompareOptions options{.baseline = baseline_of(work), .all_pairs = true};
    // A variant with failed prompts is compared over what it shares; the report says so first.
    options.only_common = true;
    for (const auto& category : guarded_categories(work)) options.named_categories.insert(category);
    return compare::compare_variants(tables, options);
}

}  // namespace

Result<void> run_compare(Work& work, const StageStatus& status) {
    const auto judged = std::ranges::count_if(work.evaluations, [](const EvalOutcome& one) {
        return !one.table.scores.empty();
    });
    if (judged < static_cast<long>(work.evaluations.size())) {
        work.outcome.missed = true;
        work.say(status.stage, "note", "a variant has no answers at all: nothing is compared");
        return {};
    }
    auto comparison = compared(work);
    if (!comparison) return std::unexpected(std::move(comparison).error());
    auto gate_options = gates_of(work.experiment);
    gate_options.no_regression = guarded_categories(work);
    work.gates = compare::judge_gates(*comparison, gate_options);
    for (const auto& gate : work.gates) {
        if (gate.state != compare::GateState::failed) continue;
        work.outcome.missed = true;
        work.outcome.misses.push_back(fmt::format("{}: {}", gate.name, gate.message));
    }
    work.comparison = *std::move(comparison);
    if (status.up_to_date) return {};
    auto run = work.begin(status, {});
    if (!run) return std::unexpected(std::move(run).error());
    return work.finish(*std::move(run), results_json(*work.comparison));
}

Result<void> run_report(Work& work, const StageStatus& status) {
    work.outcome.report = work.experiment.report_html;
    auto run = work.begin(status, {});
    if (!run) return std::unexpected(std::move(run).error());
    ReportParts parts{
        .title = work.experiment.name,
        .run = work.run,
        .created = now_text(),
        .evaluations = &work.evaluations,
        .comparison = work.comparison ? &*work.comparison : nullptr,
        .gates = work.gates,
        .misses = work.outcome.misses,
        .commands = {{.what = "experiment", .text = work.options.command}}
    };
    auto trainings = trainings_of(work);
    if (!trainings) return std::unexpected(std::move(trainings).error());
    parts.trainings = *std::move(trainings);
    if (auto added = add_data(work, parts); !added) return added;
    auto data = report_of(parts);
    if (!data) return std::unexpected(work.failed(*run, std::move(data).error()));
    auto folder = work.journal.run_folder(work.run);
    if (!folder) return std::unexpected(std::move(folder).error());
    if (auto written = write_report(*data, work.experiment.report_html, *folder / "report.json");
        !written)
        return std::unexpected(work.failed(*run, std::move(written).error()));
    return work.finish(
        *std::move(run),
        {{"html", work.experiment.report_html.string()}, {"verdict", data->verdict}}
    );
}

}  // namespace punie::pipeline
