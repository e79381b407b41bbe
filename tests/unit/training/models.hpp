#pragma once
// Descriptions of models as backend::read_model gives them, without files.

#include <string>

#include "backend/model_files.hpp"

namespace punie::training::test {

struct Shape {
    std::string model_type = "llama";
    std::int64_t hidden = 576;
    std::int64_t intermediate = 1536;
    std::int64_t layers = 30;
    std::int64_t heads = 9;
    std::int64_t kv_heads = 3;
    std::int64_t vocab = 49152;
    int layer_bits = 4;      ///< 0: not quantised
    int embedding_bits = 8;  ///< 0: not quantised
    int group = 32;
    std::string dtype = "F32";
};

inline std::uint64_t size_of(const std::string& dtype) {
    return dtype == "F32" || dtype == "U32" ? 4 : 2;
}

inline void add_tensor(
    backend::ModelInfo& model,
    const std::string& name,
    const std::string& dtype,
    std::vector<std::int64_t> shape
) {
    std::uint64_t bytes = size_of(dtype);
    for (const auto side : shape) bytes *= static_cast<std::uint64_t>(side);
    model.weight_bytes += bytes;
    model.tensors[name] = {.dtype = dtype, .shape = std::move(shape), .bytes = bytes};
}

/// A linear as MLX stores it: quantised weights packed into 32-bit words, with scales and biases a
/// group.
inline void add_linear(
    backend::ModelInfo& model,
    const Shape& shape,
    const std::string& name,
    int bits,
    std::int64_t in,
    std::int64_t out
) {
    if (bits == 0) return add_tensor(model, name + ".weight", shape.dtype, {out, in});
    add_tensor(model, name + ".weight", "U32", {out, in * bits / 32});
    add_tensor(model, name + ".scales", shape.dtype, {out, in / shape.group});
    add_tensor(model, name + ".biases", shape.dtype, {out, in / shape.group});
}

/// A Llama-shaped model with tied embeddings; by default SmolLM2-135M as python/make_smollm2.py
/// makes it.
inline backend::ModelInfo model_of(const Shape& shape = {}) {
    backend::ModelInfo model;
    model.model_type = shape.model_type;
    model.hidden_size = shape.hidden;
    model.intermediate_size = shape.intermediate;
    model.layers = shape.layers;
    model.attention_heads = shape.heads;
    model.kv_heads = shape.kv_heads;
    model.head_dim = shape.hidden / shape.heads;
    model.vocab_size = shape.vocab;
    model.tied_embeddings = true;
    if (shape.layer_bits > 0) {
        model.quantization_bits = shape.layer_bits;
        model.layer_bits["model.embed_tokens"] = shape.embedding_bits;
    }
    model.activation_dtype = shape.dtype;
    add_linear(model, shape, "model.embed_tokens", shape.embedding_bits, shape.hidden, shape.vocab);
    const auto kv = model.kv_heads * model.head_dim;
    for (std::int64_t i = 0; i < shape.layers; ++i) {
        const auto at = "model.layers." + std::to_string(i) + ".";
        const auto linear = [&](const char* name, std::int64_t in, std::int64_t out) {
            add_linear(model, shape, at + name, shape.layer_bits, in, out);
        };
        linear("self_attn.q_proj", shape.hidden, shape.hidden);
        linear("self_attn.k_proj", shape.hidden, kv);
        linear("self_attn.v_proj", shape.hidden, kv);
        linear("self_attn.o_proj", shape.hidden, shape.hidden);
        linear("mlp.gate_proj", shape.hidden, shape.intermediate);
        linear("mlp.up_proj", shape.hidden, shape.intermediate);
        linear("mlp.down_proj", shape.intermediate, shape.hidden);
        add_tensor(model, at + "input_layernorm.weight", shape.dtype, {shape.hidden});
        add_tensor(model, at + "post_attention_layernorm.weight", shape.dtype, {shape.hidden});
    }
    add_tensor(model, "model.norm.weight", shape.dtype, {shape.hidden});
    return model;
}

}  // namespace punie::training::test
