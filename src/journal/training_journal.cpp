#include "journal/training_journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>

#include "base/text.hpp"
#include "journal/headline.hpp"
#include "journal/run_diff.hpp"
#include "journal/when.hpp"

namespace punie::journal {

namespace {

constexpr std::size_t longest_value = 300;

/// Text inside a table cell or a heading: one line, no cell ends.
std::string inline_text(std::string_view text) {
    std::string out;
    for (const char c : printable(text)) {
        if (c == '\n' || c == '\r' || c == '\t')
            out += ' ';
        else if (c == '|' || c == '<' || c == '*' || c == '`' || c == '[')
            out += fmt::format("\\{}", c);
        else
            out += c;
    }
    return out;
}

/// A fenced block; the fence is longer than any run of backticks inside.
std::string block(std::string_view text) {
    std::size_t longest = 2;
    std::size_t run = 0;
    for (const char c : text) {
        run = c == '`' ? run + 1 : 0;
        longest = std::max(longest, run);
    }
    const std::string fence(longest + 1, '`');
    std::string out = fence + "\n";
    for (const auto& line : split_lines(text)) out += fmt::format("{}\n", printable(line));
    return out + fence + "\n\n";
}

std::string shortened(std::string text) {
    if (text.size() <= longest_value) return text;
    text.resize(longest_value);
    return text + " ...";  // a character cut in half becomes U+FFFD in printable()
}

std::string table(std::string_view title, const std::string& text) {
    const auto value = parse_json(text);
    if (!value) return fmt::format("{}:\n\n{}", title, block(text));
    const auto rows = flattened(*value);
    if (rows.empty()) return {};
    auto out = fmt::format("| {} | |\n|---|---|\n", title);
    for (const auto& [path, found] : rows) {
        const auto figure = figure_text(found);
        out += fmt::format(
            "| {} | {} |\n",
            inline_text(path),
            inline_text(shortened(figure.empty() ? value_text(found) : figure))
        );
    }
    return out + "\n";
}

std::string heading(const Run& run, std::string_view baseline) {
    return fmt::format(
        "## {}, {}{}{}{} ({})\n\n",
        utc_time(run.started),
        inline_text(run.kind),
        run.name.empty() ? "" : ": ",
        inline_text(run.name),
        run.id == baseline ? ", the baseline" : "",
        run.id
    );
}

std::string outcome(const Run& run) {
    auto text = std::string(shown_state(run));
    if (run.finished > run.started) {
        text += fmt::format(
            " after {}", human_duration(std::chrono::duration<double>(run.finished - run.started))
        );
    }
    if (const auto words = headline(run); !words.empty() && run.error.empty())
        text += fmt::format(". **{}**", inline_text(words));
    return text + "\n\n";
}

std::string section(const Run& run, std::string_view baseline) {
    auto text = heading(run, baseline) + outcome(run);
    if (!run.parent.empty()) {
        text += fmt::format(
            "Part of {}{}{}.\n\n",
            inline_text(run.parent),
            run.stage.empty() ? "" : ", stage ",
            inline_text(run.stage)
        );
    }
    if (!run.note.empty()) {
        for (const auto& line : split_lines(run.note))
            text += fmt::format("> {}\n", printable(line));
        text += "\n";
    }
    if (!run.command.empty()) text += block(run.command);
    if (!run.error.empty()) text += "It failed:\n\n" + block(run.error);
    text += table("results", run.results_json);
    text += table("settings", run.config_json);
    text += table("hashes", run.hashes_json);
    auto environment = table("environment", run.environment_json);
    if (environment.empty() && !run.punie_version.empty())
        environment = "| environment | |\n|---|---|\n\n";
    if (!run.punie_version.empty()) {
        environment.pop_back();  // the empty line after the table
        environment += fmt::format("| punie | {} |\n\n", inline_text(run.punie_version));
    }
    return text + environment;
}

}  // namespace

std::string training_journal(std::vector<Run> runs, std::string_view baseline) {
    std::ranges::sort(runs, [](const Run& a, const Run& b) {
        return a.started != b.started ? a.started < b.started : a.id < b.id;
    });
    std::string text = fmt::format(
        "# Training journal\n\n{} run{}, oldest first. Times are UTC; intervals are 95 %. Written "
        "by "
        "`punie journal export`.\n\n",
        runs.size(),
        runs.size() == 1 ? "" : "s"
    );
    for (const auto& run : runs) text += section(run, baseline);
    text.pop_back();
    return text;
}

}  // namespace punie::journal
