#pragma once
// What a measured speed means: the verdict, how long a real training would take, whether to go on
// measuring. Pure.

#include <punie/training_benchmark.hpp>

#include <span>

namespace punie::training {

/// Upper bounds in seconds an iteration, inclusive.
inline constexpr double excellent_up_to = 5;
inline constexpr double acceptable_up_to = 30;
inline constexpr double slow_up_to = 60;

/// Whether it is plain that the verdict will be "too slow", from the iterations after the first.
/// The second one still compiles a little (the optimiser's state exists from then on), so alone it
/// must be half as slow again as the limit; from two on it is enough that all are over it.
bool plainly_too_slow(std::span<const double> steady_seconds);

/// What a training of any length consists of, in seconds.
struct Pace {
    double load = 0;
    double first_iteration = 0;
    double iteration = 0;        ///< each further one
    double validation_pass = 0;  ///< over as many batches as mlx_lm's default takes
    double checkpoint = 0;       ///< one adapter file
};

/// Time of a training with `iterations`, as `mlx_lm lora` does it by default: validation at the
/// first, each 200th and the last iteration, two files each 100 iterations and one at the end.
double projected_seconds(const Pace& pace, int iterations);

/// Validation passes of such a training.
int validation_passes(int iterations);

}  // namespace punie::training
