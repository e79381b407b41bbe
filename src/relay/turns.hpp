#pragma once
// One connection that always has data must not keep the others waiting.

#include <cstddef>

#include "base/awaitable.hpp"

namespace punie::relay {

/// Counts what was done without a wait.
class Turns {
public:
    /// True when it is time to let others run: about a millisecond of passing bytes on.
    bool over(std::size_t bytes) {
        done_ += bytes;
        if (done_ < most) return false;
        done_ = 0;
        return true;
    }

private:
    static constexpr std::size_t most = 256UL << 10U;
    std::size_t done_ = 0;
};

/// Goes behind everything else that can run now.
Task<void> let_others_run();

}  // namespace punie::relay
