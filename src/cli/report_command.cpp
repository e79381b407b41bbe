// cli/report_command.cpp: `punie report`, a finished run as HTML, Markdown, JSON, JUnit or CSV.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <boost/json.hpp>
#include <filesystem>
#include <memory>

#include "base/files.hpp"
#include "cli/commands.hpp"
#include "cli/open_file.hpp"
#include "cli/stored_report.hpp"
#include "report/render.hpp"

namespace punie::cli {

namespace {

namespace fs = std::filesystem;

struct ReportOptions {
    std::string run = "@last-experiment";
    std::string html;
    std::string markdown;
    std::string json;
    std::string junit;
    std::string csv;
    bool open = false;
};

struct Form {
    std::string_view name;
    std::string ReportOptions::* file;
    std::string (*render)(const report::ReportData&);
};

constexpr std::array<Form, 5> forms = {
    {{"HTML", &ReportOptions::html, report::render_html},
     {"Markdown", &ReportOptions::markdown, report::render_markdown},
     {"JSON", &ReportOptions::json, report::render_json},
     {"JUnit", &ReportOptions::junit, report::render_junit},
     {"CSV", &ReportOptions::csv, report::render_csv}}
};

/// "-" is stdout.
Result<void> put(Terminal& terminal, const std::string& file, const std::string& text) {
    if (file == "-") {
        terminal.print_raw(text);
        return {};
    }
    auto written = write_atomic(file, text);
    if (written) terminal.note("wrote " + file);
    return written;
}

/// Where the page goes when nobody said: beside the report.json.
std::string default_page(const fs::path& stored) {
    return (stored.parent_path() / "report.html").string();
}

ExitCode run_report(ReportOptions options, Terminal& terminal) {
    auto stored = find_report(options.run);
    if (!stored) return terminal.report(stored.error());
    auto data = read_report(*stored);
    if (!data) return terminal.report_input(data.error());
    const bool nothing_said =
        std::ranges::all_of(forms, [&](const Form& form) { return (options.*form.file).empty(); });
    if (options.html.empty() && (options.open || nothing_said))
        options.html = default_page(*stored);
    if (options.open && options.html == "-") {
        return terminal.report(Error(
            ErrorCode::invalid_argument, "--open needs a file, and --html - writes to the terminal"
        ));
    }
    for (const auto& form : forms) {
        const auto& file = options.*form.file;
        if (file.empty()) continue;
        if (auto written = put(terminal, file, form.render(*data)); !written)
            return terminal.report(written.error());
    }
    if (nothing_said) terminal.print(data->verdict);
    if (!options.open) return ExitCode::done;
    if (auto opened = open_file(fs::absolute(options.html)); !opened)
        return terminal.report(opened.error());
    return ExitCode::done;
}

}  // namespace

void add_report(CLI::App& app, Commands& commands) {
    auto options = std::make_shared<ReportOptions>();
    auto* sub =
        app.add_subcommand("report", "Show a finished run: HTML, Markdown, JSON, JUnit, CSV");
    sub->add_option(
           "run", options->run, "Run of the journal (id, @last-experiment) or a report.json"
    )
        ->capture_default_str();
    sub->add_option("--html", options->html, "Write the page there (- is stdout, also below)");
    sub->add_option("--markdown", options->markdown, "Write Markdown, for CI pages");
    sub->add_option("--json", options->json, "Write everything as JSON");
    sub->add_option("--junit", options->junit, "Write JUnit XML");
    sub->add_option("--csv", options->csv, "Write a table, a row an answer");
    sub->add_flag("--open", options->open, "Open the page in the browser");
    sub->footer(
        "Examples:\n"
        "  punie report                                  the newest experiment, as a page\n"
        "  punie report --open\n"
        "  punie report experiment-51c0 --markdown - >> $GITHUB_STEP_SUMMARY\n"
        "  punie report out/report.json --junit junit.xml --csv answers.csv\n\n"
        "Without --html and the others the page is written beside the run's report.json."
    );
    commands.on(sub, [options](Terminal& terminal) { return run_report(*options, terminal); });
}

}  // namespace punie::cli
