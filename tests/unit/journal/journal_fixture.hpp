#pragma once
// A journal in a temporary folder, and SQLite without the code under test.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "journal/journal.hpp"

namespace punie::journal {

namespace fs = std::filesystem;

using Record = Run;  // testing::Test has a member function of that name

inline std::string describe(const Error& error) {
    return fmt::format("{}: {}", name_of(error.code()), error.describe());
}

/// Fails the test with the error's text.
template <typename T>
T must(Result<T> result) {
    if (!result) {
        ADD_FAILURE() << describe(result.error());
        throw std::runtime_error("no value");
    }
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

class JournalFixture : public testing::Test {
protected:
    void SetUp() override { folder_.emplace(must(TemporaryFolder::make("punie-journal-test"))); }

    fs::path folder() const { return folder_->path() / ".punie"; }

    fs::path file() const { return folder() / "journal.db"; }

    Journal open() const { return must(Journal::open(folder())); }

    /// Rows of a statement, columns joined by '|', as the sqlite3 program prints them.
    std::vector<std::string> sql(const std::string& statement) const {
        sqlite3* handle = nullptr;
        EXPECT_EQ(sqlite3_open(file().c_str(), &handle), SQLITE_OK);
        std::vector<std::string> rows;
        char* message = nullptr;
        sqlite3_exec(handle, statement.c_str(), &JournalFixture::add_row, &rows, &message);
        EXPECT_EQ(message, nullptr) << message;
        sqlite3_free(message);
        sqlite3_close(handle);
        return rows;
    }

    static Record run_of(std::string kind, std::string name = "base") {
        Record run;
        run.kind = std::move(kind);
        run.name = std::move(name);
        return run;
    }

    static AnswerRow answer_of(std::string prompt, int sample = 0, double score = 1) {
        AnswerRow answer;
        answer.prompt = std::move(prompt);
        answer.sample = sample;
        answer.state = "answered";
        answer.score = score;
        answer.passed = score >= 1;
        return answer;
    }

    std::optional<TemporaryFolder> folder_;

private:
    static int add_row(void* rows, int count, char** values, char** /*names*/) {
        std::string row;
        for (int at = 0; at < count; ++at)
            row += fmt::format("{}{}", at == 0 ? "" : "|", values[at] == nullptr ? "" : values[at]);
        static_cast<std::vector<std::string>*>(rows)->push_back(std::move(row));
        return 0;
    }
};

}  // namespace punie::journal
