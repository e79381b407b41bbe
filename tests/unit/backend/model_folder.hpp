#pragma once
// Model and adapter folders with real headers and tensors of zeros.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace punie::backend {

struct FakeTensor {
    std::string name;
    std::vector<std::int64_t> shape;
    std::string dtype = "F32";
};

inline void write_file(const std::filesystem::path& file, const std::string& bytes) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
}

/// Length prefix, header text, then `data` zero bytes.
inline void write_raw_safetensors(
    const std::filesystem::path& file, const std::string& header, std::uint64_t data
) {
    std::string bytes;
    for (unsigned i = 0; i < 8; ++i) bytes += static_cast<char>(header.size() >> (8 * i) & 0xFFU);
    write_file(file, bytes + header);
    std::filesystem::resize_file(file, 8 + header.size() + data);
}

inline void write_safetensors(
    const std::filesystem::path& file, const std::vector<FakeTensor>& tensors
) {
    std::string header = R"({"__metadata__":{"format":"mlx"})";
    std::uint64_t offset = 0;
    for (const auto& tensor : tensors) {
        std::uint64_t bytes = tensor.dtype == "F32" || tensor.dtype == "U32" ? 4 : 2;
        for (const auto size : tensor.shape) bytes *= static_cast<std::uint64_t>(size);
        header += fmt::format(
            R"(,"{}":{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
            tensor.name,
            tensor.dtype,
            fmt::join(tensor.shape, ","),
            offset,
            offset + bytes
        );
        offset += bytes;
    }
    write_raw_safetensors(file, header + "}", offset);
}

inline const char* const tiny_config =
    R"({"model_type": "qwen3", "hidden_size": 64, "num_hidden_layers": 2,
    "intermediate_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 334,
    "tie_word_embeddings": true, "max_position_embeddings": 2048})";

/// Tensors of the shape that a small Qwen3 has; two layers.
inline std::vector<FakeTensor> tiny_tensors() {
    std::vector<FakeTensor> tensors = {
        {"model.embed_tokens.weight", {334, 64}}, {"model.norm.weight", {64}}
    };
    for (const auto* layer : {"model.layers.0.", "model.layers.1."}) {
        const std::string base = layer;
        tensors.push_back({base + "self_attn.q_proj.weight", {64, 64}});
        tensors.push_back({base + "self_attn.k_proj.weight", {32, 64}});
        tensors.push_back({base + "mlp.down_proj.weight", {64, 128}});
        tensors.push_back({base + "input_layernorm.weight", {64}});
    }
    return tensors;
}

inline std::filesystem::path write_tiny_model(const std::filesystem::path& folder) {
    write_file(folder / "config.json", tiny_config);
    write_safetensors(folder / "model.safetensors", tiny_tensors());
    return folder;
}

}  // namespace punie::backend
