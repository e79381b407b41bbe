// The stage that checks the training data, against itself and against the suite.

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "dataset/codes.hpp"
#include "dataset/validate.hpp"
#include "eval/suite_lint.hpp"
#include "pipeline/runner.hpp"
#include "training/train_settings.hpp"

namespace punie::pipeline {

namespace {

constexpr std::size_t told = 5;  ///< findings that a message names

/// Batch, length and mask of the first training, as the checker wants to know them.
dataset::ValidateOptions options_of(const Work& work) {
    dataset::ValidateOptions options{.stop = work.stop};
    for (const auto& variant : work.experiment.variants) {
        if (variant.kind != VariantKind::train) continue;
        auto given = variant.settings;
        given.erase("keep");
        given.erase("early_stop");
        const auto complete = training::complete_train_settings(given);
        if (!complete) break;  // the training says what is wrong with them
        const auto plan = training::as_benchmark_options(*complete);
        options.batch_size = static_cast<std::size_t>(plan.batch_size);
        options.max_seq_length = static_cast<std::size_t>(plan.max_seq_length);
        options.mask_prompt = plan.mask_prompt;
        break;
    }
    return options;
}

json::array facts_json(const dataset::DataReport& report) {
    json::array facts;
    for (const auto& split : report.splits) {
        facts.push_back(json::object{
            {"name", split.split},
            {"value",
             fmt::format(
                 "{} rows, {} tokens{}",
                 split.rows,
                 split.tokens,
                 split.exact_tokens ? "" : " (estimated)"
             )}
        });
    }
    return facts;
}

json::array findings_json(const dataset::DataReport& report) {
    json::array findings;
    for (const auto& finding : report.findings) {
        findings.push_back(json::object{
            {"code", finding.code},
            {"severity", name_of(finding.severity)},
            {"file", std::filesystem::path(finding.file).filename().string()},
            {"line", finding.line},
            {"message", finding.message},
            {"why", dataset::code_info(finding.code).why}
        });
    }
    return findings;
}

/// Prompts of the suite that stand in the training data: what was learnt by heart says nothing
/// about what was learnt.
Result<json::array> leaks(const Work& work) {
    auto suite = eval::read_suite(work.experiment.suite);
    if (!suite) return std::unexpected(std::move(suite).error());
    std::vector<std::filesystem::path> files;
    std::error_code ignored;
    for (const auto* name : {"train.jsonl", "valid.jsonl"}) {
        auto file = work.experiment.data / name;
        if (std::filesystem::exists(file, ignored)) files.push_back(std::move(file));
    }
    auto found = eval::find_leaks(*suite, files);
    if (!found) return std::unexpected(std::move(found).error());
    json::array findings;
    for (const auto& leak : *found) {
        findings.push_back(json::object{
            {"code", leak.code},
            {"severity", name_of(leak.severity)},
            {"file", work.experiment.suite.filename().string()},
            {"line", leak.line},
            {"message", fmt::format("{}: {}", leak.prompt, leak.message)},
            {"why", "a prompt that was trained on measures memory, not what was learnt"}
        });
    }
    return findings;
}

Error leaked(const json::array& leaks) {
    return Error(
               ErrorCode::invalid_argument,
               fmt::format(
                   "{} prompt{} of the suite stand{} in the training data; the first: {}",
                   leaks.size(),
                   leaks.size() == 1 ? "" : "s",
                   leaks.size() == 1 ? "s" : "",
                   string_member(leaks.front(), "message").value_or("")
               )
    )
        .with_hint(
            "`punie suite lint SUITE --against DATA` shows them all; take them out of one of the "
            "two, or --force"
        );
}

bool any_error(const json::array& findings) {
    return std::ranges::any_of(findings, [](const json::value& finding) {
        return string_member(finding, "severity") == "error";
    });
}

Error refused(const dataset::DataReport& report, bool strict) {
    auto message = fmt::format(
        "{} error{}, {} warning{} in the training data",
        report.errors,
        report.errors == 1 ? "" : "s",
        report.warnings,
        report.warnings == 1 ? "" : "s"
    );
    std::size_t shown = 0;
    for (const auto& finding : report.findings) {
        const bool counts = finding.severity == dataset::Severity::error ||
                            (strict && finding.severity == dataset::Severity::warning);
        if (!counts || shown++ == told) continue;
        message += fmt::format(
            "\n  {}:{}: {} {}", finding.file, finding.line, finding.code, finding.message
        );
        if (shown == told) break;
    }
    return Error(ErrorCode::invalid_argument, message)
        .with_hint("`punie dataset validate` shows them all; --force trains all the same");
}

}  // namespace

Result<void> run_data(Work& work, const StageStatus& status) {
    auto run = work.begin(status, {{"data", work.experiment.data.string()}});
    if (!run) return std::unexpected(std::move(run).error());
    auto options = options_of(work);
    options.on_progress = [&](std::uint64_t done, std::uint64_t total) {
        work.say(
            status.stage, "progress", fmt::format("{} of {}", human_bytes(done), human_bytes(total))
        );
    };
    auto report = dataset::validate_data(work.experiment.data, options);
    if (!report) return std::unexpected(work.failed(*run, std::move(report).error()));
    auto leak_findings = leaks(work);
    if (!leak_findings) return std::unexpected(work.failed(*run, std::move(leak_findings).error()));
    auto findings = findings_json(*report);
    findings.insert(findings.end(), leak_findings->begin(), leak_findings->end());
    const json::object results{
        {"facts", facts_json(*report)},
        {"findings", std::move(findings)},
        {"errors", report->errors},
        {"warnings", report->warnings},
        {"notes", report->notes}
    };
    const bool bad = report->errors > 0 || (work.experiment.strict_data && report->warnings > 0);
    if (bad && !work.options.force) {
        run->results_json = to_text(results);
        return std::unexpected(work.failed(*run, refused(*report, work.experiment.strict_data)));
    }
    if (any_error(*leak_findings) && !work.options.force) {
        run->results_json = to_text(results);
        return std::unexpected(work.failed(*run, leaked(*leak_findings)));
    }
    work.say(
        status.stage,
        "note",
        fmt::format(
            "{} errors, {} warnings, {} notes", report->errors, report->warnings, report->notes
        )
    );
    return work.finish(*std::move(run), results);
}

}  // namespace punie::pipeline
