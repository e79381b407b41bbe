#pragma once
// A model folder read natively: config.json and the headers of its safetensors files (never the
// tensors).

#include <punie/error.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace punie::backend {

struct TensorInfo {
    std::string dtype;  ///< "F32", "BF16", "U32" ...
    std::vector<std::int64_t> shape;
    std::uint64_t bytes = 0;
};

/// The header of one safetensors file: 8 bytes little-endian length, then JSON
/// (https://github.com/huggingface/safetensors). Errors: not_found, model_invalid (truncated, not a
/// safetensors file: names file and byte).
Result<std::map<std::string, TensorInfo>> read_safetensors_header(const std::filesystem::path& file
);

/// What is needed of a model's config.json to check adapters and to estimate memory.
struct ModelInfo {
    std::filesystem::path folder;
    std::string model_type;  ///< "llama", "qwen3" ...
    std::int64_t hidden_size = 0;
    std::int64_t intermediate_size = 0;
    std::int64_t layers = 0;
    std::int64_t attention_heads = 0;
    std::int64_t kv_heads = 0;
    std::int64_t head_dim = 0;
    std::int64_t vocab_size = 0;
    std::int64_t max_positions = 0;  ///< 0: not said
    bool tied_embeddings = false;
    bool custom_code = false;  ///< config.json names a `model_file` with code of its own
    std::optional<int> quantization_bits{};
    std::map<std::string, int>
        layer_bits;  ///< layers that config.json quantises otherwise: tensor base name -> bits
    std::string activation_dtype;  ///< "F32", "BF16", "F16": of the unquantised tensors
    std::map<std::string, TensorInfo> tensors;
    std::uint64_t weight_bytes = 0;  ///< sum over all tensors
};

/// Whether `path` looks like a local folder or file rather than a hub repo ("org/name" that does
/// not exist on disk).
bool is_hub_name(const std::string& path);

/// The local cache of the model hub, whether it exists or not (HF_HUB_CACHE, HF_HOME,
/// ~/.cache/huggingface/hub).
std::filesystem::path hub_folder();

/// The folder that a hub name has in the local hub cache (HF_HOME, HF_HUB_CACHE,
/// ~/.cache/huggingface/hub), if it is there.
std::optional<std::filesystem::path> cached_snapshot(const std::string& hub_name);

/// Reads a model folder (or a hub name's cached snapshot). Errors: not_found (with similar names in
/// the parent folder), model_invalid (no config.json; GGUF or PyTorch files instead of safetensors:
/// says how to convert).
Result<ModelInfo> read_model(const std::string& model_path);

/// The linears of the model that an adapter of mlx_lm names: tensor base name -> (inputs, outputs),
/// quantised ones unpacked.
std::map<std::string, std::pair<std::int64_t, std::int64_t>> linears(const ModelInfo& model);

/// Compares adapter_config.json and adapters.safetensors with the model: every lora_a/lora_b must
/// meet a linear of fitting shape, none may be missing its twin, at least one must apply. mlx_lm
/// loads a misfit as a silent no-op. Errors: not_found, adapter_mismatch (names the first misfits,
/// the counts and the base model that the config names).
Result<void> check_adapter(const ModelInfo& model, const std::filesystem::path& adapter);

}  // namespace punie::backend
