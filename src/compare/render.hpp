#pragma once
// A comparison for people and for CI pages.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "compare/comparison.hpp"
#include "compare/gates.hpp"

namespace punie::compare {

enum class Emphasis { strong, good, bad, dim };

/// Colours a piece of text, or gives it back as it is.
using Paint = std::function<std::string(Emphasis, std::string_view)>;

/// For a terminal: verdict first, then variants, differences, categories, changed prompts (at most
/// `changed` of each pair). Ends with a line end.
std::string to_terminal(
    const Comparison& comparison,
    const std::vector<GateResult>& gates,
    const Paint& paint,
    std::size_t changed = 10
);

/// GitHub-flavoured Markdown with the same content, fit for a pull request's comment.
std::string to_markdown(const Comparison& comparison, const std::vector<GateResult>& gates);

/// JUnit XML. A test case for each gate (failure when missed, skipped when undecided), for each
/// variant with unanswered prompts (error, never failure), and for each prompt that was lost
/// against the baseline: failure in a category whose no_regression gate failed, else skipped, for
/// one prompt decides nothing.
std::string to_junit(const Comparison& comparison, const std::vector<GateResult>& gates);

}  // namespace punie::compare
