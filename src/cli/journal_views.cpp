#include "cli/journal_views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cmath>

#include "base/text.hpp"
#include "journal/headline.hpp"
#include "journal/when.hpp"

namespace punie::cli {

namespace {

using journal::Run;

constexpr std::size_t name_width = 28;
constexpr std::size_t value_width = 160;

/// At most `width` code points on one line.
std::string one_line(std::string_view text, std::size_t width) {
    std::string out;
    std::size_t points = 0;
    for (char c : printable(text)) {
        if (c == '\n' || c == '\r' || c == '\t') c = ' ';
        const bool begins_point = (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
        if (begins_point && ++points > width) return out + "...";
        out += c;
    }
    return out;
}

Colour colour_of(const Run& run) {
    const auto state = journal::shown_state(run);
    if (state == "done") return Colour::green;
    if (state == "running") return Colour::cyan;
    return state == "interrupted" ? Colour::yellow : Colour::red;
}

std::string shown_name(const Run& run, bool baseline) {
    auto name = one_line(run.name.empty() ? run.stage : run.name, name_width - 3);
    return baseline ? name + (name.empty() ? "@baseline" : " @baseline") : name;
}

/// A table whose columns are as wide as what is in them; the last one is not filled up.
class Table {
public:
    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

    /// `colour_at` paints a cell after its width was filled up.
    template <typename Paint>
    void print(Terminal& terminal, const Paint& paint) const {
        const auto widths = column_widths();
        for (std::size_t row = 0; row < rows_.size(); ++row) {
            std::string line;
            for (std::size_t column = 0; column < rows_[row].size(); ++column) {
                const bool last = column + 1 == rows_[row].size();
                auto cell = last ? rows_[row][column]
                                 : fmt::format("{:<{}}  ", rows_[row][column], widths[column]);
                line += paint(row, column, cell);
            }
            terminal.print(line);
        }
    }

private:
    std::vector<std::size_t> column_widths() const {
        std::vector<std::size_t> widths;
        for (const auto& row : rows_) {
            widths.resize(std::max(widths.size(), row.size()));
            for (std::size_t column = 0; column < row.size(); ++column)
                widths[column] = std::max(widths[column], points_in(row[column]));
        }
        return widths;
    }

    static std::size_t points_in(const std::string& text) {
        return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) {
            return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
        }));
    }

    std::vector<std::vector<std::string>> rows_;
};

void row(Terminal& terminal, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    terminal.print(fmt::format("  {:<14}{}", name, printable(value)));
}

void title(Terminal& terminal, std::string_view words) {
    terminal.print(fmt::format("\n{}", terminal.paint(Colour::bold, words)));
}

std::string shown_value(const json::value& value) {
    const auto figure = journal::figure_text(value);
    return one_line(figure.empty() ? journal::value_text(value) : figure, value_width);
}

void show_json(Terminal& terminal, std::string_view name, const std::string& text) {
    const auto value = parse_json(text);
    if (!value) {
        title(terminal, name);
        terminal.print("  " + printable(text));
        return;
    }
    const auto all = journal::flattened(*value);
    if (all.empty()) return;
    title(terminal, name);
    Table table;
    for (const auto& [path, found] : all)
        table.add({"  " + one_line(path, value_width), shown_value(found)});
    table.print(terminal, [](std::size_t, std::size_t, std::string cell) { return cell; });
}

void show_heading(Terminal& terminal, const RunDetails& details) {
    const auto& run = details.run;
    terminal.print(fmt::format(
        "{}  {}{}",
        terminal.paint(Colour::bold, run.id),
        one_line(run.name, value_width),
        details.baseline ? terminal.paint(Colour::cyan, "  @baseline") : ""
    ));
    const auto words = journal::headline(run);
    auto state = std::string(journal::shown_state(run));
    if (state == "died") state += " (its process is gone without a word)";
    if (run.alive) state += fmt::format(" (process {})", run.pid);
    row(terminal, "state", state);
    if (run.state != journal::RunState::failed) row(terminal, "result", words);
    auto when = fmt::format(
        "{} ({})", journal::local_time(run.started), journal::ago(run.started, journal::present())
    );
    if (run.finished > run.started) {
        when += fmt::format(
            ", took {}", human_duration(std::chrono::duration<double>(run.finished - run.started))
        );
    }
    row(terminal, "started", when);
    row(terminal, "command", run.command);
    row(terminal, "in", run.folder);
    row(terminal, "punie", run.punie_version);
    row(terminal, "experiment", run.parent);
    row(terminal, "stage", run.stage);
    row(terminal, "key", run.key);
    row(terminal, "note", run.note);
}

