#pragma once
// SQLite behind three small types: a connection with cached statements, a query whose values cannot
// leak into the next one, a transaction that rolls back unless it was committed.

#include <sqlite3.h>
#include <punie/error.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace punie::journal {

/// How long a call waits for another process that is writing.
inline constexpr std::chrono::seconds writer_patience{10};

class Database;

/// One use of a prepared statement: bind, step, read. The destructor resets it for the next use.
/// Must not outlive its database; two at once must not have the same SQL text.
class Query {
public:
    Query(Query&& other) noexcept
        : database_(other.database_),
          statement_(std::exchange(other.statement_, nullptr)),
          bound_(other.bound_),
          status_(other.status_),
          started_(other.started_) {}

    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;
    Query& operator=(Query&&) = delete;
    ~Query();

    /// The next values, from the first parameter on. Texts are copied.
    template <typename... Values>
    Query& bind(const Values&... values) {
        (bind_one(values), ...);
        return *this;
    }

    /// True: a row is there. Errors: as of Journal; those of `bind` come out here.
    Result<bool> step();

    /// The last step failed because the row that this one belongs to is not there.
    bool missing_parent() const;

    /// Steps to the end, for statements without rows.
    Result<void> finish();

    std::string text(int column) const;
    std::int64_t integer(int column) const;
    double real(int column) const;
    /// Nothing for NULL; the text 'nan' is how a NaN is stored (SQLite itself turns it into NULL).
    std::optional<double> measured(int column) const;

private:
    friend class Database;

    Query(Database& database, sqlite3_stmt* statement)
        : database_(&database), statement_(statement) {}

    void bind_one(std::string_view value);
    void bind_one(std::int64_t value);
    void bind_one(double value);
    void bind_one(const std::optional<double>& value);

    void bind_one(const std::string& value) { bind_one(std::string_view(value)); }

    void bind_one(const char* value) { bind_one(std::string_view(value)); }

    void bind_one(int value) { bind_one(std::int64_t{value}); }

    void bind_one(bool value) { bind_one(std::int64_t{value ? 1 : 0}); }

    void note(int status);

    Database* database_;
    sqlite3_stmt* statement_;
    int bound_ = 0;
    int status_ = SQLITE_OK;  // the first failure of bind
    bool started_ = false;
};

/// One connection. Used by one thread at a time.
class Database {
public:
    /// Opens or makes the file. Where it exists but cannot be written (rights, a full disk), it is
    /// opened for reading and `read_only` is true. Errors: io and disk_full, both name the file.
    static Result<Database> open(const std::filesystem::path& file);

    Database(Database&&) = default;
    Database& operator=(Database&&) = default;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database() = default;

    /// A statement, prepared once for each SQL text.
    Result<Query> query(std::string_view sql);

    /// Statements without parameters and without rows of interest.
    Result<void> execute(const std::string& sql);

    /// The single integer that a statement gives, e.g. of a PRAGMA.
    Result<std::int64_t> number(std::string_view sql);

    /// What `status` means for a person; the file is named.
    Error error(int status) const;

    bool in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

    bool read_only() const { return read_only_; }

    const std::filesystem::path& file() const { return file_; }

    /// Rows that the last INSERT, UPDATE or DELETE changed.
    int changed() const { return sqlite3_changes(handle_.get()); }

    std::int64_t last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }

private:
    struct Close {
        void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
    };

    struct Finalise {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };

    explicit Database(std::filesystem::path file) : file_(std::move(file)) {}

    int open_as(const std::string& name, int flags);
    Result<void> open_for_reading();

    std::filesystem::path file_;
    std::unique_ptr<sqlite3, Close> handle_;
    std::map<std::string, std::unique_ptr<sqlite3_stmt, Finalise>, std::less<>> statements_;
    bool read_only_ = false;
    bool full_ = false;  // read only because there is no space for the log
};

/// BEGIN IMMEDIATE: the write lock is taken at once, so that no other writer can come between a
/// read and the write that follows from it.
class Transaction {
public:
    static Result<Transaction> begin(Database& database);

    Transaction(Transaction&& other) noexcept
        : database_(std::exchange(other.database_, nullptr)) {}

    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();

    Result<void> commit();

private:
    explicit Transaction(Database& database) : database_(&database) {}

    Database* database_;
};

}  // namespace punie::journal
