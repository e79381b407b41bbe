#pragma once
// Score files that people have: Punie's own plain rows, lm-evaluation-harness samples, Inspect
// logs, promptfoo outputs. What a file is, is found by its content, never by its name.

#include <punie/error.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "compare/score_table.hpp"

namespace punie::compare {

struct ReadOptions {
    std::string metric{};  ///< lm-eval's metric or Inspect's scorer; "" the first one
    std::string filter{};  ///< lm-eval's filter; "" the first one
};

/// Whether the text is made of answers (responses.jsonl) that a suite has to judge first.
bool holds_responses(std::string_view text);

/// The variants of a file: one, or for promptfoo one a provider and prompt. `file` is for messages
/// and names. Errors (each "file:line: ..." where rows have lines): invalid_argument (a row that is
/// not what its format says: what was found, what was expected), unsupported (a format that has to
/// be converted first, with the command).
Result<std::vector<ScoreTable>> parse_scores(
    std::string_view text, const std::filesystem::path& file, const ReadOptions& options = {}
);

/// As above, from the file. Errors: not_found, io too.
Result<std::vector<ScoreTable>> read_scores(
    const std::filesystem::path& file, const ReadOptions& options = {}
);

}  // namespace punie::compare
