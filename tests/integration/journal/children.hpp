#pragma once
// Processes that write to a journal: forked from the test, so that they can be killed at any
// moment.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "base/text.hpp"
#include "journal/journal.hpp"

namespace punie::journal {

namespace fs = std::filesystem;
using Record = Run;  // testing::Test has a member function of that name
inline constexpr std::chrono::seconds child_limit{50};

/// Writes a line through to the parent: what is said here has happened.
using Say = std::function<void(const std::string&)>;

/// A forked process running `work`; what it says is read by the parent. Killed by the destructor.
class Child {
public:
    explicit Child(const std::function<int(const Say&)>& work) {
        std::array<int, 2> pipe{};
        EXPECT_EQ(::pipe(pipe.data()), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(pipe[0]);
            const int code = work([&](const std::string& line) {
                const auto text = line + "\n";
                if (::write(pipe[1], text.data(), text.size()) < 0) ::_exit(99);
            });
            ::_exit(code);
        }
        ::close(pipe[1]);
        read_ = pipe[0];
    }

    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    ~Child() {
        if (!ended_) {
            kill();
            (void)wait();
        }
        ::close(read_);
    }

    void kill() const { ::kill(pid_, SIGKILL); }

    /// Reads what has been said until a line with `words` came, or for `limit`; false if it did
    /// not.
    bool read_until(const std::string& words, std::chrono::nanoseconds limit) {
        const auto end = std::chrono::steady_clock::now() + limit;
        while (said_.find(words) == std::string::npos) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                end - std::chrono::steady_clock::now()
            );
            if (left.count() <= 0) return false;
            pollfd watched{read_, POLLIN, 0};
            if (::poll(&watched, 1, static_cast<int>(left.count())) <= 0) continue;
            if (!read_some()) return false;
        }
        return true;
    }

    /// Reads to the end and reaps: the exit code, or minus the signal.
    int wait() {
        while (read_some()) {
        }
        int status = 0;
        EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
        ended_ = true;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

    /// The whole lines that were said.
    std::vector<std::string> lines() const {
        return split_lines(said_.substr(0, said_.rfind('\n') + 1));
    }

private:
    bool read_some() {
        std::array<char, 65536> buffer{};
        const auto count = ::read(read_, buffer.data(), buffer.size());
        if (count > 0) said_.append(buffer.data(), static_cast<std::size_t>(count));
        return count > 0;
    }

    pid_t pid_ = 0;
    int read_ = -1;
    std::string said_;
    bool ended_ = false;
};

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
