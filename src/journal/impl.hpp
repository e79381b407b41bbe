#pragma once
// What a Journal holds, for the files that implement it.

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/files.hpp"
#include "journal/database.hpp"
#include "journal/journal.hpp"

namespace punie::journal {

struct Journal::Impl {
    Impl(Database opened, std::filesystem::path where)
        : database(std::move(opened)), folder(std::move(where)) {}

    /// The row number of the run with exactly this id. Numbers are never used again
    /// (AUTOINCREMENT), so one that is remembered cannot come to mean another run.
    Result<std::int64_t> number_of(const std::string& id);

    Result<Run> insert(Run run, double now);
    Result<Run> reopen(Run run, double now);

    /// Ends an UPDATE of one run: not_found when it changed none.
    Result<void> finish_on_run(Query query, const std::string& id);
    /// Ends an INSERT of a row that belongs to a run: not_found when that was removed meanwhile.
    Result<void> finish_below_run(Query query, const std::string& id);

    template <typename Row, typename Read>
    Result<std::vector<Row>> rows(Query& query, const Read& read) {
        std::vector<Row> all;
        while (true) {
            auto row = query.step();
            if (!row) return std::unexpected(std::move(row).error());
            if (!*row) return all;
            all.push_back(read(query));
        }
    }

    /// Runs for which the condition holds, e.g. "WHERE id = ?", and what is bound to it.
    template <typename... Values>
    Result<std::vector<Run>> runs_where(std::string_view condition, const Values&... values) {
        auto query = database.query(select_runs(condition));
        if (!query) return std::unexpected(std::move(query).error());
        query->bind(values...);
        return rows<Run>(*query, &Impl::read_run);
    }

    std::filesystem::path files_of(const std::string& id) const { return folder / "runs" / id; }

    /// The run of that kind with `back` newer ones; `text` is what was asked for.
    Result<Run> newest(const std::string& kind, std::size_t back, std::string_view text);

    /// not_found, with the ids that are near.
    Error no_such_run(std::string_view id);

    static std::string select_runs(std::string_view condition);
    static Run read_run(const Query& row);

    Database database;
    std::filesystem::path folder;
    std::unordered_map<std::string, std::int64_t> numbers;
};

}  // namespace punie::journal
