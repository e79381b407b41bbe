#include "process/launch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <mutex>

#include "base/files.hpp"
#include "process/guard_location.hpp"
#include "process/pipes.hpp"

// NOLINTNEXTLINE(readability-redundant-declaration): glibc declares it, macOS does not
extern char** environ;

namespace punie::process {

namespace {

constexpr const char* descriptors_hint =
    "the limit of open files is reached: raise it with `ulimit -n`, or run fewer servers at once";
constexpr const char* processes_hint =
    "the limit of processes is reached: raise it with `ulimit -u`, or end some programs";

Error system_error(int error_number, std::string_view what) {
    auto error = errno_error(error_number, what);
    if (error_number == EMFILE || error_number == ENFILE)
        return std::move(error).with_hint(descriptors_hint);
    if (error_number == EAGAIN) return std::move(error).with_hint(processes_hint);
    return error;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
    std::vector<char*> result;
    result.reserve(strings.size() + 1);
    // exec and posix_spawn take char* for historical reasons and do not write to it.
    for (const auto& text : strings) result.push_back(const_cast<char*>(text.c_str()));
    result.push_back(nullptr);
    return result;
}

/// What the guard gets, by number.
struct Given {
    int socket;
    int output;
    int events;
};

/// posix_spawn's two argument objects, freed together.
class SpawnArguments {
public:
    SpawnArguments() {
        posix_spawn_file_actions_init(&actions_);
        posix_spawnattr_init(&attributes_);
    }

    SpawnArguments(const SpawnArguments&) = delete;
    SpawnArguments& operator=(const SpawnArguments&) = delete;

    ~SpawnArguments() {
        posix_spawn_file_actions_destroy(&actions_);
        posix_spawnattr_destroy(&attributes_);
    }

    /// A session of its own (no terminal's signals), default signals, and only the descriptors of
    /// `given`.
    void set(const Given& given) {
        for (int fd = 0; fd < 3; ++fd)
            posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", O_RDWR, 0);
        posix_spawn_file_actions_adddup2(&actions_, given.socket, guard::socket_fd);
        posix_spawn_file_actions_adddup2(&actions_, given.output, guard::output_fd);
        if (given.events >= 0)
            posix_spawn_file_actions_adddup2(&actions_, given.events, guard::events_fd);
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setsigdefault(&attributes_, &all);
        posix_spawnattr_setflags(
            &attributes_,
            static_cast<short>(
                POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                spawn_extra_flags
            )
        );
    }

    Result<pid_t> spawn(
        const std::filesystem::path& file, std::vector<char*> argv, std::vector<char*> environment
    ) {
        pid_t pid = 0;
        const int error = posix_spawn(
            &pid, file.c_str(), &actions_, &attributes_, argv.data(), environment.data()
        );
        if (error == E2BIG) {
            return fail(
                ErrorCode::io, "the command line and the environment are too long for this system"
            );
        }
        if (error != 0)
            return std::unexpected(
                system_error(error, fmt::format("cannot start {}", file.native()))
            );
        return pid;
    }

private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

std::mutex leftover_mutex;
std::vector<pid_t> leftovers;  // guarded by leftover_mutex

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

Descriptor::~Descriptor() {
    if (number_ >= 0) ::close(number_);
}

Result<Launched> launch(const Program& program, bool events, Containment containment) {
    reap_leftovers();
    const auto guard_path = find_guard();
    if (!guard_path) return std::unexpected(guard_path.error());
    auto lines = make_lines(events);
    if (!lines) {
        return std::unexpected(
            system_error(lines.error(), fmt::format("cannot start {}", program.path.native()))
        );
    }
    std::vector<std::string> words = {
        guard_path->native(),
        "run",
        std::string(name_of(containment)),
        fmt::format("{}", ::getpid()),
        events ? "1" : "0",
        program.folder.native(),
        program.path.native()
    };
    words.insert(words.end(), program.argv.begin(), program.argv.end());
    SpawnArguments arguments;
    arguments.set({lines->guard_socket.get(), lines->guard_output.get(), lines->guard_events.get()}
    );
    const auto pid = arguments.spawn(*guard_path, pointers(words), pointers(program.environment));
    if (!pid) return std::unexpected(pid.error());
    return Launched{
        .guard = *pid,
        .socket = std::move(lines->socket),
        .output = std::move(lines->output),
        .events = std::move(lines->events)
    };
}

void reap_leftovers() {
    const std::scoped_lock lock(leftover_mutex);
    std::erase_if(leftovers, [](pid_t pid) {
        const pid_t result = ::waitpid(pid, nullptr, WNOHANG);
        return result == pid || (result < 0 && errno == ECHILD);
    });
}

void reap_guard(pid_t guard, bool ended) {
    // An ended guard has closed its socket on the way out: it is a zombie in microseconds.
    pid_t result = -1;
    while ((result = ::waitpid(guard, nullptr, ended ? 0 : WNOHANG)) < 0 && errno == EINTR) {
    }
    if (result != 0) return;
    const std::scoped_lock lock(leftover_mutex);
    leftovers.push_back(guard);
}

}  // namespace punie::process
