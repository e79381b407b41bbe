#pragma once
// Reports that runs left behind: report.json in a run's folder.

#include <punie/error.hpp>

#include <filesystem>
#include <string>

#include "journal/journal.hpp"
#include "report/report_data.hpp"

namespace punie::cli {

/// `what` is a file, a folder with a report.json, or a run of the nearest journal. Errors:
/// not_found (also when the run has no report: says which do), those of the journal.
Result<std::filesystem::path> find_report(const std::string& what);

/// Errors: not_found, io, protocol; each names the file.
Result<report::ReportData> read_report(const std::filesystem::path& file);

/// The nearest journal, opened. Errors: not_found (there is none: looking makes none), those of
/// opening.
Result<journal::Journal> open_existing_journal();

/// Where the report of a run is, there or not; makes nothing.
std::filesystem::path report_file(const std::filesystem::path& journal, const std::string& run);

}  // namespace punie::cli
