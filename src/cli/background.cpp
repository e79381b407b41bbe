#include "cli/background.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <chrono>
#include <optional>

#include "base/files.hpp"
#include "base/text.hpp"
#include "cli/control_client.hpp"
#include "gateway/control_json.hpp"
#include "gateway/control_place.hpp"
#include "process/system.hpp"

namespace punie::cli {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int look_again_ms = 20;

/// One `punie up` at a time for one socket: two would both find nobody there.
class StartLock {
public:
    static Result<StartLock> take(const fs::path& socket) {
        const auto file = socket.native() + ".lock";
        StartLock lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        if (lock.descriptor_ < 0)
            return std::unexpected(errno_error(errno, fmt::format("cannot write {}", file)));
        if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) == 0) return lock;
        return fail(ErrorCode::state, "another punie up is starting the gateway just now");
    }

    StartLock(StartLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

    StartLock(const StartLock&) = delete;
    StartLock& operator=(const StartLock&) = delete;
    StartLock& operator=(StartLock&&) = delete;

    ~StartLock() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

private:
    explicit StartLock(int descriptor) : descriptor_(descriptor) {}

    int descriptor_;
};

/// PUNIE_CONTROL_SOCKET is the only thing that differs from our own environment.
std::vector<std::string> environment_with(const fs::path& socket) {
    std::vector<std::string> pairs{"PUNIE_CONTROL_SOCKET=" + socket.native()};
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view pair = *entry;
        if (!pair.starts_with("PUNIE_CONTROL_SOCKET=")) pairs.emplace_back(pair);
    }
    return pairs;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> raw;
    raw.reserve(words.size() + 1);
    for (auto& word : words) raw.push_back(word.data());
    raw.push_back(nullptr);
    return raw;
}

/// A session of its own: no terminal, no Ctrl-C and no SIGHUP of ours reaches it.
Result<pid_t> spawn_apart(const BackgroundOptions& options) {
    auto arguments = options.arguments;
    const auto program = process::executable_path();
    arguments.insert(arguments.begin(), program);
    auto environment = environment_with(options.socket);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(
        &actions, 1, options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600
    );
    ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
    sigset_t usual;
    ::sigemptyset(&usual);
    ::posix_spawnattr_setsigmask(&attributes, &usual);
    ::sigaddset(&usual, SIGPIPE);
    ::sigaddset(&usual, SIGINT);
    ::sigaddset(&usual, SIGHUP);
    ::posix_spawnattr_setsigdefault(&attributes, &usual);
    ::posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    );
    pid_t pid = 0;
    const auto argv = pointers(arguments);
    const auto envp = pointers(environment);
    const int failed =
        ::posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(), envp.data());
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    if (failed != 0)
        return std::unexpected(errno_error(failed, fmt::format("cannot start {}", program)));
    return pid;
}

/// What it has printed since `offset`.
std::vector<std::string> printed_since(const fs::path& log, std::uintmax_t offset) {
    const auto text = read_text(log);
    if (!text || text->size() <= offset) return {};
    return split_lines(std::string_view(*text).substr(offset));
}

std::string dashboard_in(const std::vector<std::string>& lines) {
    for (const auto& line : lines) {
        const auto text = trim(line);
        if (text.starts_with("dashboard") && text.contains("http"))
            return std::string(text.substr(text.find("http")));
    }
    return "";
}

std::string status_words(int status) {
    if (WIFSIGNALED(status)) return fmt::format("signal {}", WTERMSIG(status));
    return fmt::format("exit code {}", WEXITSTATUS(status));
}

Error ended_early(int status, const std::vector<std::string>& lines) {
    constexpr std::size_t shown = 20;
    std::vector<std::string> tail;
    for (std::size_t i = lines.size() > shown ? lines.size() - shown : 0; i < lines.size(); ++i)
        tail.push_back(printable(lines[i]));
    return Error(
               ErrorCode::exited,
               fmt::format("the gateway ended before it listened ({})", status_words(status))
    )
        .with_log(std::move(tail))
        .with_exit_status(status_words(status));
}

