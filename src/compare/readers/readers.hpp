#pragma once
// One reader a format; read_scores.cpp chooses.

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "compare/read_scores.hpp"

namespace punie::compare {

/// A file's text and how it is called in messages.
struct Input {
    std::string_view text;
    std::string file;
    std::string stem;
};

/// {"prompt", "score"} and optional "group", "category", "sample", "passed"; a row a line.
Result<std::vector<ScoreTable>> read_plain(const Input& input);
/// samples_*.jsonl of lm-evaluation-harness (--log_samples).
Result<std::vector<ScoreTable>> read_lm_eval(const Input& input, const ReadOptions& options);
/// A log of Inspect in JSON.
Result<std::vector<ScoreTable>> read_inspect(
    const Input& input, const json::value& log, const ReadOptions& options
);
/// The JSON output of promptfoo eval.
Result<std::vector<ScoreTable>> read_promptfoo(const Input& input, const json::value& output);

/// Calls `on_row` for each line that is not blank, parsed; line numbers from 1. Errors:
/// invalid_argument with file:line, or what `on_row` returned with file:line in front.
Result<void> for_each_row(
    const Input& input, const std::function<Result<void>(const json::value& row)>& on_row
);

/// A text, or a whole number as text: ids come as both.
std::optional<std::string> id_member(const json::value& value, std::string_view name);

/// The value as it stands in a message, cut to a line.
std::string shown(const json::value& value);

/// true and false are 1 and 0; numbers must lie between 0 and 1. Nothing otherwise.
std::optional<double> score_from(const json::value& value);

/// Whether a score counts as passed where the source does not say.
bool is_full(double score);

/// The rows that were seen, to refuse a second one of the same prompt and sample.
class Seen {
public:
    bool add(const std::string& prompt, int sample) { return rows_.emplace(prompt, sample).second; }

private:
    std::set<std::pair<std::string, int>> rows_;
};

}  // namespace punie::compare
