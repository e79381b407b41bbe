#pragma once
// New models from old ones by mlx_lm: an adapter fused into its base, a model with fewer bits. What
// they take and give is in <punie/training.hpp>.

#include <punie/training.hpp>

#include "base/json.hpp"

namespace punie::training {

using punie::fuse_model;
using punie::FuseCheck;
using punie::FuseOptions;
using punie::MadeModel;
using punie::MakeCalls;
using punie::quantise_model;
using punie::QuantiseOptions;

/// Whether the check says that the fused model is what base and adapter are: nearer to them than
/// half of what the adapter changes, or as near as rounding allows. Pure. Errors: state.
Result<void> judge_fuse(const FuseCheck& check);

json::object to_json(const MadeModel& made);

}  // namespace punie::training
