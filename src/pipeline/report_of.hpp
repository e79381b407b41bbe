#pragma once
// What was evaluated, compared and trained, as the report shows it.

#include <punie/error.hpp>

#include <string>
#include <vector>

#include "compare/compare.hpp"
#include "compare/gates.hpp"
#include "pipeline/evaluate.hpp"
#include "report/report_data.hpp"

namespace punie::pipeline {

struct ReportParts {
    std::string title;
    std::string run;  ///< id of the run that the report is of
    std::string created;
    const std::vector<EvalOutcome>* evaluations = nullptr;  ///< at least one
    const compare::Comparison* comparison = nullptr;        ///< null: one variant only
    std::vector<compare::GateResult> gates{};
    std::vector<std::string> misses{};
    std::vector<report::Training> trainings{};
    std::vector<report::Fact> data{};
    std::vector<report::Finding> findings{};
    std::vector<report::Command> commands{};
};

/// Verdict, figures, every answer with its judgements. The answers are read from the files of
/// responses. Errors: those of reading them.
Result<report::ReportData> report_of(const ReportParts& parts);

/// One sentence: did it help, how sure is that; with one variant its score and interval.
std::string verdict_of(
    const std::vector<EvalOutcome>& evaluations, const compare::Comparison* comparison
);

/// report.json and report.html into `folder`.
Result<void> write_report(
    const report::ReportData& data,
    const std::filesystem::path& html,
    const std::filesystem::path& json
);

/// "2026-11-24 09:31 UTC".
std::string now_text();

}  // namespace punie::pipeline
