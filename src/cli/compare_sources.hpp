#pragma once
// What `punie compare` is given: files, or runs of the journal, as score tables.

#include <punie/error.hpp>

#include <string>
#include <vector>

#include "compare/read_scores.hpp"
#include "compare/score_table.hpp"

namespace punie::cli {

struct SourceOptions {
    std::string suite;  ///< judges responses.jsonl; "" if none
    compare::ReadOptions read;
};

/// An argument that is a file is read by its content; any other is a reference to a run of the
/// journal ("@last", "@baseline", an id or its beginning). A promptfoo file gives several tables.
/// Errors: not_found, invalid_argument, and those of the readers and of the journal.
Result<std::vector<compare::ScoreTable>> tables_of(
    const std::string& argument, const SourceOptions& options
);

/// Names in the order of the tables, then the rest made different from each other. Errors:
/// invalid_argument (more names than tables, or a name twice).
Result<void> name_tables(
    std::vector<compare::ScoreTable>& tables, const std::vector<std::string>& names
);

}  // namespace punie::cli