void show_error(Terminal& terminal, const std::string& error) {
    if (error.empty()) return;
    title(terminal, "error");
    for (const auto& line : split_lines(error)) terminal.print("  " + printable(line));
}

void show_wrong(Terminal& terminal, const RunDetails& details) {
    if (details.wrong_in_all == 0) return;
    title(
        terminal,
        fmt::format("wrong answers ({} of {})", details.wrong.size(), details.wrong_in_all)
    );
    for (const auto& answer : details.wrong) {
        auto what = one_line(answer.prompt, value_width);
        if (answer.sample > 0) what += fmt::format(" #{}", answer.sample);
        if (!answer.category.empty())
            what += fmt::format(" ({})", one_line(answer.category, value_width));
        if (answer.state != "answered") what += ", " + printable(answer.state);
        if (answer.unparsed) what += ", no call could be read";
        terminal.print(fmt::format("  {}", what));
        terminal.print(fmt::format("    {}", one_line(answer.reason, 400)));
    }
}

std::string loss_text(const std::optional<double>& loss) {
    return loss ? fmt::format("{:.4g}", *loss) : std::string();
}

void show_points(Terminal& terminal, const std::vector<journal::TrainingPoint>& points) {
    if (points.empty()) return;
    constexpr std::size_t shown = 8;
    title(
        terminal,
        fmt::format("training ({} report{})", points.size(), points.size() == 1 ? "" : "s")
    );
    Table table;
    table.add({"  iteration", "train loss", "valid loss", "tokens/s", "GB"});
    const auto step = std::max<std::size_t>(1, (points.size() + shown - 1) / shown);
    for (std::size_t at = 0; at < points.size(); ++at) {
        if (at % step != 0 && at + 1 != points.size()) continue;
        const auto& point = points[at];
        table.add(
            {fmt::format("  {}", point.iteration),
             loss_text(point.train_loss),
             loss_text(point.valid_loss),
             point.tokens_per_second > 0 ? fmt::format("{:.0f}", point.tokens_per_second) : "",
             point.peak_memory_gb > 0 ? fmt::format("{:.2f}", point.peak_memory_gb) : ""}
        );
    }
    table.print(terminal, [](std::size_t, std::size_t, std::string cell) { return cell; });
}

void show_files(Terminal& terminal, const RunDetails& details) {
    if (details.files.empty()) return;
    title(terminal, "files");
    for (const auto& [name, bytes] : details.files) {
        const auto path = printable(details.folder + "/" + name);
        terminal.print(fmt::format("  {}  {}", path, human_bytes(bytes)));
    }
}

json::value json_or_text(const std::string& text) {
    auto value = parse_json(text);
    return value ? *std::move(value) : json::value(json::string(text));
}

json::value finite(const std::optional<double>& value) {
    if (!value) return nullptr;
    // JSON has no NaN: as the text that the reader of a curve must not take for a missing point
    if (!std::isfinite(*value)) return json::string(fmt::format("{}", *value));
    return *value;
}

}  // namespace

void show_list(
    Terminal& terminal, const std::vector<journal::Run>& runs, std::string_view baseline
) {
    Table table;
    table.add({"id", "kind", "name", "state", "when", "result"});
    const auto now = journal::present();
    for (const auto& run : runs) {
        table.add(
            {run.id,
             run.kind,
             shown_name(run, run.id == baseline),
             std::string(journal::shown_state(run)),
             fmt::format(
                 "{} ({})", journal::local_time(run.started), journal::ago(run.started, now)
             ),
             one_line(journal::headline(run), value_width)}
        );
    }
    constexpr std::size_t state_column = 3;
    table.print(terminal, [&](std::size_t at, std::size_t column, const std::string& cell) {
        if (at == 0) return terminal.paint(Colour::dim, cell);
        return column == state_column ? terminal.paint(colour_of(runs[at - 1]), cell) : cell;
    });
}

