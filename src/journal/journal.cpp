#include "journal/journal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <system_error>

#include "base/json.hpp"
#include "journal/database.hpp"
#include "journal/impl.hpp"
#include "journal/schema.hpp"
#include "journal/when.hpp"

namespace punie::journal {

namespace fs = std::filesystem;

namespace {

Result<void> check_json(std::string_view field, std::string& text) {
    if (text.empty()) text = "{}";
    auto value = parse_json(text);
    if (value) return {};
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("{} of a run is not JSON: {}", field, value.error().message())
    );
}

/// Readers rely on it: a text that is no JSON would be found only when the run is looked at.
Result<Run> with_checked_texts(Run run) {
    const std::array<std::pair<std::string_view, std::string*>, 4> texts = {{
        {"config_json", &run.config_json},
        {"hashes_json", &run.hashes_json},
        {"environment_json", &run.environment_json},
        {"results_json", &run.results_json},
    }};
    for (const auto& [field, text] : texts) {
        auto checked = check_json(field, *text);
        if (!checked) return std::unexpected(std::move(checked).error());
    }
    return run;
}

Result<void> make_folder(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (!error) return {};
    return std::unexpected(
        errno_error(error.value(), fmt::format("cannot make the folder {}", folder.native()))
    );
}

/// Write-ahead log: readers and one writer at once, and a commit is one append. NORMAL: a killed
/// process loses nothing; a power cut may lose the last commits, never the database. Where a file
/// system does not allow the log SQLite stays with its rollback journal, which needs FULL for that.
Result<void> set_modes(Database& database) {
    auto query = database.query("PRAGMA journal_mode = WAL");
    if (!query) return std::unexpected(std::move(query).error());
    auto row = query->step();
    if (!row) return std::unexpected(std::move(row).error());
    const bool log = *row && query->text(0) == "wal";
    auto ended = query->finish();
    if (!ended) return ended;
    return database.execute(fmt::format(
        "PRAGMA synchronous = {}; PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 8388608;",
        log ? "NORMAL" : "FULL"
    ));
}

Result<void> configure(Database& database) {
    if (!database.read_only()) {
        auto set = set_modes(database);
        return set ? migrate(database) : set;
    }
    auto version = database.number("PRAGMA user_version");
    if (!version) return std::unexpected(std::move(version).error());
    if (*version == newest_schema()) return {};
    if (*version > newest_schema() || *version == 0) return migrate(database);
    return fail(
        ErrorCode::io,
        fmt::format(
            "{} has the older schema {} and cannot be written to bring it up to {}",
            database.file().native(),
            *version,
            newest_schema()
        ),
        "make the file and its folder writable once, or copy them"
    );
}

}  // namespace

std::string_view name_of(RunState state) {
    switch (state) {
        case RunState::running:
            return "running";
        case RunState::done:
            return "done";
        case RunState::failed:
            return "failed";
        case RunState::interrupted:
            break;
    }
    return "interrupted";
}

Result<Journal> Journal::open(const fs::path& folder) {
    const auto file = folder / "journal.db";
    std::error_code ignored;
    if (!fs::exists(file, ignored)) {
        auto made = make_folder(folder);
        if (!made) return std::unexpected(std::move(made).error());
    }
    auto database = Database::open(file);
    if (!database) return std::unexpected(std::move(database).error());
    auto configured = configure(*database);
    if (!configured) return std::unexpected(std::move(configured).error());
    return Journal(std::make_unique<Impl>(*std::move(database), folder));
}

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Journal::Journal(Journal&&) noexcept = default;
Journal& Journal::operator=(Journal&&) noexcept = default;
Journal::~Journal() = default;

const fs::path& Journal::folder() const {
    return impl_->folder;
}

Result<Run> Journal::begin(Run run) {
    auto checked = with_checked_texts(std::move(run));
    if (!checked) return checked;
    if (checked->kind.empty())
        return fail(ErrorCode::invalid_argument, "a run needs a kind, e.g. eval");
    if (checked->folder.empty()) {
        std::error_code gone;  // the working folder may have been removed: then it stays empty
        checked->folder = fs::current_path(gone).native();
    }
    checked->state = RunState::running;
    checked->pid = ::getpid();
    checked->alive = true;
    return checked->id.empty() ? impl_->insert(*std::move(checked), present())
                               : impl_->reopen(*std::move(checked), present());
}

Result<void> Journal::update(const Run& run) {
    auto checked = with_checked_texts(run);
    if (!checked) return std::unexpected(std::move(checked).error());
    double finished = 0;
    if (checked->state != RunState::running)
        finished = checked->finished > 0 ? checked->finished : present();
    auto query = impl_->database.query(
        "UPDATE runs SET name = ?, state = ?, finished = ?, command = ?, folder = ?, "
        "punie_version = ?, config = ?, hashes = ?, environment = ?, results = ?, error = ?, "
        "parent = ?, stage = ?, key = ? WHERE id = ?"
    );
    if (!query) return std::unexpected(std::move(query).error());
    query->bind(checked->name, name_of(checked->state), finished, checked->command, checked->folder)
        .bind(
            checked->punie_version,
            checked->config_json,
            checked->hashes_json,
            checked->environment_json
        )
        .bind(
            checked->results_json,
            checked->error,
            checked->parent,
            checked->stage,
            checked->key,
            checked->id
        );
    return impl_->finish_on_run(*std::move(query), checked->id);
}

