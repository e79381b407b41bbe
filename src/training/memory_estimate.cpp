#include "training/memory_estimate.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace punie::training {

namespace {

// Fitted to SmolLM2-135M and a synthetic Llama shape; docs/memory-model.md has the measurements.
constexpr double logits_copies = 4.45;  // float logits, their softmax and gradient at the loss
constexpr double map_in_layer = 1.1;    // of a layer's attention map kept for the backward pass
constexpr double map_copies = 3.35;     // of one map while its layer is differentiated
constexpr double adapter_bytes = 4;     // adapters are float32 whatever the model
constexpr double training_copies = 4;   // weight, gradient, two Adam moments

/// The N of "model.layers.N.self_attn.q_proj".
std::optional<std::int64_t> layer_of(std::string_view tensor) {
    constexpr std::string_view marker = "layers.";
    const auto at = tensor.find(marker);
    if (at == std::string_view::npos) return std::nullopt;
    const auto* first = tensor.data() + at + marker.size();
    const auto* last = tensor.data() + tensor.size();
    std::int64_t layer = 0;
    const auto [end, error] = std::from_chars(first, last, layer);
    if (error != std::errc{} || end == last || *end != '.') return std::nullopt;
    return layer;
}

bool is_trained(
    std::string_view tensor, const backend::ModelInfo& model, const Settings& settings
) {
    const auto layer = layer_of(tensor);
    return layer && *layer >= model.layers - settings.layers;
}

/// Bytes of one number of the activations.
double activation_bytes(const backend::ModelInfo& model) {
    return model.activation_dtype == "F32" ? 4 : 2;
}

bool is_float(const std::string& dtype) {
    return dtype == "F32" || dtype == "F16" || dtype == "BF16";
}

/// Weights of `full`: MLX freezes quantised weights with their scales, so only the plain tensors of
/// a layer are trained.
double plain_bytes(const backend::ModelInfo& model, const Settings& settings) {
    double bytes = 0;
    for (const auto& [name, tensor] : model.tensors) {
        if (!is_float(tensor.dtype) || !is_trained(name, model, settings)) continue;
        const auto base = std::string_view(name).substr(0, name.rfind('.') + 1);
        const bool quantised = model.tensors.contains(std::string(base) + "scales");
        if (!quantised) bytes += static_cast<double>(tensor.bytes);
    }
    return bytes;
}

double trainable_bytes(const backend::ModelInfo& model, const Settings& settings) {
    if (settings.kind != FineTune::full) {
        return trained_parameters(model, settings) * adapter_bytes * training_copies;
    }
    return plain_bytes(model, settings) *
           (training_copies - 1);  // the weights themselves are the model's
}

/// What DoRA keeps beside LoRA, bytes over all trained layers.
struct DoraExtra {
    double unpacked = 0;  ///< quantised weights as plain numbers: multiplied and normed; held with
                          ///< checkpointing, too
    double outputs = 0;   ///< each linear's output before its magnitude
};

DoraExtra dora_extra(const backend::ModelInfo& model, const Settings& settings, double tokens) {
    DoraExtra extra;
    if (settings.kind != FineTune::dora) return extra;
    const double bytes = activation_bytes(model);
    for (const auto& [name, shape] : backend::linears(model)) {
        if (!is_trained(name, model, settings)) continue;
        const auto inputs = static_cast<double>(shape.first);
        const auto outputs = static_cast<double>(shape.second);
        extra.outputs += tokens * outputs * bytes;
        if (model.tensors.contains(name + ".scales")) extra.unpacked += inputs * outputs * bytes;
    }
    return extra;
}

}  // namespace

double trained_parameters(const backend::ModelInfo& model, const Settings& settings) {
    if (settings.kind == FineTune::full) {
        return plain_bytes(model, settings) / activation_bytes(model);
    }
    double count = 0;
    for (const auto& [name, shape] : backend::linears(model)) {
        if (!is_trained(name, model, settings)) continue;
        const auto inputs = static_cast<double>(shape.first);
        const auto outputs = static_cast<double>(shape.second);
        count += settings.rank * (inputs + outputs);
        if (settings.kind == FineTune::dora) count += outputs;  // the magnitude of each output
    }
    return count;
}

double parameters(const backend::ModelInfo& model) {
    double count = 0;
    for (const auto& [name, shape] : backend::linears(model)) {
        if (!layer_of(name)) continue;
        count += static_cast<double>(shape.first) * static_cast<double>(shape.second);
    }
    const auto embeddings =
        static_cast<double>(model.vocab_size) * static_cast<double>(model.hidden_size);
    return count + embeddings * (model.tied_embeddings ? 1 : 2);
}

MemoryEstimate estimate_memory(const backend::ModelInfo& model, const Settings& settings) {
    const auto real = [](std::int64_t value) { return static_cast<double>(value); };
    const double length = real(padded_length(settings.sequence, settings.sequence));
    const double tokens = settings.batch_size * length;
    const double bytes = activation_bytes(model);
    const double map = settings.batch_size * real(model.attention_heads) * length * length * bytes;
    const double widths = 6 * real(model.hidden_size) + 4 * real(model.intermediate_size) +
                          2 * real(model.kv_heads * model.head_dim);
    const auto dora = dora_extra(model, settings, tokens);
    const double layer =
        tokens * bytes * widths + map_in_layer * map + dora.outputs / std::max(1, settings.layers);
    // All that checkpointing keeps of a layer.
    const double inputs = tokens * real(model.hidden_size) * bytes;

    MemoryEstimate estimate;
    estimate.weights = real(static_cast<std::int64_t>(model.weight_bytes));
    estimate.trainable = trainable_bytes(model, settings);
    estimate.activations =
        settings.layers * (settings.grad_checkpoint ? inputs : layer) + dora.unpacked;
    estimate.logits = logits_copies * tokens * real(model.vocab_size) * bytes;
    estimate.attention = map_copies * map + (settings.grad_checkpoint ? layer : 0);
    estimate.peak = estimate.weights + estimate.trainable + estimate.activations +
                    std::max(estimate.logits, estimate.attention);
    return estimate;
}

}  // namespace punie::training
