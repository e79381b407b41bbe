#pragma once
// A child process that cannot outlive us.
//
// Between Punie and each child stands a guard (`punie-guard`, src/process/guard/): it starts the
// child in the strongest container that the system allows and holds a socket to Punie. When Punie
// dies, however it dies, the socket closes and the guard kills everything that descends from the
// child; when the guard dies, the kernel or its twin does (see docs/orphans.md for what is
// guaranteed where).
//
//   Punie --socket--> punie-guard --(pid namespace | subreaper)--> child --> its children
//
// Output: stdout and stderr share a pipe that is read for ever into an OutputRing and, if asked
// for, a RotatingFile. Thread: a ManagedChild belongs to the executor it was spawned on; `output()`
// may be read from any thread.

#include <punie/error.hpp>

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/awaitable.hpp"
#include "process/output.hpp"

namespace punie::process {

/// How a process ended.
struct ExitStatus {
    std::optional<int> code;    ///< exit code, if it exited
    std::optional<int> signal;  ///< signal number, if a signal ended it

    bool success() const { return code == 0; }

    /// "exit code 2" or "signal 9 (Killed)".
    std::string describe() const;
    friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};

/// What holds the child's descendants together.
enum class Containment {
    pid_namespace,  ///< Linux: the kernel kills all when the namespace's first process dies
    subreaper,     ///< Linux: orphans come to the guard, which kills them; a twin watches the guard
    kqueue_guard,  ///< macOS: process events, process group and a sweep of descendants
};
std::string_view name_of(Containment containment);

/// The strongest containment that this system allows to this user; asked once, by trying.
Containment available_containment();

struct SpawnOptions {
    std::vector<std::string> argv;  ///< argv[0] is looked up in PATH unless it has a slash
    std::map<std::string, std::string> environment;  ///< set beside the inherited ones
    std::vector<std::string> drop_environment;      ///< inherited names that the child must not see
    std::filesystem::path working_folder;           ///< empty: ours
    std::optional<std::filesystem::path> log_file;  ///< rotating copy of the output
    bool events =
        false;  ///< opens a pipe for the child to write lines to; its number is in PUNIE_EVENTS_FD
    std::optional<Containment> containment;  ///< for tests: this level instead of the strongest
};

struct StopReport {
    enum class How { was_not_running, on_request, killed };
    How how = How::was_not_running;
    ExitStatus status;
    Milliseconds took{0};
};

class ManagedChild {
public:
    /// Starts argv under a guard. Returns when the exec succeeded (not when the program is ready
    /// for anything). Errors: program_missing (not found, not executable, its interpreter is
    /// missing), not_found (working folder), io (descriptors or processes exhausted; guard missing:
    /// names where it was looked for).
    static Task<Result<ManagedChild>> spawn(SpawnOptions options);

    ManagedChild(ManagedChild&&) noexcept;
    ManagedChild& operator=(ManagedChild&&) noexcept;
    ManagedChild(const ManagedChild&) = delete;
    ManagedChild& operator=(const ManagedChild&) = delete;
    /// Kills the tree if it still runs (the guard does it; this does not wait).
    ~ManagedChild();

    pid_t pid() const;        ///< of the started program, as seen from here
    pid_t guard_pid() const;  ///< root of the tree for process::descendants and process::tree_usage
    Containment containment() const;

    /// How the started program ended, once it has; nothing while it runs.
    std::optional<ExitStatus> exit_status() const;
    /// Whether anything of the tree still runs.
    bool tree_alive() const;

    /// Waits until the started program ended (its descendants may go on). Any number of waiters;
    /// cancellable.
    Task<ExitStatus> wait_exit();
    /// Waits until nothing of the tree runs and all its output has been read (a descriptor that
    /// escaped the tree gets a grace of 200 ms). Cancellable.
    Task<void> wait_gone();

    void terminate();  ///< SIGTERM, then SIGCONT, to the program's process group
    void interrupt();  ///< SIGINT likewise
    void kill();       ///< SIGKILL to everything that descends from the child

    /// SIGTERM, up to `grace`, then SIGKILL; returns when the tree is empty. Idempotent; concurrent
    /// calls share the stop and the shortest grace wins. When cancelled the tree is killed at once
    /// and the call still waits for its end.
    Task<StopReport> stop(Milliseconds grace);

    const OutputRing& output() const;
    std::shared_ptr<const OutputRing> shared_output() const;

    /// The next line from the events pipe (without its end), nothing at its end. One reader at a
    /// time. Lines over 1 MB are cut. Cancellable.
    Task<std::optional<std::string>> next_event();

private:
    class Impl;
    explicit ManagedChild(std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> impl_;
};

/// A finished short-lived program.
struct Captured {
    ExitStatus status;
    std::string output;  ///< stdout and stderr, in the order of arrival, at most `SpawnOptions`
                         ///< ring size (last bytes)
};

/// Runs a program to its end. Errors: as spawn; timeout (the tree is killed first). Cancellable
/// (kills the tree).
Task<Result<Captured>> run_to_end(SpawnOptions options, Milliseconds limit);

/// The same for callers without an event loop; must not be called from inside one.
Result<Captured> run_to_end_blocking(SpawnOptions options, Milliseconds limit);

/// Full path of `name` in PATH (or of a path that is executable); nothing if there is none.
std::optional<std::filesystem::path> find_program(std::string_view name);

}  // namespace punie::process
