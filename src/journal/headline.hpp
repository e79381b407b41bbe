#pragma once
// What a run came to, in a few words.

#include <string>
#include <string_view>

#include "base/json.hpp"
#include "journal/journal.hpp"

namespace punie::journal {

/// "running", "died" (running by its row, but the process is gone), "done", "failed",
/// "interrupted".
std::string_view shown_state(const Run& run);

/// "accuracy 62.5 % (50.1 to 73.4, n 60), 3 unanswered", "valid loss 1.234 at 200 of 600",
/// "4.50 bits per weight, 410.0 MB" ..., by the run's kind and what its results have; of a failed
/// run the first line of its error. Empty when there is nothing to tell.
std::string headline(const Run& run);

/// A figure with its interval when `value` is an object with mean, low and high: "0.625 (0.501 to
/// 0.734, n 60, wilson)". Empty when it is none.
std::string figure_text(const json::value& value);

/// A JSON value for reading: texts without quotes, numbers as short as they are exact.
std::string value_text(const json::value& value);

}  // namespace punie::journal
