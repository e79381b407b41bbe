#include "pipeline/report_of.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "base/files.hpp"
#include "pipeline/report_parts.hpp"
#include "report/render.hpp"

namespace punie::pipeline {

namespace {

report::Tone tone_of(const ReportParts& parts) {
    const auto& evaluations = *parts.evaluations;
    const bool incomplete = std::ranges::any_of(evaluations, [](const EvalOutcome& one) {
        return one.counts.unanswered() > 0;
    });
    if (incomplete) return report::Tone::failed;
    if (parts.comparison == nullptr || main_pair(*parts.comparison) == nullptr)
        return parts.misses.empty() ? report::Tone::unsure : report::Tone::bad;
    const auto* main = main_pair(*parts.comparison);
    switch (main->overall.claim) {
        case compare::Claim::better:
            return compare::any_failed(parts.gates) ? report::Tone::bad : report::Tone::good;
        case compare::Claim::worse:
            return report::Tone::bad;
        case compare::Claim::no_visible_difference:
        case compare::Claim::too_few:
            break;
    }
    return report::Tone::unsure;
}

std::string unanswered_text(const EvalOutcome& one) {
    return fmt::format(
        "{}: {} of {} prompts have no answer ({} failed, {} refused, {} not asked){}",
        one.table.name,
        one.counts.unanswered(),
        one.scored.samples.size(),
        one.counts.failed,
        one.counts.refused,
        one.counts.not_asked,
        one.ended_by.empty() ? "" : "; ended by " + one.ended_by
    );
}

std::vector<report::Note> notes_of(const ReportParts& parts) {
    std::vector<report::Note> notes;
    for (const auto& one : *parts.evaluations) {
        if (one.counts.unanswered() > 0) notes.push_back({"error", unanswered_text(one)});
        if (one.counts.cut > 0) {
            notes.push_back(
                {"warning",
                 fmt::format(
                     "{}: {} answers were cut at the token limit", one.table.name, one.counts.cut
                 )}
            );
        }
        for (const auto& note : one.scored.notes)
            notes.push_back({"warning", fmt::format("{}: {}", one.table.name, note)});
    }
    for (const auto& gate : parts.gates) {
        if (gate.state == compare::GateState::failed)
            notes.push_back({"error", fmt::format("{}: {}", gate.name, gate.message)});
        if (gate.state == compare::GateState::undecided)
            notes.push_back({"warning", fmt::format("{}: {}", gate.name, gate.message)});
    }
    if (parts.comparison != nullptr) {
        for (const auto& note : parts.comparison->notes) notes.push_back({"note", note});
        for (const auto& pair : parts.comparison->pairs) {
            for (const auto& note : pair.notes) notes.push_back({"note", note});
        }
    }
    return notes;
}

}  // namespace

std::string now_text() {
    return fmt::format(
        "{:%Y-%m-%d %H:%M} UTC",
        fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()))
    );
}

const compare::PairResult* main_pair(const compare::Comparison& comparison) {
    // The first variant after the baseline is what the experiment is about; those made of it
    // follow.
    for (const auto& pair : comparison.pairs) {
        if (pair.baseline == comparison.baseline) return &pair;
    }
    return nullptr;
}

std::string verdict_of(
    const std::vector<EvalOutcome>& evaluations, const compare::Comparison* comparison
) {
    if (comparison != nullptr && main_pair(*comparison) != nullptr)
        return main_pair(*comparison)->overall.words;
    if (evaluations.empty()) return "nothing was evaluated";
    const auto& one = evaluations.front();
    if (one.accuracy.prompts == 0) return one.table.name + ": no prompt has an answer";
    const auto figure = fmt::format(
        "{} passed {:.1f} % of {} prompts (95 % interval {:.1f} to {:.1f} %)",
        one.table.name,
        100 * one.accuracy.mean,
        one.accuracy.prompts,
        100 * one.accuracy.low,
        100 * one.accuracy.high
    );
    if (one.accuracy.prompts >= compare::fewest_prompts) return figure;
    return figure + fmt::format("; {} prompts are too few to tell", one.accuracy.prompts);
}

Result<report::ReportData> report_of(const ReportParts& parts) {
    const auto& evaluations = *parts.evaluations;
    report::ReportData data{
        .title = parts.title,
        .verdict = verdict_of(evaluations, parts.comparison),
        .tone = tone_of(parts),
        .created = parts.created,
        .run = parts.run,
        .punie_version = PUNIE_VERSION,
        .suite = evaluations.front().suite.name,
        .notes = notes_of(parts)
    };
    for (std::size_t i = 0; i < evaluations.size(); ++i)
        data.variants.push_back(report_variant(evaluations[i], parts.comparison, i));
    if (parts.comparison != nullptr) data.differences = report_differences(*parts.comparison);
    data.prompts = report_prompts(evaluations.front().suite);
    for (std::size_t i = 0; i < evaluations.size(); ++i) {
        if (auto added = add_samples(data.prompts, evaluations[i], i); !added)
            return std::unexpected(std::move(added).error());
    }
    // A suite may be asked only in part (limit); what nobody was asked is not shown.
    std::erase_if(data.prompts, [](const report::Prompt& prompt) {
        return prompt.samples.empty();
    });
    data.trainings = parts.trainings;
    data.data = parts.data;
    data.findings = parts.findings;
    data.environment = report_environment(evaluations.front().run.environment_json);
    data.commands = parts.commands;
    return data;
}

Result<void> write_report(
    const report::ReportData& data,
    const std::filesystem::path& html,
    const std::filesystem::path& json
) {
    if (auto written = write_atomic(html, report::render_html(data)); !written) return written;
    return write_atomic(json, report::render_json(data));
}

}  // namespace punie::pipeline
