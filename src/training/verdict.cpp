#include "training/verdict.hpp"

#include <algorithm>

namespace punie {

std::string_view name_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::excellent:
            return "excellent";
        case Verdict::acceptable:
            return "acceptable";
        case Verdict::slow:
            return "slow";
        case Verdict::too_slow:
            return "too slow";
    }
    return "too slow";
}

Verdict verdict_for(double seconds_per_iteration) {
    if (seconds_per_iteration <= training::excellent_up_to) return Verdict::excellent;
    if (seconds_per_iteration <= training::acceptable_up_to) return Verdict::acceptable;
    if (seconds_per_iteration <= training::slow_up_to) return Verdict::slow;
    return Verdict::too_slow;  // a figure that is no number, too
}

namespace training {

namespace {

constexpr int steps_per_eval = 200;  // mlx_lm's defaults
constexpr int save_every = 100;

}  // namespace

bool plainly_too_slow(std::span<const double> steady_seconds) {
    constexpr double margin_of_one = 1.5;
    if (steady_seconds.empty()) return false;
    if (steady_seconds.size() == 1) return steady_seconds.front() > slow_up_to * margin_of_one;
    return std::ranges::all_of(steady_seconds, [](double seconds) { return seconds > slow_up_to; });
}

int validation_passes(int iterations) {
    if (iterations < 1) return 0;
    if (iterations == 1) return 1;
    const bool last_is_regular = iterations % steps_per_eval == 0;
    return 1 + iterations / steps_per_eval + (last_is_regular ? 0 : 1);
}

double projected_seconds(const Pace& pace, int iterations) {
    if (iterations < 1) return 0;
    const int files = 2 * (iterations / save_every) + 1;
    return pace.load + pace.first_iteration + (iterations - 1) * pace.iteration +
           validation_passes(iterations) * pace.validation_pass + files * pace.checkpoint;
}

}  // namespace training

}  // namespace punie