Result<void> Journal::add_answer(const std::string& run, const AnswerRow& answer) {
    if (!std::isfinite(answer.score) || !std::isfinite(answer.seconds)) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "answer to {}: score {} and seconds {} must be finite numbers",
                answer.prompt,
                answer.score,
                answer.seconds
            )
        );
    }
    auto number = impl_->number_of(run);
    if (!number) return std::unexpected(std::move(number).error());
    auto query = impl_->database.query(
        "INSERT OR REPLACE INTO answers (run, prompt, sample, grp, category, state, score, passed, "
        "unparsed, reason, seconds, prompt_tokens, completion_tokens) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    );
    if (!query) return std::unexpected(std::move(query).error());
    query->bind(*number, answer.prompt, answer.sample, answer.group, answer.category, answer.state)
        .bind(answer.score, answer.passed, answer.unparsed, answer.reason, answer.seconds)
        .bind(answer.prompt_tokens, answer.completion_tokens);
    return impl_->finish_below_run(*std::move(query), run);
}

Result<void> Journal::add_answers(const std::string& run, const std::vector<AnswerRow>& answers) {
    auto transaction = Transaction::begin(impl_->database);
    if (!transaction) return std::unexpected(std::move(transaction).error());
    for (const auto& answer : answers) {
        auto added = add_answer(run, answer);
        if (!added) return added;
    }
    return transaction->commit();
}

Result<void> Journal::add_point(const std::string& run, const TrainingPoint& point) {
    auto number = impl_->number_of(run);
    if (!number) return std::unexpected(std::move(number).error());
    auto query = impl_->database.query(
        "INSERT INTO points (run, iteration, train_loss, valid_loss, tokens_per_second, "
        "peak_memory_gb, seconds) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (run, iteration) DO UPDATE SET "
        "train_loss = coalesce(excluded.train_loss, train_loss), "
        "valid_loss = coalesce(excluded.valid_loss, valid_loss), "
        "tokens_per_second = CASE WHEN excluded.tokens_per_second > 0 "
        "THEN excluded.tokens_per_second ELSE tokens_per_second END, "
        "peak_memory_gb = max(excluded.peak_memory_gb, peak_memory_gb), "
        "seconds = max(excluded.seconds, seconds)"
    );
    if (!query) return std::unexpected(std::move(query).error());
    const auto finite = [](double value) { return std::isfinite(value) ? value : 0.0; };
    query->bind(*number, point.iteration, point.train_loss, point.valid_loss)
        .bind(finite(point.tokens_per_second), finite(point.peak_memory_gb), finite(point.seconds));
    return impl_->finish_below_run(*std::move(query), run);
}

Result<std::vector<AnswerRow>> Journal::answers(const std::string& run) {
    auto number = impl_->number_of(run);
    if (!number) return std::unexpected(std::move(number).error());
    auto query = impl_->database.query(
        "SELECT prompt, sample, grp, category, state, score, passed, unparsed, reason, seconds, "
        "prompt_tokens, completion_tokens FROM answers WHERE run = ? ORDER BY prompt, sample"
    );
    if (!query) return std::unexpected(std::move(query).error());
    query->bind(*number);
    return impl_->rows<AnswerRow>(*query, [](const Query& row) {
        return AnswerRow{
            .prompt = row.text(0),
            .sample = static_cast<int>(row.integer(1)),
            .group = row.text(2),
            .category = row.text(3),
            .state = row.text(4),
            .score = row.real(5),
            .passed = row.integer(6) != 0,
            .unparsed = row.integer(7) != 0,
            .reason = row.text(8),
            .seconds = row.real(9),
            .prompt_tokens = row.integer(10),
            .completion_tokens = row.integer(11)
        };
    });
}

Result<std::vector<TrainingPoint>> Journal::points(const std::string& run) {
    auto number = impl_->number_of(run);
    if (!number) return std::unexpected(std::move(number).error());
    auto query = impl_->database.query(
        "SELECT iteration, train_loss, valid_loss, tokens_per_second, peak_memory_gb, seconds "
        "FROM points WHERE run = ? ORDER BY iteration"
    );
    if (!query) return std::unexpected(std::move(query).error());
    query->bind(*number);
    return impl_->rows<TrainingPoint>(*query, [](const Query& row) {
        return TrainingPoint{
            .iteration = row.integer(0),
            .train_loss = row.measured(1),
            .valid_loss = row.measured(2),
            .tokens_per_second = row.real(3),
            .peak_memory_gb = row.real(4),
            .seconds = row.real(5)
        };
    });
}

Result<void> Journal::set_note(const std::string& run, std::string_view note) {
    auto query = impl_->database.query("UPDATE runs SET note = ? WHERE id = ?");
    if (!query) return std::unexpected(std::move(query).error());
    query->bind(note, run);
    return impl_->finish_on_run(*std::move(query), run);
}

Result<void> Journal::set_baseline(const std::string& run) {
    auto number = impl_->number_of(run);
    if (!number) return std::unexpected(std::move(number).error());
    auto query =
        impl_->database.query("INSERT OR REPLACE INTO marks (name, run) VALUES ('baseline', ?)");
    if (!query) return std::unexpected(std::move(query).error());
    query->bind(*number);
    return impl_->finish_below_run(*std::move(query), run);
}

Result<void> Journal::compact() {
    auto packed = impl_->database.execute("VACUUM");
    if (!packed) return packed;
    return impl_->database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

Result<fs::path> Journal::run_folder(const std::string& run) {
    auto number = impl_->number_of(run);
    if (!number) return std::unexpected(std::move(number).error());
    auto folder = impl_->files_of(run);
    auto made = make_folder(folder);
    if (!made) return std::unexpected(std::move(made).error());
    return folder;
}

}  // namespace punie::journal