void stop_child(pid_t pid) {
    constexpr std::chrono::seconds grace{10};
    ::kill(pid, SIGTERM);
    const auto end = Clock::now() + grace;
    while (::waitpid(pid, nullptr, WNOHANG) == 0) {
        if (Clock::now() > end) ::kill(pid, SIGKILL);  // the guards end its servers
        ::poll(nullptr, 0, look_again_ms);
    }
}

/// Until it answers at the socket, by its own pid.
Result<void> wait_for_answer(
    pid_t pid, const BackgroundOptions& options, std::uintmax_t offset, const std::stop_token& stop
) {
    const ControlClient client(options.socket);
    const auto end = Clock::now() + options.limit;
    while (true) {
        int status = 0;
        if (::waitpid(pid, &status, WNOHANG) == pid)
            return std::unexpected(ended_early(status, printed_since(options.log, offset)));
        if (const auto answers = client.running_pid(); answers && *answers == pid) return {};
        if (stop.stop_requested()) {
            stop_child(pid);
            return fail(ErrorCode::cancelled, "the start was interrupted; nothing runs");
        }
        if (Clock::now() > end) {
            stop_child(pid);
            return fail(
                ErrorCode::timeout,
                fmt::format(
                    "the gateway did not answer at {} within {}; it was stopped again",
                    options.socket.native(),
                    human_duration(options.limit)
                ),
                fmt::format("its log: {}", options.log.native())
            );
        }
        ::poll(nullptr, 0, look_again_ms);
    }
}

void write_record(pid_t pid, const BackgroundOptions& options) {
    json::array arguments;
    arguments.reserve(options.arguments.size());
    for (const auto& argument : options.arguments) arguments.emplace_back(argument);
    // For people and scripts; the gateway itself is found by its socket.
    (void)write_atomic(
        record_of(options.socket),
        to_text(json::object{
            {"pid", pid},
            {"arguments", std::move(arguments)},
            {"log", options.log.native()},
            {"started", gateway::iso_time(std::chrono::system_clock::now())}
        }) + "\n"
    );
}

}  // namespace

fs::path record_of(const fs::path& socket) {
    return socket.parent_path() / (socket.stem().native() + ".json");
}

Result<Background> start_background(const BackgroundOptions& options, const std::stop_token& stop) {
    if (auto made = gateway::prepare_control_folder(options.socket); !made)
        return std::unexpected(made.error());
    const auto lock = StartLock::take(options.socket);
    if (!lock) return std::unexpected(lock.error());
    if (const auto pid = ControlClient(options.socket).running_pid()) {
        return fail(
            ErrorCode::state,
            fmt::format("a gateway runs already, pid {}, at {}", *pid, options.socket.native()),
            "punie down stops it; --socket PATH starts another one beside it"
        );
    }
    std::error_code none;
    fs::create_directories(options.log.parent_path(), none);  // posix_spawn says what is wrong
    const auto size = fs::file_size(options.log, none);
    const std::uintmax_t offset = none ? 0 : size;
    const auto pid = spawn_apart(options);
    if (!pid) return std::unexpected(pid.error());
    if (auto answered = wait_for_answer(*pid, options, offset, stop); !answered)
        return std::unexpected(answered.error());
    write_record(*pid, options);
    return Background{*pid, dashboard_in(printed_since(options.log, offset))};
}

bool wait_gone(pid_t pid, std::chrono::milliseconds limit, const std::stop_token& stop) {
    const auto end = Clock::now() + limit;
    while (process::process_alive(pid)) {
        if (Clock::now() > end || stop.stop_requested()) return false;
        ::poll(nullptr, 0, look_again_ms);
    }
    return true;
}

}  // namespace punie::cli
