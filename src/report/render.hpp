#pragma once
// A report in the forms that people and programs read. Pure and deterministic: the same data gives
// the same bytes.

#include <string>

#include "report/report_data.hpp"

namespace punie::report {

/// One HTML file without outside references; opens without a server. web/ has its sources.
/// Nothing of the data is ever markup or code there.
std::string render_html(const ReportData& data);

/// For a CI page or a pull request: verdict, tables, the prompts that got worse.
std::string render_markdown(const ReportData& data);

/// to_json(data), indented by two, a prompt a line, with a final line end.
std::string render_json(const ReportData& data);

/// JUnit XML: a suite a variant, a case a sample; not passed is a failure, without an answer an
/// error, not asked is skipped.
std::string render_junit(const ReportData& data);

/// A row a sample, RFC 4180 with a header row. Texts that a spreadsheet would take for a formula
/// have a ' in front.
std::string render_csv(const ReportData& data);

}  // namespace punie::report
