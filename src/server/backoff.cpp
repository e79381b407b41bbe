#include "server/backoff.hpp"

#include <algorithm>

namespace punie::server {

Milliseconds Backoff::after_death(Milliseconds ready_for, double jitter) {
    if (ready_for >= healthy) deaths_ = 0;
    const auto doublings = std::min(deaths_++, 10);
    const auto base = std::min(shortest * (1 << doublings), longest);
    const double factor = 0.75 + 0.5 * std::clamp(jitter, 0.0, 1.0);
    return Milliseconds(static_cast<Milliseconds::rep>(static_cast<double>(base.count()) * factor));
}

}  // namespace punie::server
