#pragma once
// The runs as a Markdown page to keep beside a project: what was tried, with what, and what came
// out.

#include <string>
#include <string_view>
#include <vector>

#include "journal/journal.hpp"

namespace punie::journal {

/// A section a run, oldest first: when, command, settings, hashes, results with n and intervals,
/// error, note. The same runs give the same bytes (times in UTC), whatever the order they come in.
std::string training_journal(std::vector<Run> runs, std::string_view baseline);

}  // namespace punie::journal
