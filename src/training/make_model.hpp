#pragma once
// New models from old ones by mlx_lm: an adapter fused into its base, a model with fewer bits.

#include <punie/error.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace punie::training {

struct MakeCalls {
    std::function<void(const std::string& phase, double seconds)> on_progress{};  ///< once a second
};

struct FuseOptions {
    std::string model;              ///< folder or hub name
    std::filesystem::path adapter;  ///< folder
    std::filesystem::path out;      ///< folder that it makes
    bool dequantise = false;        ///< of a quantised base: the fused model has full width
    bool overwrite = false;
    bool force = false;  ///< although the disk seems too small
    bool check = true;   ///< replays prompts through adapter and fused model
    std::string mlx_lm;
};

struct QuantiseOptions {
    std::string model;
    std::filesystem::path out;
    int bits = 4;         ///< 4, 5, 6 or 8
    int group_size = 64;  ///< weights that share a scale; must divide the width of every layer
    bool overwrite = false;
    bool force = false;
    std::string mlx_lm;
};

/// How far apart the next-token distributions of two models are over all places of a few prompts:
/// root of the mean squared difference of log-probabilities, weighted by probability (nats), so
/// that tokens which neither model would choose do not count. `largest` is of a probability.
struct FuseCheck {
    int prompts = 0;
    int agree = 0;  ///< prompts after which the likeliest token is the same
    double adapter_to_fused = 0;
    double adapter_to_base = 0;
    double fused_to_base = 0;
    double largest = 0;  ///< difference of a probability between adapter and fused
};

struct MadeModel {
    std::filesystem::path folder;
    std::uint64_t bytes_before = 0;  ///< of the weights
    std::uint64_t bytes = 0;
    double bits_per_weight = 0;  ///< of quantise: as mlx_lm says; 0: not said
    double seconds = 0;
    std::optional<FuseCheck> check;
    std::vector<std::string> notes;
    std::string mlx_lm_version;
};

/// Written beside `out` and renamed into place: a half-made model is never taken for a whole one.
/// With `overwrite` the model that was there is kept until then. Errors: invalid_argument (out is
/// there already), not_found, model_invalid, adapter_mismatch, disk_full (before the start, with
/// the numbers), state (the fused model has lost the adapter, or answers otherwise than the
/// adapter), program_missing, exited, cancelled.
Result<MadeModel> fuse_model(
    const FuseOptions& options, const MakeCalls& calls, std::stop_token stop
);

/// Errors: as fuse_model; invalid_argument also for widths that mlx_lm does not have and a group
/// size that does not divide a layer while another would divide all (names both). mlx_lm leaves
/// such a layer as it is without a word; where no size divides all it is in the notes.
Result<MadeModel> quantise_model(
    const QuantiseOptions& options, const MakeCalls& calls, std::stop_token stop
);

/// Whether the check says that the fused model is what base and adapter are: nearer to them than
/// half of what the adapter changes, or as near as rounding allows. Pure. Errors: state.
Result<void> judge_fuse(const FuseCheck& check);

json::object to_json(const MadeModel& made);

}  // namespace punie::training
