#pragma once
// From a trainer's events to the figures of a BenchmarkResult. Pure: the time at which an event
// came is passed in.

#include <punie/training_benchmark.hpp>

#include <optional>
#include <string>
#include <vector>

#include "training/events.hpp"
#include "training/verdict.hpp"

namespace punie::training {

/// Where the figures come from.
enum class Source { nothing, printed_text, callback };

/// Takes events in their order; times in seconds since the child's start.
///
/// The time from start to end has these parts, none counted twice:
///   load + validation + first iteration + steady iterations + checkpoints + other
class Measurement {
public:
    /// `arrived`: when the event was read. Events of the callback count from the first one on;
    /// printed ones only as long as the callback reported neither a validation nor an iteration.
    void take(const TrainerEvent& event, double arrived, Source source);

    const std::vector<IterationReport>& iterations() const { return iterations_; }

    Source source() const { return source_; }

    /// "loading", "validating", "compiling" or "training": what goes on after the events so far.
    std::string phase(bool validation) const;

    /// The times of all iterations but the first.
    std::vector<double> steady_seconds() const;

    /// MLX's peak after the second iteration (the last seen if there was only one); nothing if it
    /// was never said.
    std::optional<double> probe_peak_gb() const;

    /// Trained tokens of the first batch, padding left out; 0 if unknown.
    double first_batch_tokens() const { return first_batch_tokens_; }

    /// Fills the measured fields of `result`; `ended`: when the child was gone.
    void fill(BenchmarkResult& result, double ended) const;

    /// Seconds of load, iterations, one validation pass of one batch and one checkpoint.
    Pace pace() const;

    /// What the trainer said in an error event: "MemoryError: ..."; empty if it did not.
    const std::string& reported_error() const { return reported_error_; }

private:
    void take_mark(const TrainerEvent& event, double arrived, Source source);
    void take_iteration(const TrainerEvent& event, double arrived);
    void take_validation(const TrainerEvent& event, double arrived);
    double estimated_seconds(double arrived) const;

    bool begun() const { return begin_by_trainer_ || begin_by_arrival_; }

    double load_seconds() const;

    Source source_ = Source::nothing;
    std::vector<IterationReport> iterations_;
    std::optional<double>
        clock_offset_;  ///< the trainer's clock began so long after the child's start
    std::optional<double> begin_by_trainer_;  ///< the first batch is next, by the trainer's clock
    std::optional<double> begin_by_arrival_;  ///< the same by ours, for text
    double accounted_until_ = 0;              ///< by arrival: for text without times
    std::vector<double> validations_;
    double checkpoint_seconds_ = 0;
    int checkpoints_ = 0;
    double first_batch_tokens_ = 0;
    std::string reported_error_;
};

}  // namespace punie::training
