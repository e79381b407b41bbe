// Rows of the table `runs`: made, reopened, found, listed, removed.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <system_error>

#include "base/text.hpp"
#include "journal/impl.hpp"
#include "journal/process_start.hpp"
#include "journal/reference.hpp"

namespace punie::journal {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view newest_first = "ORDER BY started DESC, number DESC";

std::string fresh_id(std::string_view kind) {
    static thread_local std::random_device random;  // the system's source
    return fmt::format("{}-{:08x}", kind, random());
}

RunState state_from(std::string_view name) {
    for (const auto state : {RunState::running, RunState::done, RunState::failed}) {
        if (name == name_of(state)) return state;
    }
    return RunState::interrupted;
}

std::string joined_ids(const std::vector<Run>& runs, std::size_t limit) {
    std::string text;
    for (std::size_t at = 0; at < std::min(runs.size(), limit); ++at)
        text += fmt::format("{}{}", at == 0 ? "" : ", ", runs[at].id);
    if (runs.size() > limit) text += fmt::format(" and {} more", runs.size() - limit);
    return text;
}

std::uint64_t bytes_below(const fs::path& folder) {
    std::uint64_t bytes = 0;
    std::error_code error;
    for (auto at = fs::recursive_directory_iterator(folder, error);
         !error && at != fs::recursive_directory_iterator();
         at.increment(error)) {
        std::error_code gone;  // a file may vanish while we look
        const auto size = at->is_regular_file(gone) ? at->file_size(gone) : 0;
        if (!gone) bytes += size;
    }
    return bytes;
}

}  // namespace

std::string Journal::Impl::select_runs(std::string_view condition) {
    return fmt::format(
        "SELECT id, kind, name, state, started, finished, command, folder, punie_version, config, "
        "hashes, environment, results, error, note, parent, stage, key, pid, pid_started FROM runs "
        "{}",
        condition
    );
}

Run Journal::Impl::read_run(const Query& row) {
    Run run{
        .id = row.text(0),
        .kind = row.text(1),
        .name = row.text(2),
        .state = state_from(row.text(3)),
        .started = row.real(4),
        .finished = row.real(5),
        .command = row.text(6),
        .folder = row.text(7),
        .punie_version = row.text(8),
        .config_json = row.text(9),
        .hashes_json = row.text(10),
        .environment_json = row.text(11),
        .results_json = row.text(12),
        .error = row.text(13),
        .note = row.text(14),
        .parent = row.text(15),
        .stage = row.text(16),
        .key = row.text(17),
        .pid = row.integer(18)
    };
    const auto began = row.integer(19);
    run.alive = run.state == RunState::running && began != 0 && process_start(run.pid) == began;
    return run;
}

Result<std::int64_t> Journal::Impl::number_of(const std::string& id) {
    if (const auto known = numbers.find(id); known != numbers.end()) return known->second;
    std::int64_t number = 0;
    {
        auto query = database.query("SELECT number FROM runs WHERE id = ?");
        if (!query) return std::unexpected(std::move(query).error());
        auto row = query->bind(id).step();
        if (!row) return std::unexpected(std::move(row).error());
        if (*row) number = query->integer(0);
    }
    if (number == 0) return std::unexpected(no_such_run(id));
    numbers.emplace(id, number);
    return number;
}

