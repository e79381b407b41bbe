#pragma once
// A fake-model-server process for one test: started with flags, killed with its fixture.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

extern char** environ;  // NOLINT(readability-redundant-declaration): macOS declares it nowhere

namespace punie::openai {

class FakeServer {
public:
    /// Starts it at a port of the kernel's choice and reads what it announces.
    explicit FakeServer(
        std::vector<std::string> flags, std::string_view awaited = "listening on "
    ) {
        flags.insert(
            flags.begin(),
            {std::string(PUNIE_FAKES_DIR) + "/fake-model-server",
             "--port",
             "0",
             "--model",
             "fake-model"}
        );
        spawn(flags);
        const auto line = wait_for(awaited);
        EXPECT_TRUE(line) << "fake-model-server did not announce itself";
        if (line) port_ = std::atoi(line->c_str() + awaited.size());
    }

    FakeServer(const FakeServer&) = delete;
    FakeServer& operator=(const FakeServer&) = delete;

    ~FakeServer() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        ::close(output_);
    }

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }

    /// The first line from here on that begins so; nothing after ten seconds or at the output's
    /// end.
    std::optional<std::string> wait_for(std::string_view beginning) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (true) {
            while (const auto line = next_line()) {
                if (line->starts_with(beginning)) return line;
            }
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                deadline - std::chrono::steady_clock::now()
            );
            if (left.count() <= 0 || !read_more(static_cast<int>(left.count())))
                return std::nullopt;
        }
    }

    /// Completions that it was asked for so far; it says so before it answers.
    int requests() {
        while (read_more(0)) {
        }
        while (const auto line = next_line()) requests_ += line->starts_with("request ") ? 1 : 0;
        return requests_;
    }

private:
    void spawn(const std::vector<std::string>& words) {
        int pipe_ends[2] = {-1, -1};
        ASSERT_EQ(::pipe(pipe_ends), 0);
        ::fcntl(pipe_ends[0], F_SETFD, FD_CLOEXEC);
        ::fcntl(pipe_ends[1], F_SETFD, FD_CLOEXEC);
        output_ = pipe_ends[0];
        std::vector<char*> argv;
        argv.reserve(words.size() + 1);
        for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
        argv.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], 1);
        EXPECT_EQ(::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ), 0)
            << argv[0];
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(pipe_ends[1]);
    }

    std::optional<std::string> next_line() {
        const auto end = bytes_.find('\n');
        if (end == std::string::npos) return std::nullopt;
        auto line = bytes_.substr(0, end);
        bytes_.erase(0, end + 1);
        return line;
    }

    bool read_more(int timeout_ms) {
        pollfd waited{output_, POLLIN, 0};
        if (::poll(&waited, 1, timeout_ms) <= 0) return false;
        char buffer[4096];
        const auto got = ::read(output_, buffer, sizeof buffer);
        if (got <= 0) return false;
        bytes_.append(buffer, static_cast<std::size_t>(got));
        return true;
    }

    pid_t pid_ = 0;
    int output_ = -1;
    int port_ = 0;
    int requests_ = 0;
    std::string bytes_;
};

}  // namespace punie::openai
