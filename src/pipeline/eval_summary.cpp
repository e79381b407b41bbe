// What an evaluation came to: the scores as a table, means with intervals, gates.

#include <fmt/format.h>

#include <map>

#include "base/json.hpp"
#include "pipeline/evaluate.hpp"
#include "stats/intervals.hpp"

namespace punie::pipeline {

namespace {

bool is_judged(const eval::ScoredSample& sample) {
    return sample.state == eval::SampleState::answered || sample.state == eval::SampleState::cut;
}

/// A prompt's samples, added up.
struct PromptSum {
    double sum = 0;
    std::size_t count = 0;
    std::string group;
};

}  // namespace

json::object to_json(const Estimate& estimate) {
    return {
        {"mean", estimate.mean},
        {"low", estimate.low},
        {"high", estimate.high},
        {"n", estimate.prompts},
        {"groups", estimate.groups},
        {"method", estimate.method}
    };
}

compare::ScoreTable score_table(
    const eval::Suite& suite, const eval::ScoredRun& scored, std::string name
) {
    compare::ScoreTable table{.name = std::move(name), .format = "punie"};
    const auto counts = eval::count(scored.samples);
    table.unanswered = counts.unanswered();
    table.cut = counts.cut;
    table.unparsed = counts.unparsed;
    table.notes = scored.notes;
    table.identity.suite_hash = suite.hash;
    table.identity.sampling_hash = scored.sampling_hash;
    table.scores.reserve(scored.samples.size());
    for (const auto& sample : scored.samples) {
        if (!is_judged(sample)) continue;
        const auto& prompt = suite.prompts[sample.prompt];
        table.scores.push_back(
            {.prompt = prompt.id,
             .group = prompt.group,
             .category = prompt.category,
             .sample = sample.sample,
             .score = sample.score,
             .passed = sample.passed}
        );
    }
    return table;
}

Estimate estimate_of(const compare::ScoreTable& table, bool passed) {
    std::map<std::string, PromptSum> prompts;
    for (const auto& score : table.scores) {
        auto& prompt = prompts[score.prompt];
        prompt.sum += passed ? (score.passed ? 1.0 : 0.0) : score.score;
        ++prompt.count;
        prompt.group = score.group;
    }
    std::vector<double> values;
    std::vector<std::size_t> groups;
    std::map<std::string, std::size_t> numbers;
    bool grouped = false;
    values.reserve(prompts.size());
    groups.reserve(prompts.size());
    for (const auto& [id, prompt] : prompts) {
        values.push_back(prompt.sum / static_cast<double>(prompt.count));
        grouped = grouped || !prompt.group.empty();
        // A prompt without a group is one of its own; ids and groups must not meet.
        const auto key = prompt.group.empty() ? "\x01" + id : prompt.group;
        groups.push_back(numbers.try_emplace(key, numbers.size()).first->second);
    }
    if (values.empty()) return {.method = "none"};
    stats::Sample sample{.values = values};
    if (grouped) sample.groups = groups;
    const auto mean = stats::mean_score(sample);
    const auto interval = mean.interval.value_or(stats::Interval{.low = 0, .high = 1});
    return {
        .mean = mean.value,
        .low = interval.low,
        .high = interval.high,
        .prompts = values.size(),
        .groups = numbers.size(),
        .method = std::string(mean.method)
    };
}

void summarise(EvalOutcome& outcome, std::string name) {
    outcome.counts = eval::count(outcome.scored.samples);
    outcome.table = score_table(outcome.suite, outcome.scored, std::move(name));
    outcome.accuracy = estimate_of(outcome.table, true);
    outcome.score = estimate_of(outcome.table, false);
}

std::string eval_results_json(
    const eval::SampleCounts& counts,
    const Estimate& accuracy,
    const Estimate& score,
    double seconds
) {
    return to_text(json::object{
        {"accuracy", to_json(accuracy)},
        {"score", to_json(score)},
        {"passed", counts.passed},
        {"answered", counts.answered},
        {"cut", counts.cut},
        {"refused", counts.refused},
        {"failed", counts.failed},
        {"not_asked", counts.not_asked},
        {"unparsed", counts.unparsed},
        {"seconds", seconds}
    });
}

std::vector<std::string> missed_gates(const eval::Suite& suite, const EvalOutcome& outcome) {
    std::vector<std::string> missed;
    for (const auto& gate : suite.gates) {
        const auto& estimate = gate.metric == "score" ? outcome.score : outcome.accuracy;
        const double reached = gate.lower_bound ? estimate.low : estimate.mean;
        if (reached >= gate.at_least) continue;
        missed.push_back(fmt::format(
            "{}: {:.1f} %{} is under {:.1f} %",
            gate.metric,
            100 * reached,
            gate.lower_bound ? " (lower bound of the 95 % interval)" : "",
            100 * gate.at_least
        ));
    }
    return missed;
}

}  // namespace punie::pipeline