void show_run(Terminal& terminal, const RunDetails& details) {
    show_heading(terminal, details);
    show_error(terminal, details.run.error);
    show_json(terminal, "results", details.run.results_json);
    show_wrong(terminal, details);
    show_points(terminal, details.points);
    show_json(terminal, "settings", details.run.config_json);
    show_json(terminal, "hashes", details.run.hashes_json);
    show_json(terminal, "environment", details.run.environment_json);
    show_files(terminal, details);
}

void show_diff(
    Terminal& terminal,
    const journal::Run& left,
    const journal::Run& right,
    const std::vector<journal::Difference>& differences
) {
    Table heads;
    for (const auto* run : {&left, &right}) {
        heads.add(
            {run == &left ? "A" : "B",
             run->id,
             one_line(run->name, name_width),
             journal::local_time(run->started),
             one_line(journal::headline(*run), value_width)}
        );
    }
    heads.print(terminal, [](std::size_t, std::size_t, std::string cell) { return cell; });
    const auto side = [&](const std::optional<json::value>& value) {
        return value ? shown_value(*value) : terminal.paint(Colour::dim, "(none)");
    };
    std::vector<std::string> same;
    for (const auto& part : journal::diff_parts()) {
        Table table;
        std::size_t rows = 0;
        for (const auto& difference : differences) {
            if (difference.part != part) continue;
            ++rows;
            table.add(
                {"  " + difference.path, side(difference.left) + " -> " + side(difference.right)}
            );
        }
        if (rows == 0) {
            same.push_back(part);
            continue;
        }
        title(terminal, part);
        table.print(terminal, [](std::size_t, std::size_t, std::string cell) { return cell; });
    }
    if (!same.empty()) terminal.print(fmt::format("\nthe same: {}", fmt::join(same, ", ")));
}

json::object run_json(const Run& run, bool baseline, bool whole) {
    json::object object{
        {"id", run.id},
        {"kind", run.kind},
        {"name", run.name},
        {"state", journal::shown_state(run)},
        {"started", journal::iso_utc(run.started)},
        {"finished", run.finished > 0 ? json::value(journal::iso_utc(run.finished)) : nullptr},
        {"headline", journal::headline(run)},
        {"results", json_or_text(run.results_json)},
        {"error", run.error},
        {"note", run.note},
        {"parent", run.parent},
        {"stage", run.stage},
        {"baseline", baseline}
    };
    if (run.finished > run.started) object["seconds"] = run.finished - run.started;
    if (run.alive) object["pid"] = run.pid;
    if (!whole) return object;
    object["command"] = run.command;
    object["folder"] = run.folder;
    object["punie_version"] = run.punie_version;
    object["key"] = run.key;
    object["config"] = json_or_text(run.config_json);
    object["hashes"] = json_or_text(run.hashes_json);
    object["environment"] = json_or_text(run.environment_json);
    return object;
}

json::object details_json(const RunDetails& details) {
    auto object = run_json(details.run, details.baseline, true);
    json::array wrong;
    wrong.reserve(details.wrong.size());
    for (const auto& answer : details.wrong) {
        wrong.push_back(json::object{
            {"prompt", answer.prompt},
            {"sample", answer.sample},
            {"group", answer.group},
            {"category", answer.category},
            {"state", answer.state},
            {"score", answer.score},
            {"unparsed", answer.unparsed},
            {"reason", answer.reason}
        });
    }
    object["wrong_answers"] = std::move(wrong);
    object["wrong_in_all"] = details.wrong_in_all;
    json::array points;
    points.reserve(details.points.size());
    for (const auto& point : details.points) {
        points.push_back(json::object{
            {"iteration", point.iteration},
            {"train_loss", finite(point.train_loss)},
            {"valid_loss", finite(point.valid_loss)},
            {"tokens_per_second", point.tokens_per_second},
            {"peak_memory_gb", point.peak_memory_gb},
            {"seconds", point.seconds}
        });
    }
    object["points"] = std::move(points);
    json::array files;
    files.reserve(details.files.size());
    for (const auto& [name, bytes] : details.files)
        files.push_back(json::object{{"path", details.folder + "/" + name}, {"bytes", bytes}});
    object["files"] = std::move(files);
    return object;
}

}  // namespace punie::cli
