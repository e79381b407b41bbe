#pragma once
// What is allowed in a suite and still makes its results worth less: expectations that anything
// passes or nothing can, prompts that stand twice or in the training data, too few of them.

#include <punie/error.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "eval/suite.hpp"
#include "eval/suite_notes.hpp"

namespace punie::eval {

enum class LintSeverity { note, warning, error };
std::string_view name_of(LintSeverity severity);

struct LintFinding {
    std::string code;  ///< stable: "trivial", "leak-exact", ... (docs/suites.md lists them)
    LintSeverity severity = LintSeverity::warning;
    int line = 0;        ///< in the suite; 0: the whole suite
    std::string prompt;  ///< its id; "" for the whole suite
    std::string message;
};

/// All findings, by line. `against` are files of training rows (JSONL: messages, prompt and
/// completion, or text), or folders of them; they are streamed, in memory stands only what the
/// suite asks. Errors: not_found, io (a training file).
Result<std::vector<LintFinding>> lint_suite(
    const SuiteWithNotes& read, const std::vector<std::filesystem::path>& against
);

/// Small letters and digits with single spaces: what people mean by "the same question".
std::string normalised(std::string_view text);

/// The text of the last message that the model answers.
std::string asked_text_of(const Prompt& prompt);

/// Prompts that occur in training rows: exact, normalised, or by 13 words in a row (the length that
/// GPT-3's authors chose: Brown et al. 2020, appendix C). Errors: as lint_suite.
Result<std::vector<LintFinding>> find_leaks(
    const Suite& suite, const std::vector<std::filesystem::path>& against
);

}  // namespace punie::eval
