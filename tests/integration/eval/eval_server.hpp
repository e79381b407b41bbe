#pragma once
// A fake-eval-server process for one test: started with flags, asked what it saw, killed with its
// fixture.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "integration/http/loop.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): macOS declares it nowhere

namespace punie::test {

/// What the server counted (GET /stats).
struct EvalStats {
    std::int64_t requests = -1;
    std::int64_t answered = -1;
    std::int64_t in_flight = -1;
    std::int64_t most_at_once = -1;
    std::int64_t connections = -1;
};

/// A port of 127.0.0.1 that is bound, so that nobody else gets it, and where nobody listens.
class NobodyListens {
public:
    NobodyListens() : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* raw = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(descriptor_, raw, sizeof address), 0);
        socklen_t size = sizeof address;
        ::getsockname(descriptor_, raw, &size);
        port_ = ntohs(address.sin_port);
    }

    NobodyListens(const NobodyListens&) = delete;
    NobodyListens& operator=(const NobodyListens&) = delete;

    ~NobodyListens() { ::close(descriptor_); }

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }

private:
    int descriptor_;
    int port_ = 0;
};

class EvalServer {
public:
    explicit EvalServer(std::vector<std::string> flags = {}) {
        flags.insert(
            flags.begin(), {std::string(PUNIE_FAKES_DIR) + "/fake-eval-server", "--port", "0"}
        );
        spawn(flags);
        read_port();
    }

    EvalServer(const EvalServer&) = delete;
    EvalServer& operator=(const EvalServer&) = delete;

    ~EvalServer() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        ::close(output_);
    }

    std::string url() const { return root() + "/v1"; }

    EvalStats stats() const {
        const auto response = fetch(root() + "/stats");
        EvalStats stats;
        if (!response) return stats;
        const auto value = parse_json(response->body).value_or(json::value());
        const auto read = [&value](const char* name) {
            return integer_member(value, name).value_or(-1);
        };
        stats.requests = read("requests");
        stats.answered = read("answered");
        stats.in_flight = read("in_flight");
        stats.most_at_once = read("most_at_once");
        stats.connections = read("connections");
        return stats;
    }

private:
    std::string root() const { return "http://127.0.0.1:" + std::to_string(port_); }

    void spawn(const std::vector<std::string>& words) {
        std::array<int, 2> ends{-1, -1};
        ASSERT_EQ(::pipe(ends.data()), 0);
        ::fcntl(ends[0], F_SETFD, FD_CLOEXEC);
        ::fcntl(ends[1], F_SETFD, FD_CLOEXEC);
        output_ = ends[0];
        std::vector<char*> argv;
        argv.reserve(words.size() + 1);
        for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
        argv.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        EXPECT_EQ(::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ), 0)
            << argv[0];
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
    }

    void read_port() {
        std::string said;
        std::array<char, 256> buffer{};
        while (said.find('\n') == std::string::npos) {
            pollfd waited{output_, POLLIN, 0};
            if (::poll(&waited, 1, 20'000) <= 0) break;
            const auto got = ::read(output_, buffer.data(), buffer.size());
            if (got <= 0) break;
            said.append(buffer.data(), static_cast<std::size_t>(got));
        }
        const std::string awaited = "listening on ";
        EXPECT_TRUE(said.starts_with(awaited)) << said;
        if (said.size() > awaited.size()) port_ = std::atoi(said.c_str() + awaited.size());
    }

    pid_t pid_ = 0;
    int output_ = -1;
    int port_ = 0;
};

}  // namespace punie::test
