#pragma once
// What can be learned from what mlx_lm prints, for when its callback says nothing. Two generations
// of text:
//
//   up to 0.31   Iter 2: Train loss 6.426, Learning Rate 1.000e-05, It/sec 2.306, Tokens/sec
//   3127.507,
//                Trained Tokens 2712, Peak mem 0.051 GB
//                Iter 1: Val loss 6.439, Val took 0.250s
//   from 0.32    a coloured table: iteration, loss, arrow, tokens/s, tokens in thousands; "val"
//   rows with a time
//
// The table has neither times of iterations nor memory: those fields stay empty, and the reader has
// only the moment at which a row came.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "training/events.hpp"

namespace punie::training {

/// One printed line, colours and all; nothing when it reports nothing. `iteration` of a validation
/// is counted as the callback does (validations before iteration n say n - 1).
std::optional<TrainerEvent> parse_printed_line(std::string_view line);

/// Cuts bytes into lines (a carriage return ends a line too: progress bars) and parses them.
class PrintedText {
public:
    void feed(std::string_view bytes);

    /// The events since the last call.
    std::vector<TrainerEvent> take();

private:
    void finish_line();

    std::string line_;
    std::vector<TrainerEvent> events_;
};

}  // namespace punie::training
