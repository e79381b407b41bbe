#include "report/runs_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "report/words.hpp"

namespace punie::report {

namespace {

constexpr std::string_view page_start = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{0}</title>
<link rel="icon" href="data:,">
<style>
:root {{ color-scheme: light dark; --paper: #fdfdfc; --ink: #1c1f23; --muted: #5a626b; --rule: #dcdcd6; --link: #0b57a4; --bad: #b3261e; }}
@media (prefers-color-scheme: dark) {{ :root {{ --paper: #15181b; --ink: #e4e6e8; --muted: #a2abb4; --rule: #363c42; --link: #82b8f2; --bad: #ff9489; }} }}
body {{ margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.4rem; margin: 0; }}
p {{ color: var(--muted); }}
a {{ color: var(--link); }}
ul {{ list-style: none; padding: 0; }}
li {{ border-top: 1px solid var(--rule); padding: .6rem 0; }}
small {{ color: var(--muted); font-size: .85rem; display: block; }}
.failed {{ color: var(--bad); }}
:focus-visible {{ outline: 2px solid var(--link); outline-offset: 2px; }}
</style>
</head>
<body>
<main>
<h1>{0}</h1>
)";

constexpr std::string_view page_end = "</main>\n</body>\n</html>\n";

void put_row(std::string& out, const RunRow& row) {
    const auto id = xml_escaped(row.id);
    const auto title = xml_escaped(row.name.empty() ? row.id : row.name);
    const auto link = row.has_report ? fmt::format("<a href=\"/report/{}\">{}</a>", id, title)
                                     : fmt::format("<span>{}</span>", title);
    fmt::format_to(
        std::back_inserter(out),
        "<li>{}<small>{}, {}, <span class=\"{}\">{}</span>{}{}</small>",
        link,
        xml_escaped(row.kind),
        xml_escaped(row.started),
        row.state == "failed" ? "failed" : "state",
        xml_escaped(row.state),
        row.name.empty() ? "" : fmt::format(", {}", id),
        row.has_report ? "" : ", no report"
    );
    if (!row.note.empty())
        fmt::format_to(std::back_inserter(out), "<small>{}</small>", xml_escaped(row.note));
    out += "</li>\n";
}

}  // namespace

std::string render_runs_page(const std::string& journal, const std::vector<RunRow>& rows) {
    auto out = fmt::format(page_start, "Runs");
    const auto reports = std::ranges::count(rows, true, &RunRow::has_report);
    fmt::format_to(
        std::back_inserter(out),
        "<p>{}: {} run{}, {} with a report</p>\n",
        xml_escaped(journal),
        rows.size(),
        rows.size() == 1 ? "" : "s",
        reports
    );
    if (rows.empty())
        out +=
            "<p>Nothing has been run here yet. <code>punie init</code> begins an experiment.</p>\n";
    out += "<ul>\n";
    for (const auto& row : rows) put_row(out, row);
    out += "</ul>\n";
    out += page_end;
    return out;
}

std::string render_message_page(const std::string& title, const std::string& words) {
    auto out = fmt::format(page_start, xml_escaped(title));
    fmt::format_to(
        std::back_inserter(out),
        "<p>{}</p>\n<p><a href=\"/\">All runs</a></p>\n",
        xml_escaped(words)
    );
    out += page_end;
    return out;
}

}  // namespace punie::report
