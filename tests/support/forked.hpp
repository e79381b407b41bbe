#pragma once
// Work in a process of its own, which can be killed at any moment; what it says is read here.

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "base/text.hpp"

namespace punie::test {

/// Writes a line through to the parent: what is said here has happened.
using Say = std::function<void(const std::string&)>;

/// Killed by its destructor.
class Forked {
public:
    explicit Forked(const std::function<int(const Say&)>& work) {
        std::array<int, 2> pipe{};
        EXPECT_EQ(::pipe(pipe.data()), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(pipe[0]);
            ::_exit(work([&pipe](const std::string& line) {
                const auto text = line + "\n";
                if (::write(pipe[1], text.data(), text.size()) < 0) ::_exit(99);
            }));
        }
        ::close(pipe[1]);
        read_ = pipe[0];
    }

    Forked(const Forked&) = delete;
    Forked& operator=(const Forked&) = delete;

    ~Forked() {
        if (!ended_) {
            kill();
            static_cast<void>(wait());
        }
        ::close(read_);
    }

    void kill() const { ::kill(pid_, SIGKILL); }

    /// Reads until so many whole lines were said; false when it ended or 20 s passed before.
    bool read_lines(std::size_t count) {
        return read_until([&] { return lines().size() >= count; }, std::chrono::seconds(20));
    }

    /// Reads until `words` were said; false when it ended or `limit` passed before.
    bool read_until(const std::string& words, std::chrono::nanoseconds limit) {
        return read_until([&] { return said_.find(words) != std::string::npos; }, limit);
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
        const auto end = said_.rfind('\n');
        return end == std::string::npos ? std::vector<std::string>()
                                        : split_lines(said_.substr(0, end));
    }

private:
    bool read_until(const std::function<bool()>& done, std::chrono::nanoseconds limit) {
        const auto end = std::chrono::steady_clock::now() + limit;
        while (!done()) {
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

}  // namespace punie::test
