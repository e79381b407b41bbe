#pragma once
// What tests of journals share: processes that write to one and can be killed at any moment, and a
// look into the file.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>
#include <csignal>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "base/text.hpp"
#include "journal/journal.hpp"
#include "support/forked.hpp"

namespace punie::journal {

namespace fs = std::filesystem;
using Record = Run;  // testing::Test has a member function of that name
inline constexpr std::chrono::seconds child_limit{50};

using test::Say;
using Child = test::Forked;

/// "ok", or what SQLite's own check finds.
inline std::string integrity(const fs::path& file) {
    sqlite3* handle = nullptr;
    std::string found;
    EXPECT_EQ(sqlite3_open(file.c_str(), &handle), SQLITE_OK);
    const auto add = [](void* text, int /*count*/, char** values, char** /*names*/) {
        *static_cast<std::string*>(text) += values[0];
        return 0;
    };
    EXPECT_EQ(sqlite3_exec(handle, "PRAGMA integrity_check", add, &found, nullptr), SQLITE_OK);
    sqlite3_close(handle);
    return found;
}

inline AnswerRow answer_of(std::string prompt, int sample = 0) {
    AnswerRow answer;
    answer.prompt = std::move(prompt);
    answer.sample = sample;
    answer.state = "answered";
    answer.score = 1;
    answer.passed = true;
    answer.reason = "every expected call was made with the expected arguments";
    return answer;
}

}  // namespace punie::journal
