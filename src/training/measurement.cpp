#include "training/measurement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>

#include "stats/order.hpp"

namespace punie::training {

void Measurement::take(const TrainerEvent& event, double arrived, Source source) {
    if (source == Source::printed_text && source_ == Source::callback) return;
    if (source == Source::callback && source_ == Source::printed_text) {
        // Both speak: the text came first by a poll's delay. Its figures are dropped for the better
        // ones.
        iterations_.clear();
        validations_.clear();
        source_ = Source::nothing;
    }
    if (source == Source::callback) {
        // An event is read after it was written: the smallest difference of the two clocks is the
        // nearest.
        const double offset = std::max(0.0, arrived - event.t);
        clock_offset_ = std::min(clock_offset_.value_or(offset), offset);
    }
    switch (event.kind) {
        case EventKind::validation:
            source_ =
                source;  // else its printed line, read before the first iteration, counts again
            take_validation(event, arrived);
            break;
        case EventKind::iteration:
            source_ = source;
            take_iteration(event, arrived);
            break;
        case EventKind::checkpoint:
            checkpoint_seconds_ += event.seconds.value_or(0);
            ++checkpoints_;
            break;
        case EventKind::error:
            reported_error_ = event.message.empty()
                                  ? event.error_type
                                  : fmt::format("{}: {}", event.error_type, event.message);
            break;
        default:
            take_mark(event, arrived, source);
    }
}

void Measurement::take_mark(const TrainerEvent& event, double arrived, Source source) {
    if (event.kind != EventKind::begin) return;
    if (source == Source::callback) {
        begin_by_trainer_ = event.t;
    } else if (!clock_offset_) {  // the callback's marks are exact
        begin_by_arrival_ = arrived;
    }
    accounted_until_ = arrived;
}

double Measurement::load_seconds() const {
    if (begin_by_trainer_ && clock_offset_) return *clock_offset_ + *begin_by_trainer_;
    return begin_by_arrival_.value_or(0);
}

double Measurement::estimated_seconds(double arrived) const {
    return std::max(0.0, arrived - accounted_until_);
}

void Measurement::take_iteration(const TrainerEvent& event, double arrived) {
    const int before = iterations_.empty() ? 0 : iterations_.back().iteration;
    if (event.iteration <= before) return;  // a repeated or mixed-up line
    // Text of a program that reports every n-th iteration only stands for n of them.
    const double seconds =
        event.seconds.value_or(estimated_seconds(arrived) / (event.iteration - before));
    if (iterations_.empty()) first_batch_tokens_ = event.trained_tokens;
    if (!begun()) begin_by_arrival_ = std::max(0.0, arrived - seconds * (event.iteration - before));
    iterations_.push_back({
        .iteration = event.iteration,
        .seconds = seconds,
        .trainer_seconds = event.trainer_seconds.value_or(0),
        .train_loss = event.loss.value_or(0),
        .tokens_per_second = event.tokens_per_second,
        .peak_memory_gb = event.peak_memory_gb,
    });
    accounted_until_ = arrived;
}

void Measurement::take_validation(const TrainerEvent& event, double arrived) {
    const double seconds = event.seconds.value_or(0);
    validations_.push_back(seconds);
    if (!begun()) {
        begin_by_arrival_ = std::max(0.0, arrived - seconds);
        accounted_until_ = *begin_by_arrival_;
    }
    // What lies before it and is no validation belongs to the iteration.
    accounted_until_ = std::min(arrived, accounted_until_ + seconds);
}

std::string Measurement::phase(bool validation) const {
    if (!iterations_.empty()) return "training";
    if (!begun()) return "loading";
    return validation && validations_.empty() ? "validating" : "compiling";
}

std::vector<double> Measurement::steady_seconds() const {
    std::vector<double> seconds;
    for (const auto& report : iterations_) {
        if (report.iteration > 1) seconds.push_back(report.seconds);
    }
    return seconds;
}

std::optional<double> Measurement::probe_peak_gb() const {
    if (iterations_.empty()) return std::nullopt;
    const auto& probe = iterations_.at(std::min<std::size_t>(iterations_.size(), 2) - 1);
    if (probe.peak_memory_gb <= 0) return std::nullopt;
    return probe.peak_memory_gb;
}

Pace Measurement::pace() const {
    const auto steady = steady_seconds();
    const double first = iterations_.empty() ? 0 : iterations_.front().seconds;
    return {
        .load = load_seconds(),
        .first_iteration = first,
        .iteration = stats::median(steady).value_or(first),
        // The first pass warms up; the last one is what later passes cost.
        .validation_pass = validations_.empty() ? 0 : validations_.back(),
        .checkpoint = checkpoints_ > 0 ? checkpoint_seconds_ / checkpoints_ : 0,
    };
}

void Measurement::fill(BenchmarkResult& result, double ended) const {
    const auto steady = steady_seconds();
    const auto sum = [](std::span<const double> values) {
        return std::accumulate(values.begin(), values.end(), 0.0);
    };
    result.iterations = iterations_;
    result.num_iters = iterations_.empty() ? 0 : iterations_.back().iteration;
    result.seconds_per_iter = pace().iteration;
    result.total_seconds = ended;
    result.load_seconds = load_seconds();
    if (!iterations_.empty() && iterations_.front().iteration == 1) {
        result.first_iteration_seconds = iterations_.front().seconds;
    }
    result.validation_seconds = sum(validations_);
    result.checkpoint_seconds = checkpoint_seconds_;
    result.training_seconds = sum(steady);
    result.other_seconds = ended - result.load_seconds - result.first_iteration_seconds -
                           result.validation_seconds - result.checkpoint_seconds -
                           result.training_seconds;
    if (const auto spread = stats::spread(steady)) {
        result.spread_low = spread->low;
        result.spread_high = spread->high;
    }
    if (const auto interval = stats::median_interval(steady)) {
        result.ci_low = interval->low;
        result.ci_high = interval->high;
    }
    std::vector<double> speeds;
    for (const auto& report : iterations_) {
        const bool steady_or_only = report.iteration > 1 || iterations_.size() == 1;
        if (steady_or_only && report.tokens_per_second > 0)
            speeds.push_back(report.tokens_per_second);
        result.peak_memory_gb = std::max(result.peak_memory_gb, report.peak_memory_gb);
    }
    result.tokens_per_second = stats::median(speeds).value_or(0);
    result.event_source = source_ == Source::callback ? "callback" : "printed text";
}

}  // namespace punie::training