Result<Run> Journal::Impl::insert(Run run, double now) {
    run.started = now;
    run.finished = 0;
    constexpr int attempts = 8;  // of 2^32 ids one is taken rarely, two in a row never
    for (int attempt = 0; attempt < attempts; ++attempt) {
        run.id = fresh_id(run.kind);
        auto query = database.query(
            "INSERT OR IGNORE INTO runs (id, kind, name, state, started, finished, command, "
            "folder, punie_version, config, hashes, environment, results, error, note, parent, "
            "stage, key, pid, pid_started) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        );
        if (!query) return std::unexpected(std::move(query).error());
        query->bind(run.id, run.kind, run.name, name_of(run.state), run.started, run.finished)
            .bind(run.command, run.folder, run.punie_version, run.config_json, run.hashes_json)
            .bind(run.environment_json, run.results_json, run.error, run.note, run.parent)
            .bind(run.stage, run.key, run.pid, process_start(run.pid));
        auto done = query->finish();
        if (!done) return std::unexpected(std::move(done).error());
        if (database.changed() == 1) return run;
    }
    return fail(ErrorCode::io, fmt::format("no free id for a run of kind {}", run.kind));
}

Result<Run> Journal::Impl::reopen(Run run, double now) {
    auto transaction = Transaction::begin(database);
    if (!transaction) return std::unexpected(std::move(transaction).error());
    auto found = runs_where("WHERE id = ?", run.id);
    if (!found) return std::unexpected(std::move(found).error());
    if (found->empty()) return std::unexpected(no_such_run(run.id));
    const auto& old = found->front();
    if (old.alive && old.pid != run.pid) {
        return fail(
            ErrorCode::state,
            fmt::format("run {} is being worked on by process {}", run.id, old.pid),
            "wait for it to end, or stop it"
        );
    }
    run.kind = old.kind;
    run.note = old.note;
    run.started = old.started > 0 ? old.started : now;
    run.finished = 0;
    run.error.clear();
    auto query = database.query(
        "UPDATE runs SET name = ?, state = ?, finished = 0, command = ?, folder = ?, "
        "punie_version = ?, config = ?, hashes = ?, environment = ?, results = ?, error = '', "
        "parent = ?, stage = ?, key = ?, pid = ?, pid_started = ? WHERE id = ?"
    );
    if (!query) return std::unexpected(std::move(query).error());
    query->bind(run.name, name_of(run.state), run.command, run.folder, run.punie_version)
        .bind(run.config_json, run.hashes_json, run.environment_json, run.results_json)
        .bind(run.parent, run.stage, run.key, run.pid, process_start(run.pid), run.id);
    auto done = query->finish();
    if (!done) return std::unexpected(std::move(done).error());
    auto committed = transaction->commit();
    if (!committed) return std::unexpected(std::move(committed).error());
    return run;
}

Result<void> Journal::Impl::finish_on_run(Query query, const std::string& id) {
    auto done = query.finish();
    if (!done) return done;
    if (database.changed() == 0) return std::unexpected(no_such_run(id));
    return {};
}

Result<void> Journal::Impl::finish_below_run(Query query, const std::string& id) {
    auto done = query.finish();
    if (done || !query.missing_parent()) return done;
    numbers.erase(id);
    return std::unexpected(no_such_run(id));
}

Error Journal::Impl::no_such_run(std::string_view id) {
    const auto message = fmt::format("no run '{}' in {}", printable(id), database.file().native());
    std::vector<std::string> ids;
    if (auto query = database.query("SELECT id FROM runs ORDER BY started DESC LIMIT 2000")) {
        auto known = rows<std::string>(*query, [](const Query& row) { return row.text(0); });
        if (known) ids = *std::move(known);  // the error is about the run, not about the near ones
    }
    if (ids.empty())
        return Error(ErrorCode::not_found, message).with_hint("the journal has no run yet");
    if (const auto close = nearest(id, ids))
        return Error(ErrorCode::not_found, message)
            .with_hint(fmt::format("did you mean {}?", *close));
    return Error(ErrorCode::not_found, message)
        .with_hint(fmt::format("the newest is {}; punie journal list shows all", ids.front()));
}

Result<std::vector<Run>> Journal::list(const Filter& filter) {
    const auto limit =
        filter.limit == 0 ? std::int64_t{-1} : static_cast<std::int64_t>(filter.limit);
    const auto state = filter.state ? name_of(*filter.state) : std::string_view();
    // key and parent in forms that their partial indexes serve
    std::string condition = "WHERE (?1 = '' OR kind = ?1) AND (?2 = '' OR state = ?2)";
    condition += filter.parent.empty() ? " AND ?3 = ''" : " AND parent <> '' AND parent = ?3";
    condition += filter.key.empty() ? " AND ?4 = ''" : " AND key <> '' AND key = ?4";
    return impl_->runs_where(
        fmt::format("{} {} LIMIT ?5", condition, newest_first),
        filter.kind,
        state,
        filter.parent,
        filter.key,
        limit
    );
}

namespace {

Result<Run> the_only_one(std::vector<Run> runs, std::string_view text) {
    if (runs.size() == 1) return std::move(runs.front());
    return fail(
        ErrorCode::invalid_argument,
        fmt::format(
            "run '{}' is ambiguous: {} runs begin so ({})",
            printable(text),
            runs.size(),
            joined_ids(runs, 5)
        ),
        "give more of the id"
    );
}

}  // namespace

Result<Run> Journal::find(std::string_view reference) {
    auto parsed = parse_reference(reference);
    if (!parsed) return std::unexpected(std::move(parsed).error());
    if (parsed->form == Reference::Form::baseline) {
        auto marked =
            impl_->runs_where("WHERE number = (SELECT run FROM marks WHERE name = 'baseline')");
        if (!marked) return std::unexpected(std::move(marked).error());
        if (!marked->empty()) return std::move(marked->front());
        return fail(
            ErrorCode::not_found,
            "no run is marked as @baseline",
            "mark one: punie journal bless RUN"
        );
    }
    if (parsed->form == Reference::Form::newest)
        return impl_->newest(parsed->kind, parsed->back, reference);
    auto exact = impl_->runs_where("WHERE id = ?", parsed->id);
    if (!exact) return std::unexpected(std::move(exact).error());
    if (!exact->empty()) return std::move(exact->front());
    auto begun = impl_->runs_where(
        fmt::format(
            "WHERE substr(id, 1, length(?1)) = ?1 OR substr(id, length(kind) + 2, length(?1)) = ?1 "
            "{}",
            newest_first
        ),
        parsed->id
    );
    if (!begun) return std::unexpected(std::move(begun).error());
    if (begun->empty()) return std::unexpected(impl_->no_such_run(reference));
    return the_only_one(*std::move(begun), reference);
}

Result<Run> Journal::Impl::newest(
    const std::string& kind, std::size_t back, std::string_view text
) {
    auto found = runs_where(
        fmt::format("WHERE kind = ? {} LIMIT 1 OFFSET ?", newest_first),
        kind,
        static_cast<std::int64_t>(back)
    );
    if (!found) return std::unexpected(std::move(found).error());
    if (!found->empty()) return std::move(found->front());
    auto query = database.query("SELECT count(*) FROM runs WHERE kind = ?");
    if (!query) return std::unexpected(std::move(query).error());
    auto counted = query->bind(kind).step();
    if (!counted) return std::unexpected(std::move(counted).error());
    const auto count = query->integer(0);
    return fail(
        ErrorCode::not_found,
        fmt::format(
            "{}: {} has {} of kind {}",
            printable(text),
            database.file().native(),
            count == 0 ? "no run" : fmt::format("only {} run{}", count, count == 1 ? "" : "s"),
            kind
        ),
        "punie journal list shows what there is"
    );
}

Result<std::string> Journal::baseline_id() {
    auto query = impl_->database.query(
        "SELECT id FROM runs WHERE number = (SELECT run FROM marks WHERE name = 'baseline')"
    );
    if (!query) return std::unexpected(std::move(query).error());
    auto row = query->step();
    if (!row) return std::unexpected(std::move(row).error());
    return *row ? query->text(0) : std::string();
}

Result<void> Journal::remove(const std::string& run) {
    auto found = impl_->runs_where("WHERE id = ?", run);
    if (!found) return std::unexpected(std::move(found).error());
    if (found->empty()) return std::unexpected(impl_->no_such_run(run));
    if (found->front().alive) {
        return fail(
            ErrorCode::state,
            fmt::format("run {} is still running (process {})", run, found->front().pid),
            "stop it first"
        );
    }
    // the files first: killed in between, a run without files is left, never files without a run
    const auto folder = impl_->files_of(run);
    std::error_code error;
    fs::remove_all(folder, error);
    if (error) {
        return std::unexpected(
            errno_error(error.value(), fmt::format("cannot remove {}", folder.native()))
        );
    }
    impl_->numbers.erase(run);
    auto query = impl_->database.query("DELETE FROM runs WHERE id = ?");
    if (!query) return std::unexpected(std::move(query).error());
    query->bind(run);
    return impl_->finish_on_run(*std::move(query), run);
}

Result<std::uint64_t> Journal::stored_bytes(const std::string& run) {
    auto number = impl_->number_of(run);
    if (!number) return std::unexpected(std::move(number).error());
    auto query = impl_->database.query(
        "SELECT (SELECT length(config) + length(hashes) + length(environment) + length(results) "
        "+ length(command) + 200 FROM runs WHERE number = ?1) "
        "+ (SELECT coalesce(sum(length(prompt) + length(grp) + length(category) + length(state) "
        "+ length(reason) + 48), 0) FROM answers WHERE run = ?1) "
        "+ (SELECT count(*) * 48 FROM points WHERE run = ?1)"
    );
    if (!query) return std::unexpected(std::move(query).error());
    auto row = query->bind(*number).step();
    if (!row) return std::unexpected(std::move(row).error());
    return static_cast<std::uint64_t>(query->integer(0)) + bytes_below(impl_->files_of(run));
}

}  // namespace punie::journal
