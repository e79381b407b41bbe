#pragma once
// The page that `punie view` opens with: the journal's runs, those with a report as links.

#include <string>
#include <vector>

namespace punie::report {

struct RunRow {
    std::string id;
    std::string kind;
    std::string name;
    std::string state;    ///< "done", "failed" ...
    std::string started;  ///< as a person reads it
    std::string note;
    bool has_report = false;
};

/// One HTML page without scripts or outside references; `rows` in their order, newest first.
std::string render_runs_page(const std::string& journal, const std::vector<RunRow>& rows);

/// The page for what is not there: `words` as text.
std::string render_message_page(const std::string& title, const std::string& words);

}  // namespace punie::report
