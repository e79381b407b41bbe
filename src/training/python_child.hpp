#pragma once
// One Python child that reports on the events pipe, from its start until nothing of it runs.
//
//   spawn -> lines of the pipe -> on_event
//         -> once a second: on_beat, the tree's memory, a look whether anything happens at all
//         -> ends by itself | is asked to stop (SIGTERM, grace, SIGKILL) | hangs (likewise)
//
// `run_python` owns three coroutines (reader, pulse, waiter) and returns after all have ended and
// the tree is empty. Thread: all on the executor of the caller.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/awaitable.hpp"
#include "process/child.hpp"

namespace punie::training {

struct PythonRun {
    process::SpawnOptions spawn;  ///< `events` is set by run_python
    /// From SIGTERM to SIGKILL, asked when it comes to that.
    std::function<Milliseconds()> stop_grace;
    /// A child that neither reports nor prints nor uses the processor for so long hangs. Long: a
    /// GPU's iteration of many minutes leaves the processor idle.
    Milliseconds silence_limit{15 * 60'000};
    std::function<void(std::string_view line)> on_event;
    std::function<void()> on_beat;      ///< once a second
    std::function<void()> on_stopping;  ///< it was asked to stop
};

struct PythonEnd {
    enum class Why { exited, stopped, hung };
    Why why = Why::exited;
    process::ExitStatus status;
    bool killed = false;                 ///< it did not end within the grace
    std::vector<std::string> log_lines;  ///< the last ones, oldest first
    double seconds = 0;
    double tree_peak_gb = 0;
};

/// Errors: those of ManagedChild::spawn; cancelled (before it ran). A cancellation (terminal) while
/// it runs asks the child to stop; the end then says `stopped`.
Task<Result<PythonEnd>> run_python(PythonRun run);

}  // namespace punie::training
