#pragma once
// Who must go so that a model fits: pure.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/awaitable.hpp"
#include "fleet/gateway_config.hpp"

namespace punie::fleet {

/// A model that holds memory, will hold it soon (`claimed`) or gives it back (`leaving`).
struct Occupant {
    std::string name;
    std::uint64_t bytes = 0;
    bool pinned = false;
    bool leaving = false;
    bool claimed = false;    ///< memory is kept for it, it does not run yet
    bool idle = true;        ///< nobody uses it or waits for it
    SteadyTime last_used{};  ///< the least recent goes first
    SteadyTime may_leave{};  ///< for this newcomer
};

/// A model that wants to be loaded.
struct Newcomer {
    std::string name;
    std::optional<std::uint64_t> bytes{};  ///< nothing: not known; it is then loaded alone
    bool pinned = false;
};

struct RoomPlan {
    enum class Kind {
        fits,   ///< `victims` (perhaps none) may leave now; then it fits
        later,  ///< not before `at` (SteadyTime::max(): when something changes)
        never,  ///< pinned models, or its size alone
    };
    Kind kind = Kind::fits;
    std::vector<std::string> victims{};  ///< of `later` too: who would leave
    std::uint64_t bytes = 0;             ///< to be kept for it
    SteadyTime at = SteadyTime::max();
    std::string why{};  ///< of `never` and `later`, with the numbers
};

/// Whether two models may not be loaded together.
bool conflict(const std::vector<Group>& groups, const Newcomer& newcomer, const Occupant& other);

/// The least recently used idle models first, then used ones; no more than are needed. What leaves
/// already counts as gone, what is claimed as there.
RoomPlan plan_room(
    const Newcomer& newcomer,
    const std::vector<Occupant>& occupants,
    std::uint64_t budget,
    const std::vector<Group>& groups,
    SteadyTime now
);

/// Whether it may start now: everything that still runs counts, leaving or not.
bool has_room_now(
    const Newcomer& newcomer,
    const std::vector<Occupant>& occupants,
    std::uint64_t budget,
    const std::vector<Group>& groups
);

}  // namespace punie::fleet
