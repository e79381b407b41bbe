#pragma once
// Which runs may go. Decides only; the caller removes.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "journal/journal.hpp"

namespace punie::journal {

/// All rules that are given must hold for a run to go. An experiment and the runs of its stages go
/// or stay together, by the experiment's state and start.
struct PruneRules {
    std::optional<std::size_t> keep;   ///< not among so many newest
    std::optional<double> older_than;  ///< started more seconds ago than this
    bool failed = false;               ///< failed, interrupted or died
    bool force = false;                ///< the baseline and runs with notes too
};

struct PrunePlan {
    struct Spared {
        Run run;
        std::string why;  ///< "has a note", "is the baseline", "is running"
    };

    std::vector<Run> remove;     ///< newest first
    std::vector<Spared> spared;  ///< the rules hold for them, but they are protected
};

/// `runs` newest first, as Journal::list gives them. A run whose process lives never goes.
PrunePlan plan_prune(
    const std::vector<Run>& runs, const PruneRules& rules, std::string_view baseline, double now
);

}  // namespace punie::journal
