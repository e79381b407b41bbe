#pragma once
// How long to wait before a server that died is started again: pure.

#include "base/awaitable.hpp"

namespace punie::server {

/// Exponential with jitter: 0.5 s, 1 s, 2 s ... up to 60 s, each between 75 % and 125 % of that. A
/// server that was ready for at least `healthy` counts as recovered and begins at the shortest
/// again. At most six starts in ten seconds follow.
class Backoff {
public:
    static constexpr Milliseconds shortest{500};
    static constexpr Milliseconds longest{60'000};
    static constexpr Milliseconds healthy{30'000};

    /// The wait after a death that came `ready_for` after ready (0: it never was). `jitter` is 0
    /// to 1.
    Milliseconds after_death(Milliseconds ready_for, double jitter);

    int deaths_in_a_row() const { return deaths_; }

private:
    int deaths_ = 0;
};

}  // namespace punie::server
