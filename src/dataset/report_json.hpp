#pragma once
// A report for programs: Punie's own JSON, SARIF for editors and CI, the baseline file.

#include <punie/error.hpp>

#include <filesystem>
#include <set>
#include <string>

#include "base/json.hpp"
#include "dataset/validate.hpp"

namespace punie::dataset {

/// {"event": "validated", "ok", "errors", "warnings", "notes", "accepted", "seconds", "splits":
/// [...], "counts": {code: n}, "findings": [{"code", "severity", "file", "line", "column", "field",
/// "message", "why", "fix", "repairable", "fingerprint"}]}
json::value report_as_json(const DataReport& report);

/// SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0). `place` is what was checked, as the person
/// named it: the addresses of results are made of it. Columns are bytes.
std::string report_as_sarif(const DataReport& report, const std::filesystem::path& place);

/// A baseline: the findings of a report as known ones. One line a finding, for diffs.
std::string baseline_text(const DataReport& report);

/// The fingerprints of a baseline file. Errors: not_found, io, protocol (not a baseline).
Result<std::set<std::string>> read_baseline(const std::filesystem::path& file);

}  // namespace punie::dataset
