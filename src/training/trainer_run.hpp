#pragma once
// One trainer under observation, from its start to the end of everything it started.
//
//   spawn -> events (pipe) and printed text (ring) -> Measurement
//         -> a sample of the process tree's memory every 200 ms
//         -> ends by itself, or is stopped: asked to, plainly too slow, nothing happens any more
//
// Who waits for whom: `run_trainer` owns two coroutines (reader of events, sampler) and returns
// after both have ended and the tree is empty. Thread: all on the executor of the caller.

#include <punie/training_benchmark.hpp>

#include <functional>
#include <string>
#include <vector>

#include "base/awaitable.hpp"
#include "process/child.hpp"
#include "training/measurement.hpp"

namespace punie::training {

struct TrainerRun {
    process::SpawnOptions spawn;  ///< `events` is set by run_trainer
    std::string model_path;       ///< for messages
    int iterations = 0;           ///< asked for
    bool validation = true;
    bool stop_when_too_slow = true;
    Milliseconds stop_grace{2'000};  ///< from SIGTERM to SIGKILL
    /// A trainer that neither reports nor prints nor uses the processor for so long hangs. Long: a
    /// GPU's iteration of many minutes leaves the processor idle.
    Milliseconds silence_limit{15 * 60'000};
    std::function<void(const BenchmarkProgress&)> on_progress;
};

struct TrainerOutcome {
    Measurement measurement;
    double seconds = 0;  ///< from the start to the end of the tree
    double tree_peak_gb = 0;
    bool stopped_early = false;
    std::uint64_t bad_event_lines = 0;
};

/// Errors: as ManagedChild::spawn; those of explain_trainer_exit; timeout (silence); protocol (it
/// ended well but reported no iteration); cancelled. Cancellable (terminal): the tree is stopped
/// first.
Task<Result<TrainerOutcome>> run_trainer(TrainerRun run);

}  // namespace punie::training
