#pragma once
// From the events of python/train_launcher.py to the record of a training. Pure: nothing in them is
// trusted.

#include <punie/training.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace punie::training {

using punie::TrainDataFacts;
using punie::TrainReport;
using punie::TrainStop;

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
