#include "journal/schema.hpp"

#include <fmt/format.h>

#include <array>

namespace punie::journal {

namespace {

/// "PUNJ": `file` and other tools tell a journal by it.
constexpr std::int64_t application = 0x50554e4a;

/// {0} is STRICT where SQLite knows it. A NaN loss is the text 'nan', therefore ANY.
constexpr std::string_view first_schema = R"(
CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    started REAL NOT NULL,
    finished REAL NOT NULL,
    command TEXT NOT NULL,
    folder TEXT NOT NULL,
    punie_version TEXT NOT NULL,
    config TEXT NOT NULL,
    hashes TEXT NOT NULL,
    environment TEXT NOT NULL,
    results TEXT NOT NULL,
    error TEXT NOT NULL,
    note TEXT NOT NULL,
    parent TEXT NOT NULL,
    stage TEXT NOT NULL,
    key TEXT NOT NULL,
    pid INTEGER NOT NULL,
    pid_started INTEGER NOT NULL
){0};
CREATE INDEX runs_by_start ON runs (started);
CREATE INDEX runs_by_parent ON runs (parent) WHERE parent <> '';
CREATE INDEX runs_by_key ON runs (key) WHERE key <> '';
CREATE TABLE answers (
    run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    prompt TEXT NOT NULL,
    sample INTEGER NOT NULL,
    grp TEXT NOT NULL,
    category TEXT NOT NULL,
    state TEXT NOT NULL,
    score REAL NOT NULL,
    passed INTEGER NOT NULL,
    reason TEXT NOT NULL,
    seconds REAL NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    PRIMARY KEY (run, prompt, sample)
){0_comma} WITHOUT ROWID;
CREATE TABLE points (
    run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    iteration INTEGER NOT NULL,
    train_loss ANY,
    valid_loss ANY,
    tokens_per_second REAL NOT NULL,
    peak_memory_gb REAL NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (run, iteration)
){0_comma} WITHOUT ROWID;
CREATE TABLE marks (
    name TEXT PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE
){0};
)";

/// Answers from which no call could be read, told apart from wrong ones.
constexpr std::string_view unparsed_answers =
    "ALTER TABLE answers ADD COLUMN unparsed INTEGER NOT NULL DEFAULT 0;";

constexpr std::array migrations = {first_schema, unparsed_answers};

std::string for_this_sqlite(std::string_view schema) {
    const bool strict = sqlite3_libversion_number() >= 3037000;
    std::string text(schema);
    const auto replace_all = [&](std::string_view what, std::string_view by) {
        for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at))
            text.replace(at, what.size(), by);
    };
    replace_all("{0_comma} WITHOUT ROWID", strict ? " STRICT, WITHOUT ROWID" : " WITHOUT ROWID");
    replace_all("{0}", strict ? " STRICT" : "");
    return text;
}

/// What tells a journal from an empty file and from somebody else's database.
struct Owner {
    std::int64_t version = 0;
    std::int64_t application_id = 0;
    std::int64_t tables = 0;
};

/// In one transaction: another process may be making the journal between two questions.
Result<Owner> read_owner(Database& database) {
    if (auto begun = database.execute("BEGIN"); !begun)
        return std::unexpected(std::move(begun).error());
    Owner owner;
    Result<void> read;
    const auto ask = [&](std::string_view question, std::int64_t& into) {
        if (!read) return;
        auto number = database.number(question);
        if (number) {
            into = *number;
        } else {
            read = std::unexpected(std::move(number).error());
        }
    };
    ask("PRAGMA user_version", owner.version);
    ask("PRAGMA application_id", owner.application_id);
    ask("SELECT count(*) FROM sqlite_master", owner.tables);
    auto ended = database.execute("COMMIT");
    if (!read) return std::unexpected(std::move(read).error());
    if (!ended) return std::unexpected(std::move(ended).error());
    return owner;
}

Result<void> check_owner(const Database& database, const Owner& owner) {
    const auto& name = database.file().native();
    if (owner.version > newest_schema()) {
        return fail(
            ErrorCode::state,
            fmt::format(
                "{} was written by a newer Punie (schema {}; this one knows up to {})",
                name,
                owner.version,
                newest_schema()
            ),
            "update this punie, or name another folder in PUNIE_JOURNAL"
        );
    }
    const bool fresh = owner.version == 0 && owner.application_id == 0 && owner.tables == 0;
    if (fresh || (owner.version > 0 && owner.application_id == application)) return {};
    return fail(
        ErrorCode::state,
        fmt::format("{} is a database of another program, not a journal", name),
        "move it away, or name another folder in PUNIE_JOURNAL"
    );
}

Result<void> apply(Database& database, std::int64_t from, int target) {
    for (auto version = from; version < target; ++version) {
        auto done =
            database.execute(for_this_sqlite(migrations.at(static_cast<std::size_t>(version))));
        if (!done) return done;
    }
    return database.execute(
        fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};", application, target)
    );
}

}  // namespace

int newest_schema() {
    return static_cast<int>(migrations.size());
}

Result<void> migrate(Database& database, int target) {
    auto owner = read_owner(database);
    if (!owner) return std::unexpected(std::move(owner).error());
    auto ours = check_owner(database, *owner);
    if (!ours || owner->version >= target) return ours;
    auto transaction = Transaction::begin(database);
    if (!transaction) return std::unexpected(std::move(transaction).error());
    auto version = database.number("PRAGMA user_version");  // another process may have been quicker
    if (!version) return std::unexpected(std::move(version).error());
    auto applied = apply(database, *version, target);
    if (!applied) return applied;
    return transaction->commit();
}

}  // namespace punie::journal
