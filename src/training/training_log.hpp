#pragma once
// From the events of python/train_launcher.py to the record of a training. Pure: nothing in them is
// trusted.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace punie::training {

/// One report of the trainer: a training loss, a validation loss, or what came with them.
struct TrainReport {
    int iteration = 0;
    std::optional<double> train_loss{};  ///< mean over the iterations since the last report
    std::optional<double> valid_loss{};  ///< of the adapter after `iteration`
    bool best = false;                   ///< lowest validation loss so far
    bool not_a_number = false;           ///< the loss that this reports is no number
    bool is_validation = false;          ///< of valid_loss; else of train_loss
    double seconds_per_iter = 0;         ///< of the whole pass for a validation
    double learning_rate = 0;
    double tokens_per_second = 0;
    double trained_tokens = 0;
    double peak_memory_gb = 0;  ///< 1e9 bytes, by MLX
};

/// What the trainer does with the rows without a word.
struct TrainDataFacts {
    std::string split = "train";
    std::int64_t rows = 0;
    std::int64_t rows_left_over = 0;  ///< never in a batch
    std::int64_t rows_cut = 0;        ///< longer than max_seq_length: their end is lost
    std::int64_t rows_untrained = 0;  ///< the mask leaves nothing of them
    std::int64_t trained_tokens = 0;  ///< in one epoch
    double padding_share = 0;         ///< of all tokens that are computed
    std::int64_t longest = 0;         ///< tokens of the longest row
    std::int64_t looked_at = 0;       ///< rows whose lengths were counted
    std::int64_t steps_dropped = 0;   ///< last iterations whose gradients are never applied
};

/// How a training ended before its last iteration.
struct TrainStop {
    std::string reason;  ///< early_stop, not_a_number, diverged, interrupted
    int iteration = 0;   ///< the last good one
    std::string message;
    std::vector<int> rows;  ///< of not_a_number: lines of train.jsonl, from 1
};

class TrainingLog {
public:
    enum class Taken { nothing, phase, facts, report, checkpoint, stop, note };

    /// One line of the pipe. Nothing: it is no event of a known name and shape.
    Taken take(std::string_view line);

    const std::string& phase() const { return phase_; }

    const std::vector<TrainReport>& reports() const { return reports_; }

    /// Of train.jsonl, of valid.jsonl.
    const std::optional<TrainDataFacts>& facts() const { return facts_; }

    const std::optional<TrainDataFacts>& valid_facts() const { return valid_facts_; }

    /// The last one.
    const std::string& note() const { return note_; }

    const std::optional<TrainStop>& stop() const { return stop_; }

    int resumed_from() const { return resumed_from_; }

    int checkpoint() const { return checkpoint_; }

    std::optional<int> kept() const { return kept_; }

    const std::string& kept_which() const { return kept_which_; }

    bool ended() const { return ended_; }

    /// "ValueError: ..." of an error event; "" none.
    const std::string& error() const { return error_; }

    const std::string& error_type() const { return error_type_; }

    std::uint64_t bad_lines() const { return bad_lines_; }

private:
    std::string phase_ = "starting";
    std::vector<TrainReport> reports_;
    std::optional<TrainDataFacts> facts_;
    std::optional<TrainDataFacts> valid_facts_;
    std::string note_;
    std::optional<TrainStop> stop_;
    int resumed_from_ = 0;
    int checkpoint_ = 0;
    std::optional<int> kept_;
    std::string kept_which_;
    bool ended_ = false;
    std::string error_;
    std::string error_type_;
    std::uint64_t bad_lines_ = 0;
};

}  // namespace punie::training
