// cli/journal_command.cpp: `punie journal`, the runs of this project.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "base/files.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/journal_views.hpp"
#include "journal/headline.hpp"
#include "journal/prune_plan.hpp"
#include "journal/shell_words.hpp"
#include "journal/training_journal.hpp"
#include "journal/when.hpp"
#include "process/system.hpp"

namespace punie::cli {

namespace {

namespace fs = std::filesystem;

struct JournalOptions {
    std::string kind;
    std::size_t limit = 20;
    std::size_t wrong = 5;
    std::string run;
    std::string other;
    std::vector<std::string> words;
    std::string out;
    std::optional<std::size_t> keep;
    std::string older_than;
    bool failed = false;
    bool force = false;
    bool dry_run = false;
    bool print = false;
    bool json = false;
};

using Call = Result<ExitCode> (*)(journal::Journal&, const JournalOptions&, Terminal&);

/// A look at the runs makes no journal.
Result<journal::Journal> open_existing() {
    std::error_code ignored;
    const auto folder = journal::find_journal_folder(fs::current_path(ignored));
    if (!fs::exists(folder / "journal.db", ignored)) {
        return fail(
            ErrorCode::not_found,
            fmt::format("there is no journal yet ({})", (folder / "journal.db").native()),
            "the first punie eval, train or run begins it; in another folder? name its .punie in "
            "PUNIE_JOURNAL"
        );
    }
    return journal::Journal::open(folder);
}

ExitCode with_journal(Call call, const JournalOptions& options, Terminal& terminal) {
    auto journal = open_existing();
    if (!journal) return terminal.report(journal.error(), options.json);
    auto code = call(*journal, options, terminal);
    return code ? *code : terminal.report(code.error(), options.json);
}

/// Of runs and of the stages of experiments.
const std::vector<std::string>& known_kinds() {
    static const std::vector<std::string> kinds = {
        "eval", "train", "fuse", "quantise", "experiment", "bench", "dataset", "compare", "report"
    };
    return kinds;
}

bool is_known_kind(const std::string& kind) {
    return kind.empty() || std::ranges::find(known_kinds(), kind) != known_kinds().end();
}

Result<ExitCode> list_runs(
    journal::Journal& journal, const JournalOptions& options, Terminal& terminal
) {
    journal::Filter filter{.kind = options.kind};
    if (options.limit > 0) filter.limit = options.limit + 1;  // one more tells that there are more
    auto runs = journal.list(filter);
    if (!runs) return std::unexpected(std::move(runs).error());
    auto baseline = journal.baseline_id();
    if (!baseline) return std::unexpected(std::move(baseline).error());
    const bool more = options.limit > 0 && runs->size() > options.limit;
    if (more) runs->pop_back();
    if (options.json) {
        json::array all;
        all.reserve(runs->size());
        for (const auto& run : *runs) all.push_back(run_json(run, run.id == *baseline, false));
        terminal.print(to_text(json::object{{"runs", std::move(all)}, {"more", more}}));
        return ExitCode::done;
    }
    if (runs->empty() && !is_known_kind(options.kind))
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("--kind: '{}' was given; there is no such kind of run", options.kind),
            fmt::format("the kinds are {}", join_or(known_kinds()))
        );
    if (runs->empty()) {
        terminal.note(
            options.kind.empty() ? std::string("no runs yet")
                                 : fmt::format("no runs of kind {}", printable(options.kind))
        );
        return ExitCode::done;
    }
    show_list(terminal, *runs, *baseline);
    if (more) terminal.note("there are more: --limit 0 shows all");
    return ExitCode::done;
}

bool is_wrong(const journal::AnswerRow& answer) {
    return !answer.passed && (answer.state == "answered" || answer.state == "cut");
}

std::vector<std::pair<std::string, std::uint64_t>> files_below(const fs::path& folder) {
    std::vector<std::pair<std::string, std::uint64_t>> files;
    std::error_code error;
    for (auto at = fs::recursive_directory_iterator(folder, error);
         !error && at != fs::recursive_directory_iterator();
         at.increment(error)) {
        std::error_code gone;  // a file may vanish while we look
        if (!at->is_regular_file(gone)) continue;
        const auto bytes = at->file_size(gone);
        if (!gone) files.emplace_back(at->path().lexically_relative(folder).native(), bytes);
    }
    std::ranges::sort(files);
    return files;
}

Result<ExitCode> show_one(
    journal::Journal& journal, const JournalOptions& options, Terminal& terminal
) {
    auto run = journal.find(options.run);
    if (!run) return std::unexpected(std::move(run).error());
    auto baseline = journal.baseline_id();
    if (!baseline) return std::unexpected(std::move(baseline).error());
    auto answers = journal.answers(run->id);
    if (!answers) return std::unexpected(std::move(answers).error());
    auto points = journal.points(run->id);
    if (!points) return std::unexpected(std::move(points).error());
    RunDetails details{.run = *run, .baseline = run->id == *baseline};
    for (auto& answer : *answers) {
        if (!is_wrong(answer)) continue;
        ++details.wrong_in_all;
        if (details.wrong.size() < options.wrong) details.wrong.push_back(std::move(answer));
    }
    details.points = *std::move(points);
    const auto folder = journal.folder() / "runs" / run->id;
    details.folder = folder.native();
    details.files = files_below(folder);
    if (options.json)
        terminal.print(to_text(details_json(details)));
    else
        show_run(terminal, details);
    return ExitCode::done;
}

json::value side_json(const std::optional<json::value>& value) {
    return value ? *value : json::value(nullptr);
}

Result<ExitCode> diff_two(
    journal::Journal& journal, const JournalOptions& options, Terminal& terminal
) {
    auto left = journal.find(options.run);
    if (!left) return std::unexpected(std::move(left).error());
    auto right = journal.find(options.other);
    if (!right) return std::unexpected(std::move(right).error());
    const auto found = journal::differences(*left, *right);
    if (!options.json) {
        show_diff(terminal, *left, *right, found);
        return ExitCode::done;
    }
    json::array rows;
    rows.reserve(found.size());
    for (const auto& difference : found) {
        rows.push_back(json::object{
            {"part", difference.part},
            {"path", difference.path},
            {"a", side_json(difference.left)},
            {"b", side_json(difference.right)}
        });
    }
    terminal.print(
        to_text(json::object{{"a", left->id}, {"b", right->id}, {"differences", std::move(rows)}})
    );
    return ExitCode::done;
}

Result<ExitCode> note_on(
    journal::Journal& journal, const JournalOptions& options, Terminal& terminal
) {
    auto run = journal.find(options.run);
    if (!run) return std::unexpected(std::move(run).error());
    const auto text = fmt::format("{}", fmt::join(options.words, " "));
    auto noted = journal.set_note(run->id, text);
    if (!noted) return std::unexpected(std::move(noted).error());
    terminal.print(
        text.empty() ? fmt::format("{}: note removed", run->id)
                     : fmt::format("{}: {}", run->id, printable(text))
    );
    return ExitCode::done;
}

Result<ExitCode> bless(
    journal::Journal& journal, const JournalOptions& options, Terminal& terminal
) {
    auto run = journal.find(options.run);
    if (!run) return std::unexpected(std::move(run).error());
    auto set = journal.set_baseline(run->id);
    if (!set) return std::unexpected(std::move(set).error());
    terminal.print(fmt::format("{} is @baseline now", run->id));
    if (run->state != journal::RunState::done)
        terminal.note("note: this run did not end well, comparisons with it will say so");
    return ExitCode::done;
}

/// Replaces this process; comes back only when that failed.
Error exec_words(const std::vector<std::string>& words, const std::string& program) {
    std::vector<std::string> copies = words;
    std::vector<char*> argv;
    argv.reserve(copies.size() + 1);
    for (auto& word : copies) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execvp(program.c_str(), argv.data());
    return errno_error(errno, fmt::format("cannot run {}", printable(program)));
}

Result<ExitCode> rerun(
    journal::Journal& journal, const JournalOptions& options, Terminal& terminal
) {
    auto run = journal.find(options.run);
    if (!run) return std::unexpected(std::move(run).error());
    if (run->command.empty()) {
        return fail(
            ErrorCode::unsupported,
            fmt::format("{} has no recorded command", run->id),
            run->parent.empty() ? std::string()
                                : fmt::format("rerun its experiment: {}", run->parent)
        );
    }
    if (options.print) {
        terminal.print(
            fmt::format("cd {} && {}", shell_quoted({run->folder}), printable(run->command))
        );
        return ExitCode::done;
    }
    auto words = journal::shell_words(run->command);
    if (!words) return std::unexpected(std::move(words).error());
    std::error_code error;
    if (!fs::is_directory(run->folder, error)) {
        return fail(
            ErrorCode::not_found,
            fmt::format("the folder that {} ran in is gone: {}", run->id, printable(run->folder)),
            "punie journal rerun RUN --print shows the command, to run it elsewhere"
        );
    }
    fs::current_path(run->folder, error);
    if (error) return std::unexpected(errno_error(error.value(), "cannot enter " + run->folder));
    terminal.note(fmt::format("in {}: {}", printable(run->folder), printable(run->command)));
    // a punie that is not in PATH any more is still this one
    const auto own = fs::path(words->front()).filename() == "punie";
    return std::unexpected(exec_words(*words, own ? process::executable_path() : words->front()));
}

Result<ExitCode> export_journal(
    journal::Journal& journal, const JournalOptions& options, Terminal& terminal
) {
    auto runs = journal.list({.kind = options.kind});
    if (!runs) return std::unexpected(std::move(runs).error());
    auto baseline = journal.baseline_id();
    if (!baseline) return std::unexpected(std::move(baseline).error());
    const auto count = runs->size();
    const auto text = journal::training_journal(*std::move(runs), *baseline);
    if (options.out.empty()) {
        terminal.print_raw(text);
        return ExitCode::done;
    }
    auto written = write_atomic(options.out, text);
    if (!written) return std::unexpected(std::move(written).error());
    terminal.print(fmt::format("{}: {} runs", options.out, count));
    return ExitCode::done;
}

struct Sized {
    journal::Run run;
    std::uint64_t bytes = 0;
};

void show_pruned(Terminal& terminal, const std::vector<Sized>& gone, bool dry_run) {
    for (const auto& [run, bytes] : gone) {
        terminal.print(fmt::format(
            "{} {}  {}  {}  {}",
            dry_run ? "would remove" : "removed",
            run.id,
            journal::local_time(run.started),
            journal::shown_state(run),
            human_bytes(bytes)
        ));
    }
}

json::value pruned_json(
    const std::vector<Sized>& gone, const journal::PrunePlan& plan, bool dry_run
) {
    json::array removed;
    std::uint64_t total = 0;
    removed.reserve(gone.size());
    for (const auto& [run, bytes] : gone) {
        removed.push_back(json::object{{"id", run.id}, {"bytes", bytes}});
        total += bytes;
    }
    json::array spared;
    spared.reserve(plan.spared.size());
    for (const auto& [run, why] : plan.spared)
        spared.push_back(json::object{{"id", run.id}, {"why", why}});
    return json::object{
        {"dry_run", dry_run},
        {"removed", std::move(removed)},
        {"bytes", total},
        {"spared", std::move(spared)}
    };
}

Result<journal::PruneRules> rules_of(const JournalOptions& options) {
    journal::PruneRules rules{
        .keep = options.keep, .failed = options.failed, .force = options.force
    };
    if (!options.older_than.empty()) {
        auto age = journal::parse_age(options.older_than);
        if (!age) return std::unexpected(std::move(age).error().in("--older-than"));
        rules.older_than = *age;
    }
    if (!rules.keep && !rules.older_than && !rules.failed) {
        return fail(
            ErrorCode::invalid_argument,
            "prune needs to be told what may go",
            "--keep N, --older-than 30d or --failed; --dry-run shows what would go"
        );
    }
    return rules;
}

/// The runs with their sizes; removed one by one unless it is a rehearsal.
Result<std::vector<Sized>> remove_planned(
    journal::Journal& journal, const journal::PrunePlan& plan, bool dry_run
) {
    std::vector<Sized> gone;
    gone.reserve(plan.remove.size());
    for (const auto& run : plan.remove) {
        auto bytes = journal.stored_bytes(run.id);
        if (!bytes) return std::unexpected(std::move(bytes).error());
        auto removed = dry_run ? Result<void>{} : journal.remove(run.id);
        if (!removed) return std::unexpected(std::move(removed).error());
        gone.push_back({.run = run, .bytes = *bytes});
    }
    if (dry_run || gone.empty()) return gone;
    auto packed = journal.compact();
    if (!packed) return std::unexpected(std::move(packed).error());
    return gone;
}

Result<ExitCode> prune(
    journal::Journal& journal, const JournalOptions& options, Terminal& terminal
) {
    const auto rules = rules_of(options);
    if (!rules) return std::unexpected(rules.error());
    auto runs = journal.list();
    if (!runs) return std::unexpected(std::move(runs).error());
    auto baseline = journal.baseline_id();
    if (!baseline) return std::unexpected(std::move(baseline).error());
    const auto plan = journal::plan_prune(*runs, *rules, *baseline, journal::present());
    auto gone = remove_planned(journal, plan, options.dry_run);
    if (!gone) return std::unexpected(std::move(gone).error());
    if (options.json) {
        terminal.print(to_text(pruned_json(*gone, plan, options.dry_run)));
        return ExitCode::done;
    }
    show_pruned(terminal, *gone, options.dry_run);
    for (const auto& [run, why] : plan.spared)
        terminal.print(
            fmt::format("kept {}: it {}{}", run.id, why, options.force ? "" : " (--force)")
        );
    std::uint64_t total = 0;
    for (const auto& one : *gone) total += one.bytes;
    terminal.print(fmt::format(
        "{} {} of {} runs, {}",
        options.dry_run ? "would remove" : "removed",
        gone->size(),
        runs->size(),
        human_bytes(total)
    ));
    return ExitCode::done;
}

void add_prune_options(CLI::App& sub, JournalOptions& options) {
    sub.add_option("--keep", options.keep, "Keep this many of the newest")
        ->check(CLI::Range(0, 1'000'000'000));
    sub.add_option("--older-than", options.older_than, "Only older ones: 12h, 30d, 2w");
    sub.add_flag("--failed", options.failed, "Only failed, interrupted and died ones");
    sub.add_flag("--force", options.force, "The baseline and runs with notes too");
    sub.add_flag("--dry-run", options.dry_run, "Show what would go, remove nothing");
    sub.footer(
        "All conditions that are given must hold. An experiment goes with the runs of its stages. "
        "A\n"
        "running one never goes.\n\n"
        "Examples:\n"
        "  punie journal prune --failed --older-than 7d --dry-run\n"
        "  punie journal prune --keep 50"
    );
}

constexpr std::string_view run_help =
    "Id, the beginning of one, @last, @last-train, @~2 or @baseline";

class Builder {
public:
    Builder(CLI::App& parent, Commands& commands) : parent_(parent), commands_(commands) {}

    /// A sub-command with its own options; `fill` adds them.
    template <typename Fill>
    void add(const char* name, const char* what, Call call, const Fill& fill) {
        auto options = std::make_shared<JournalOptions>();
        auto* sub = parent_.add_subcommand(name, what);
        fill(*sub, *options);
        commands_.on(sub, [call, options](Terminal& terminal) {
            return with_journal(call, *options, terminal);
        });
    }

private:
    CLI::App& parent_;
    Commands& commands_;
};

void run_option(CLI::App& sub, JournalOptions& options) {
    sub.add_option("run", options.run, std::string(run_help))->required();
}

void json_flag(CLI::App& sub, JournalOptions& options) {
    sub.add_flag("--json", options.json, "As one JSON object");
}

void add_looking(Builder& builder) {
    builder.add("list", "The runs, newest first", list_runs, [](CLI::App& sub, auto& options) {
        sub.add_option("--kind", options.kind, "Only of this kind: eval, train, compare ...");
        sub.add_option("--limit", options.limit, "So many at most, 0 for all")
            ->check(CLI::Range(0, 1'000'000'000))
            ->capture_default_str();
        json_flag(sub, options);
    });
    builder.add("show", "All about one run", show_one, [](CLI::App& sub, auto& options) {
        run_option(sub, options);
        sub.add_option("--wrong", options.wrong, "So many wrong answers")
            ->check(CLI::Range(0, 1'000'000'000))
            ->capture_default_str();
        json_flag(sub, options);
    });
    builder.add("diff", "In what two runs differ", diff_two, [](CLI::App& sub, auto& options) {
        sub.add_option("a", options.run, std::string(run_help))->required();
        sub.add_option("b", options.other, std::string(run_help))->required();
        json_flag(sub, options);
    });
    builder.add(
        "export",
        "The runs as a Markdown page",
        export_journal,
        [](CLI::App& sub, auto& options) {
            sub.add_option("--kind", options.kind, "Only of this kind");
            sub.add_option("--out", options.out, "Into this file instead of stdout");
        }
    );
}

void add_changing(Builder& builder) {
    builder.add("note", "Write a note to a run", note_on, [](CLI::App& sub, auto& options) {
        run_option(sub, options);
        sub.add_option("text", options.words, "The note; \"\" removes it")->required();
    });
    builder.add("bless", "Make a run the @baseline", bless, [](CLI::App& sub, auto& options) {
        run_option(sub, options);
    });
    builder.add(
        "rerun",
        "Run its command again, in its folder",
        rerun,
        [](CLI::App& sub, auto& options) {
            run_option(sub, options);
            sub.add_flag("--print", options.print, "Only print it");
        }
    );
    builder
        .add("prune", "Remove old runs with their files", prune, [](CLI::App& sub, auto& options) {
            add_prune_options(sub, options);
            json_flag(sub, options);
        });
}

}  // namespace

void add_journal(CLI::App& app, Commands& commands) {
    auto* sub = app.add_subcommand("journal", "The runs of this project: look, compare, tidy up");
    sub->require_subcommand(0, 1);
    Builder builder(*sub, commands);
    add_looking(builder);
    add_changing(builder);
    sub->footer(
        "Examples:\n"
        "  punie journal list --kind eval\n"
        "  punie journal show @last\n"
        "  punie journal diff @baseline @last\n"
        "  punie journal note @last \"with the new template\"\n"
        "  punie journal bless @last\n"
        "  punie journal rerun @last-train --print\n"
        "  punie journal export --out docs/training-journal.md\n"
        "  punie journal prune --failed --older-than 7d --dry-run\n\n"
        "The journal is .punie/journal.db, looked for from here upwards; PUNIE_JOURNAL names "
        "another\n"
        ".punie folder."
    );
}

}  // namespace punie::cli
