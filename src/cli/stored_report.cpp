#include "cli/stored_report.hpp"

#include <fmt/format.h>

#include "base/files.hpp"

namespace punie::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t newest_named = 3;

/// The newest runs that have a report, for the hint of one that has none.
std::string runs_with_reports(journal::Journal& journal) {
    auto runs = journal.list();
    if (!runs) return {};
    std::vector<std::string> names;
    for (const auto& run : *runs) {
        std::error_code ignored;
        if (names.size() < newest_named &&
            fs::is_regular_file(report_file(journal.folder(), run.id), ignored))
            names.push_back(run.id);
    }
    if (names.empty()) return "punie run EXPERIMENT.yaml makes one";
    return fmt::format("these have one: {}", fmt::join(names, ", "));
}

}  // namespace

fs::path report_file(const fs::path& journal, const std::string& run) {
    return journal / "runs" / run / "report.json";
}

Result<journal::Journal> open_existing_journal() {
    const auto folder = journal::find_journal_folder(fs::current_path());
    std::error_code ignored;
    if (fs::is_directory(folder, ignored)) return journal::Journal::open(folder);
    return fail(
        ErrorCode::not_found,
        fmt::format("no journal here: there is no {}", folder.string()),
        "go to the project's folder, or name the journal in PUNIE_JOURNAL"
    );
}

Result<fs::path> find_report(const std::string& what) {
    std::error_code ignored;
    const fs::path file(what);
    if (fs::is_directory(file, ignored) && fs::is_regular_file(file / "report.json", ignored))
        return file / "report.json";
    if (fs::is_regular_file(file, ignored)) return file;
    if (what.ends_with(".json"))
        return fail(ErrorCode::not_found, fmt::format("{}: there is no such file", what));
    auto journal = open_existing_journal();
    if (!journal) return std::unexpected(journal.error());
    auto run = journal->find(what);
    if (!run) return std::unexpected(run.error());
    auto stored = report_file(journal->folder(), run->id);
    if (fs::is_regular_file(stored, ignored)) return stored;
    return fail(
        ErrorCode::not_found,
        fmt::format("the run {} has no report", run->id),
        runs_with_reports(*journal)
    );
}

Result<report::ReportData> read_report(const fs::path& file) {
    auto text = read_text(file);
    if (!text) return std::unexpected(text.error());
    auto data = report::report_from_text(*text);
    if (!data) return std::unexpected(std::move(data).error().in(file.string()));
    return data;
}

}  // namespace punie::cli
