#include "journal/database.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <cerrno>
#include <cmath>
#include <limits>
#include <system_error>

#include "journal/space.hpp"

namespace punie::journal {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view nan_text = "nan";

/// SQLite's own waiting covers nearly all cases; where it gives up at once to avoid a deadlock
/// (recovery of the log, the last connection closing) a fresh attempt gets through.
class Patience {
public:
    bool again(int status) {
        if ((status & 0xff) != SQLITE_BUSY) return false;
        if (std::chrono::steady_clock::now() > end_) return false;
        ::poll(nullptr, 0, 2);
        return true;
    }

private:
    std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + writer_patience;
};

bool no_space(int status, int system_error, const fs::path& file) {
    const int primary = status & 0xff;
    if (primary == SQLITE_FULL) return true;
    if (primary != SQLITE_IOERR && primary != SQLITE_CANTOPEN) return false;
    if (system_error == ENOSPC || system_error == EDQUOT) return true;
    // SQLite does not keep the reason of a failed write
    const bool of_writing = primary == SQLITE_CANTOPEN || status == SQLITE_IOERR_WRITE ||
                            status == SQLITE_IOERR_FSYNC || status == SQLITE_IOERR_SHMSIZE ||
                            status == SQLITE_IOERR_SHMOPEN || status == SQLITE_IOERR_TRUNCATE;
    return of_writing && space_trouble(file) != 0;
}

/// A path inside a file: URI of SQLite (sqlite.org/uri.html).
std::string uri_escaped(std::string_view path) {
    std::string text;
    for (const char c : path) {
        const bool special = c == '%' || c == '?' || c == '#';
        text += special ? fmt::format("%{:02x}", static_cast<unsigned char>(c)) : std::string(1, c);
    }
    return text;
}

Error damaged(const std::string& file, std::string_view said) {
    return Error(ErrorCode::io, fmt::format("{} is damaged or no journal ({})", file, said))
        .with_hint(fmt::format(
            "it is left as it is; move it away to begin a new journal, or save what is left of it: "
            "sqlite3 '{0}' .recover | sqlite3 '{0}.recovered'",
            file
        ));
}

}  // namespace

