#pragma once
// The built `punie` as a person runs it: a process with arguments, an environment, two output
// streams and signals. fake-model-server stands in for llama-server by the name it has in a folder
// of PATH.

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "base/json.hpp"
#include "process/system.hpp"

namespace punie::cli {

namespace fs = std::filesystem;
inline constexpr std::chrono::seconds test_limit{30};

/// A running `punie`. The destructor kills it if the test did not end it.
class Program {
public:
    Program(
        std::vector<std::string> arguments, const std::map<std::string, std::string>& environment
    ) {
        arguments.insert(arguments.begin(), PUNIE_BINARY);
        std::array<int, 2> out{};
        std::array<int, 2> err{};
        EXPECT_EQ(::pipe2(out.data(), O_CLOEXEC), 0);
        EXPECT_EQ(::pipe2(err.data(), O_CLOEXEC), 0);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, out[1], 1);
        posix_spawn_file_actions_adddup2(&actions, err[1], 2);
        std::vector<std::string> pairs;
        pairs.reserve(environment.size());
        for (const auto& [name, value] : environment)
            pairs.push_back(fmt::format("{}={}", name, value));
        const auto argv = pointers(arguments);
        const auto envp = pointers(pairs);
        EXPECT_EQ(
            ::posix_spawn(&pid_, PUNIE_BINARY, &actions, nullptr, argv.data(), envp.data()), 0
        );
        posix_spawn_file_actions_destroy(&actions);
        ::close(out[1]);
        ::close(err[1]);
        out_ = out[0];
        err_ = err[0];
    }

    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    ~Program() {
        if (!status_) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        ::close(out_);
        ::close(err_);
    }

    pid_t pid() const { return pid_; }

    void signal(int number) const { ::kill(pid_, number); }

    const std::string& out() const { return out_text_; }

    const std::string& err() const { return err_text_; }

    /// Reads until `condition` holds or both streams ended; false if it never did.
    bool read_until(const std::function<bool()>& condition) {
        const auto end = std::chrono::steady_clock::now() + test_limit;
        bool out_open = true;
        bool err_open = true;
        while (!condition()) {
            if ((!out_open && !err_open) || std::chrono::steady_clock::now() > end)
                return condition();
            std::array<pollfd, 2> watched{
                pollfd{out_open ? out_ : -1, POLLIN, 0}, pollfd{err_open ? err_ : -1, POLLIN, 0}
            };
            ::poll(watched.data(), watched.size(), 200);
            if (watched[0].revents != 0) out_open = read_some(out_, out_text_);
            if (watched[1].revents != 0) err_open = read_some(err_, err_text_);
        }
        return true;
    }

    bool read_until_out_has(const std::string& words) {
        return read_until([&] { return out_text_.find(words) != std::string::npos; });
    }

    /// The exit code, or minus the signal.
    int wait() {
        EXPECT_FALSE(read_until([] { return false; }));
        int status = 0;
        EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
        status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        return *status_;
    }

    /// stdout's lines as JSON; a line that is none fails the test.
    std::vector<json::value> json_lines() const {
        std::vector<json::value> values;
        for (std::size_t at = 0; at < out_text_.size();) {
            const auto end = out_text_.find('\n', at);
            if (end == std::string::npos) break;
            auto value = parse_json(out_text_.substr(at, end - at));
            EXPECT_TRUE(value) << out_text_.substr(at, end - at);
            if (value) values.push_back(*std::move(value));
            at = end + 1;
        }
        return values;
    }

private:
    static std::vector<char*> pointers(std::vector<std::string>& words) {
        std::vector<char*> raw;
        raw.reserve(words.size() + 1);
        for (auto& word : words) raw.push_back(word.data());
        raw.push_back(nullptr);
        return raw;
    }

    static bool read_some(int descriptor, std::string& text) {
        std::array<char, 65536> buffer{};
        const auto count = ::read(descriptor, buffer.data(), buffer.size());
        if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
        return count > 0;
    }

    pid_t pid_ = 0;
    int out_ = -1;
    int err_ = -1;
    std::string out_text_;
    std::string err_text_;
    std::optional<int> status_;
};

class CliFixture : public testing::Test {
protected:
    void SetUp() override {
        auto folder = TemporaryFolder::make("punie-cli-test");
        ASSERT_TRUE(folder);
        folder_.emplace(*std::move(folder));
        fs::create_directory(path() / "bin");
        fs::create_symlink(PUNIE_FAKES_DIR "/fake-model-server", path() / "bin/llama-server");
        std::ofstream(path() / "model.gguf")
            << std::string("GGUF\x03\0\0\0", 8) << std::string(64, '\0');
        environment_ = {
            {"PATH", (path() / "bin").native() + ":/usr/bin:/bin"},
            {"HOME", path().native()},
            {"TERM", "xterm"}
        };
        set_fake("");
    }

    fs::path path() const { return folder_->path(); }

    void set_fake(const std::string& flags) {
        environment_["FAKE_SERVER_ARGS"] = flags +
                                           " --help-file " PUNIE_SOURCE_DIR
                                           "/tests/unit/backend/recorded/llama_server_0.3.36.txt";
    }

    Program punie(std::vector<std::string> arguments) const {
        return {std::move(arguments), environment_};
    }

    /// `punie serve` of the fake, with more arguments.
    std::vector<std::string> serve(std::vector<std::string> more = {}) const {
        std::vector<std::string> arguments = {
            "serve",
            "--backend",
            "llama",
            "--port",
            "0",
            "--model",
            (path() / "model.gguf").native()
        };
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }

    std::optional<TemporaryFolder> folder_;
    std::map<std::string, std::string> environment_;
};

/// The value of `name` in the last JSON line that has state `state`.
inline const json::value* event_with_state(
    const std::vector<json::value>& lines, std::string_view state
) {
    const json::value* found = nullptr;
    for (const auto& line : lines) {
        if (string_member(line, "state") == state) found = &line;
    }
    return found;
}

/// Waits until none of the processes lives; false if one still does after the limit.
inline bool all_gone(const std::vector<pid_t>& pids, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (true) {
        bool any = false;
        for (const auto pid : pids) any = any || process::process_alive(pid);
        if (!any) return true;
        if (std::chrono::steady_clock::now() > end) return false;
        ::poll(nullptr, 0, 5);
    }
}

}  // namespace punie::cli
