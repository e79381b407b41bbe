#pragma once
// How runs of the journal look: a table, one run in full, two beside each other, JSON.

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "cli/terminal.hpp"
#include "journal/journal.hpp"
#include "journal/run_diff.hpp"

namespace punie::cli {

/// What `journal show` needs beside the run itself.
struct RunDetails {
    journal::Run run;
    bool baseline = false;
    std::vector<journal::AnswerRow> wrong;  ///< the first ones that did not pass
    std::size_t wrong_in_all = 0;
    std::vector<journal::TrainingPoint> points;
    std::vector<std::pair<std::string, std::uint64_t>> files;  ///< path below `folder`, bytes
    std::string folder;                                        ///< of the run's files
};

void show_list(
    Terminal& terminal, const std::vector<journal::Run>& runs, std::string_view baseline
);
void show_run(Terminal& terminal, const RunDetails& details);
void show_diff(
    Terminal& terminal,
    const journal::Run& left,
    const journal::Run& right,
    const std::vector<journal::Difference>& differences
);

/// One run as an object. `whole` adds settings, environment and hashes to what a list shows.
json::object run_json(const journal::Run& run, bool baseline, bool whole);
json::object details_json(const RunDetails& details);

}  // namespace punie::cli