Query::~Query() {
    if (statement_ == nullptr) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

void Query::note(int status) {
    if (status_ == SQLITE_OK) status_ = status;
}

void Query::bind_one(std::string_view value) {
    // NULL would be bound for a view without data
    const char* data = value.data() == nullptr ? "" : value.data();
    note(
        sqlite3_bind_text64(statement_, ++bound_, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8)
    );
}

void Query::bind_one(std::int64_t value) {
    note(sqlite3_bind_int64(statement_, ++bound_, value));
}

void Query::bind_one(double value) {
    note(sqlite3_bind_double(statement_, ++bound_, value));
}

void Query::bind_one(const std::optional<double>& value) {
    if (!value)
        note(sqlite3_bind_null(statement_, ++bound_));
    else if (std::isnan(*value))
        bind_one(nan_text);
    else
        bind_one(*value);
}

Result<bool> Query::step() {
    if (status_ != SQLITE_OK) return std::unexpected(database_->error(status_));
    int status = sqlite3_step(statement_);
    if ((status & 0xff) == SQLITE_BUSY && !started_ && !database_->in_transaction()) {
        Patience patience;
        while (patience.again(status)) {
            sqlite3_reset(statement_);
            status = sqlite3_step(statement_);
        }
    }
    started_ = true;
    if (status == SQLITE_ROW) return true;
    if (status == SQLITE_DONE) return false;
    return std::unexpected(database_->error(status));
}

bool Query::missing_parent() const {
    return sqlite3_extended_errcode(sqlite3_db_handle(statement_)) == SQLITE_CONSTRAINT_FOREIGNKEY;
}

Result<void> Query::finish() {
    while (true) {
        auto row = step();
        if (!row) return std::unexpected(std::move(row).error());
        if (!*row) return {};
    }
}

std::string Query::text(int column) const {
    const auto* bytes = sqlite3_column_text(statement_, column);
    if (bytes == nullptr) return {};
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return {reinterpret_cast<const char*>(bytes), size};
}

std::int64_t Query::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

double Query::real(int column) const {
    return sqlite3_column_double(statement_, column);
}

std::optional<double> Query::measured(int column) const {
    switch (sqlite3_column_type(statement_, column)) {
        case SQLITE_NULL:
            return std::nullopt;
        case SQLITE_TEXT:
            return std::numeric_limits<double>::quiet_NaN();
        default:
            return real(column);
    }
}

int Database::open_as(const std::string& name, int flags) {
    sqlite3* raw = nullptr;
    // one thread at a time uses a connection: its own mutex would only cost
    const int status = sqlite3_open_v2(name.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    handle_.reset(raw);
    if (status != SQLITE_OK || raw == nullptr) return status == SQLITE_OK ? SQLITE_NOMEM : status;
    sqlite3_extended_result_codes(raw, 1);
    const auto patience = std::chrono::milliseconds(writer_patience);
    return sqlite3_busy_timeout(raw, static_cast<int>(patience.count()));
}

Result<void> Database::open_for_reading() {
    read_only_ = true;
    statements_.clear();
    int status = open_as(file_.native(), SQLITE_OPEN_READONLY);
    if (status != SQLITE_OK) return std::unexpected(error(status));
    if (number("SELECT count(*) FROM sqlite_master")) return {};
    std::error_code missing;
    const auto pending = fs::file_size(fs::path(file_.native() + "-wal"), missing);
    if (!missing && pending > 0) return std::unexpected(error(SQLITE_READONLY));
    // the log's index cannot be made in a folder that cannot be written; without a log none is
    // needed
    statements_.clear();
    status = open_as(
        fmt::format("file:{}?immutable=1", uri_escaped(file_.native())),
        SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
    );
    if (status != SQLITE_OK) return std::unexpected(error(status));
    return {};
}

Result<Database> Database::open(const fs::path& file) {
    std::error_code missing;
    const auto size = fs::file_size(file, missing);
    const bool there = !missing && size > 0;
    // SQLite would take so short a file for an empty one and write over it; with a rollback journal
    // beside it, it is the rest of a first write that was killed
    constexpr std::uintmax_t smallest_page = 512;
    if (there && size < smallest_page && !fs::exists(fs::path(file.native() + "-journal"), missing))
        return std::unexpected(damaged(file.native(), "file is not a database"));
    Database database(file);
    const int status = database.open_as(file.native(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (status == SQLITE_OK && sqlite3_db_readonly(database.handle_.get(), "main") == 0) {
        auto readable = database.number("SELECT count(*) FROM sqlite_master");
        if (readable) return database;
        const int found = sqlite3_errcode(database.handle_.get()) & 0xff;
        database.full_ = readable.error().code() == ErrorCode::disk_full;
        const bool locked_out =
            found == SQLITE_READONLY || found == SQLITE_CANTOPEN || database.full_;
        if (!there || !locked_out) return std::unexpected(std::move(readable).error());
    } else if (!there) {
        return std::unexpected(database.error(status));
    }
    auto opened = database.open_for_reading();
    if (!opened) return std::unexpected(std::move(opened).error());
    return database;
}

Result<Query> Database::query(std::string_view sql) {
    auto found = statements_.find(sql);
    if (found != statements_.end()) return Query(*this, found->second.get());
    sqlite3_stmt* raw = nullptr;
    Patience patience;
    int status = SQLITE_OK;
    do {
        status = sqlite3_prepare_v3(
            handle_.get(),
            sql.data(),
            static_cast<int>(sql.size()),
            SQLITE_PREPARE_PERSISTENT,
            &raw,
            nullptr
        );
    } while (status != SQLITE_OK && patience.again(status));
    if (status != SQLITE_OK) return std::unexpected(error(status));
    found = statements_.emplace(sql, std::unique_ptr<sqlite3_stmt, Finalise>(raw)).first;
    return Query(*this, found->second.get());
}

Result<void> Database::execute(const std::string& sql) {
    Patience patience;
    int status = SQLITE_OK;
    do {
        status = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    } while (status != SQLITE_OK && !in_transaction() && patience.again(status));
    if (status != SQLITE_OK) return std::unexpected(error(status));
    return {};
}

Result<std::int64_t> Database::number(std::string_view sql) {
    auto one = query(sql);
    if (!one) return std::unexpected(std::move(one).error());
    auto row = one->step();
    if (!row) return std::unexpected(std::move(row).error());
    return *row ? one->integer(0) : 0;
}

Error Database::error(int status) const {
    const auto& name = file_.native();
    const int system_error = handle_ ? sqlite3_system_errno(handle_.get()) : errno;
    const std::string said = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(status);
    if ((full_ && (status & 0xff) == SQLITE_READONLY) || no_space(status, system_error, file_)) {
        return Error(ErrorCode::disk_full, fmt::format("{}: no space left on the device", name))
            .with_hint(
                "free some disk space, or: punie journal prune --older-than 30d; what was recorded "
                "before is kept"
            );
    }
    switch (status & 0xff) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return damaged(name, said);
        case SQLITE_BUSY:
            return Error(
                       ErrorCode::io,
                       fmt::format(
                           "{}: another process has been writing for {} s",
                           name,
                           writer_patience.count()
                       )
            )
                .with_hint("wait for the other punie to end, then try again");
        case SQLITE_READONLY:
            return Error(ErrorCode::io, fmt::format("{} cannot be written", name))
                .with_hint(
                    "make it and its folder writable, or name another folder in PUNIE_JOURNAL"
                );
        default:
            break;
    }
    const auto cause =
        system_error == 0
            ? said
            : fmt::format("{} ({})", said, std::generic_category().message(system_error));
    return {ErrorCode::io, fmt::format("{}: {}", name, cause)};
}

Result<Transaction> Transaction::begin(Database& database) {
    auto begun = database.execute("BEGIN IMMEDIATE");
    if (!begun) return std::unexpected(std::move(begun).error());
    return Transaction(database);
}

Transaction::~Transaction() {
    // a failure here has been reported by the statement that failed; SQLite has rolled back then
    if (database_ != nullptr && database_->in_transaction()) (void)database_->execute("ROLLBACK");
}

Result<void> Transaction::commit() {
    return database_->execute("COMMIT");
}

}  // namespace punie::journal
