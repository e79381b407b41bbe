// The schema is docs/bench-train.md.

#include <punie/training_benchmark.hpp>

#include <boost/json.hpp>
#include <cmath>
#include <span>

#include "base/json.hpp"

namespace punie {

namespace {

json::value number(double value) {
    return std::isfinite(value) ? json::value(value) : json::value(nullptr);
}

json::value optional_number(const std::optional<double>& value) {
    return value ? number(*value) : json::value(nullptr);
}

/// 0 stands for "unknown" in the structures; in JSON that is null.
json::value known(double value) {
    return value > 0 ? number(value) : json::value(nullptr);
}

json::array texts(std::span<const std::string> values) {
    json::array list;
    for (const auto& value : values) list.emplace_back(value);
    return list;
}

json::array advice_json(std::span<const Advice> advice) {
    json::array list;
    for (const auto& item : advice) {
        list.push_back({
            {"change", item.change},
            {"explanation", item.explanation},
            {"estimated_seconds_per_iter", known(item.estimated_seconds_per_iter)},
            {"estimated_peak_gb", known(item.estimated_peak_gb)},
        });
    }
    return list;
}

json::array iterations_json(std::span<const IterationReport> iterations) {
    json::array list;
    for (const auto& report : iterations) {
        list.push_back({
            {"iteration", report.iteration},
            {"seconds", number(report.seconds)},
            {"trainer_seconds", known(report.trainer_seconds)},
            {"train_loss", number(report.train_loss)},
            {"tokens_per_second", known(report.tokens_per_second)},
            {"peak_memory_gb", known(report.peak_memory_gb)},
        });
    }
    return list;
}

json::object times_json(const BenchmarkResult& result) {
    return {
        {"load", number(result.load_seconds)},
        {"first_iteration", number(result.first_iteration_seconds)},
        {"training", number(result.training_seconds)},
        {"validation", number(result.validation_seconds)},
        {"checkpoint", number(result.checkpoint_seconds)},
        {"other", number(result.other_seconds)},
    };
}

json::object memory_json(const BenchmarkResult& result) {
    return {
        {"estimated_peak_gb", known(result.estimated_peak_gb)},
        {"corrected_peak_gb", optional_number(result.corrected_peak_gb)},
        {"peak_gb", known(result.peak_memory_gb)},
        {"tree_peak_gb", known(result.tree_peak_gb)},
    };
}

}  // namespace

std::string to_json(const BenchmarkResult& result) {
    const json::object value = {
        {"schema", "punie.bench-train/1"},
        {"model_path", result.model_path},
        {"verdict", name_of(result.verdict)},
        {"stopped_early", result.stopped_early},
        {"num_iters", result.num_iters},
        {"seconds_per_iter", number(result.seconds_per_iter)},
        {"spread", {number(result.spread_low), number(result.spread_high)}},
        {"interval_95",
         result.ci_low && result.ci_high
             ? json::value{number(*result.ci_low), number(*result.ci_high)}
             : json::value(nullptr)},
        {"tokens_per_second", known(result.tokens_per_second)},
        {"total_seconds", number(result.total_seconds)},
        {"parts_seconds", times_json(result)},
        {"peak_memory_gb", known(result.peak_memory_gb)},
        {"memory", memory_json(result)},
        {"projected_seconds_100_iters", number(result.seconds_for_100_iters)},
        {"projected_seconds_plan", optional_number(result.seconds_for_plan)},
        {"advice", advice_json(result.advice)},
        {"iterations", iterations_json(result.iterations)},
        {"event_source", result.event_source},
        {"mlx_lm_version", result.mlx_lm_version},
        {"command", texts(result.command)},
        {"notes", texts(result.notes)},
    };
    return to_text(value);
}

}  // namespace punie
