#pragma once
// How much memory a training takes, before it starts. docs/memory-model.md derives the formula and
// compares it with MLX's own peak; here it is in short:
//
//   weights + trainable (weight, gradient, two Adam moments) + the larger of two moments of a step:
//     the loss:      activations held for the backward pass + several copies of the logits
//     the attention: activations held + several copies of one layer's attention map
//
// The logits are a third to three quarters of the peak of a small model with a large vocabulary.

#include <cstdint>

#include "backend/model_files.hpp"
#include "training/settings.hpp"

namespace punie::training {

/// Bytes. `peak` is what mx.get_peak_memory() is expected to say.
struct MemoryEstimate {
    double weights = 0;      ///< all tensors of the model
    double trainable = 0;    ///< weights that training adds, gradients and optimiser moments
    double activations = 0;  ///< held for the backward pass
    double logits = 0;       ///< copies of the logits at the loss
    double attention = 0;    ///< copies of an attention map in a backward step
    double peak = 0;
};

/// Pure. Mixture-of-experts models are counted as if only their dense layers had activations (too
/// low).
MemoryEstimate estimate_memory(const backend::ModelInfo& model, const Settings& settings);

/// Number of trained parameters: rank * (inputs + outputs) of every linear of the last layers; of
/// `full` what is not quantised in them.
double trained_parameters(const backend::ModelInfo& model, const Settings& settings);

/// Parameters of the model, quantised ones unpacked.
double parameters(const backend::ModelInfo& model);

}  // namespace punie::training
