#include "backend/model_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <set>
#include <system_error>

#include "backend/paths.hpp"
#include "base/files.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace punie::backend {

namespace fs = std::filesystem;

namespace {

std::unexpected<Error> invalid(std::string message, std::string hint) {
    return fail(ErrorCode::model_invalid, std::move(message), std::move(hint));
}

std::set<std::string> names_in(const fs::path& folder) {
    std::set<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        names.insert(entry->path().filename().native());
    }
    return names;
}

bool any_ends_with(
    const std::set<std::string>& names, std::initializer_list<std::string_view> ends
) {
    return std::ranges::any_of(names, [&](const std::string& name) {
        return std::ranges::any_of(ends, [&](std::string_view end) { return name.ends_with(end); });
    });
}

/// What else the folder may be, when it is no model for mlx_lm.
std::string what_it_is(const fs::path& folder, const std::set<std::string>& names) {
    if (any_ends_with(names, {".gguf"})) {
        return fmt::format(
            "it holds a GGUF file: serve that with --backend llama --model {}/NAME.gguf",
            folder.native()
        );
    }
    if (any_ends_with(names, {".bin", ".pth", ".pt"})) {
        return fmt::format(
            "it holds PyTorch weights: convert them with mlx_lm.convert --hf-path {} --mlx-path "
            "NEW",
            folder.native()
        );
    }
    if (names.contains("adapter_config.json")) {
        return "it holds an adapter: name the model it was trained on, and this folder as "
               "--adapter";
    }
    if (names.empty()) return "it is empty";
    return "an MLX model folder has config.json, model*.safetensors and tokenizer files";
}

Result<fs::path> folder_of(const std::string& model_path) {
    if (is_hub_name(model_path)) {
        if (auto snapshot = cached_snapshot(model_path)) return *snapshot;
        return fail(
            ErrorCode::not_found,
            fmt::format("model_path: {} is not in the local hub cache", model_path),
            "it is downloaded when it is first served; a local folder is given as a path"
        );
    }
    if (auto exists = require_path("model_path", model_path); !exists)
        return std::unexpected(exists.error());
    std::error_code ignored;
    if (fs::is_directory(model_path, ignored)) return fs::path(model_path);
    if (model_path.ends_with(".gguf")) {
        return invalid(
            fmt::format("model_path: {} is a GGUF file, which mlx_lm does not load", model_path),
            "serve it with --backend llama, or take a folder in MLX format"
        );
    }
    return invalid(
        fmt::format("model_path: {} is a file; a model folder is expected", model_path),
        "name the folder that holds config.json"
    );
}

/// config.json; the language model's settings of a multimodal one are in its text_config.
class Config {
public:
    explicit Config(const json::value& root) : root_(root), text_(member(root, "text_config")) {}

    std::int64_t integer(std::initializer_list<std::string_view> names) const {
        for (const auto name : names) {
            if (text_ != nullptr) {
                if (const auto found = integer_member(*text_, name))
                    return std::max<std::int64_t>(*found, 0);
            }
            if (const auto found = integer_member(root_, name))
                return std::max<std::int64_t>(*found, 0);
        }
        return 0;
    }

    bool flag(std::string_view name) const {
        if (text_ != nullptr) {
            if (const auto found = bool_member(*text_, name)) return *found;
        }
        return bool_member(root_, name).value_or(false);
    }

    const json::value* object(std::string_view name) const {
        const auto* found = member(root_, name);
        if (found == nullptr && text_ != nullptr) found = member(*text_, name);
        return found != nullptr && found->is_object() ? found : nullptr;
    }

private:
    const json::value& root_;
    const json::value* text_;
};

void read_sizes(const Config& config, ModelInfo& model) {
    model.hidden_size = config.integer({"hidden_size", "n_embd", "d_model", "dim"});
    model.intermediate_size =
        config.integer({"intermediate_size", "n_inner", "ffn_hidden_size", "moe_intermediate_size"}
        );
    model.layers = config.integer({"num_hidden_layers", "n_layer", "n_layers", "num_layers"});
    model.attention_heads = config.integer({"num_attention_heads", "n_head", "n_heads"});
    model.kv_heads = config.integer({"num_key_value_heads", "n_kv_heads", "num_kv_heads"});
    if (model.kv_heads == 0) model.kv_heads = model.attention_heads;
    model.head_dim = config.integer({"head_dim"});
    if (model.head_dim == 0 && model.attention_heads > 0) {
        model.head_dim = model.hidden_size / model.attention_heads;
    }
    model.vocab_size = config.integer({"vocab_size"});
    model.max_positions = config.integer({"max_position_embeddings", "n_positions", "max_seq_len"});
    model.tied_embeddings = config.flag("tie_word_embeddings");
}

void read_quantization(const Config& config, ModelInfo& model) {
    const auto* quantization = config.object("quantization");
    if (quantization == nullptr) quantization = config.object("quantization_config");
    if (quantization == nullptr) return;
    if (const auto bits = integer_member(*quantization, "bits"); bits && *bits > 0 && *bits <= 32) {
        model.quantization_bits = static_cast<int>(*bits);
    }
    for (const auto& entry : quantization->get_object()) {
        const auto bits = integer_member(entry.value(), "bits");
        if (bits && *bits > 0 && *bits <= 32) {
            model.layer_bits[std::string(entry.key())] = static_cast<int>(*bits);
        }
    }
}

/// The files that mlx_lm loads (model*.safetensors), and a check that the index's shards are all
/// there.
Result<std::vector<fs::path>> weight_files(
    const fs::path& folder, const std::set<std::string>& names
) {
    std::vector<fs::path> files;
    for (const auto& name : names) {
        if (name.starts_with("model") && name.ends_with(".safetensors"))
            files.push_back(folder / name);
    }
    if (files.empty()) {
        return invalid(
            fmt::format("{}: no model*.safetensors, so mlx_lm cannot load it", folder.native()),
            what_it_is(folder, names)
        );
    }
    const auto index_file = folder / "model.safetensors.index.json";
    if (!names.contains(index_file.filename().native())) return files;
    const auto text = read_text(index_file, 256U << 20U);
    if (!text) return std::unexpected(text.error());
    const auto index = parse_json(*text);
    if (!index) {
        return invalid(
            fmt::format("{}: {}", index_file.native(), index.error().message()),
            "fetch the file again"
        );
    }
    const auto* map = member(*index, "weight_map");
    if (map == nullptr || !map->is_object())
        return files;  // mlx_lm does not look at the index either
    for (const auto& entry : map->get_object()) {
        if (!entry.value().is_string() || names.contains(std::string(entry.value().get_string())))
            continue;
        return invalid(
            fmt::format(
                "{}: names {}, which is not in the folder",
                index_file.native(),
                printable(entry.value().get_string())
            ),
            "the download is incomplete: fetch the model again"
        );
    }
    return files;
}

std::string commonest_float(const std::map<std::string, TensorInfo>& tensors) {
    std::map<std::string, std::uint64_t> bytes;
    for (const auto& [name, tensor] : tensors) {
        if (tensor.dtype == "F32" || tensor.dtype == "F16" || tensor.dtype == "BF16") {
            bytes[tensor.dtype] += tensor.bytes;
        }
    }
    const auto most =
        std::ranges::max_element(bytes, {}, [](const auto& pair) { return pair.second; });
    return most == bytes.end() ? std::string{} : most->first;
}

Result<void> read_tensors(const std::vector<fs::path>& files, ModelInfo& model) {
    for (const auto& file : files) {
        auto header = read_safetensors_header(file);
        if (!header) return std::unexpected(std::move(header).error());
        for (const auto& [name, tensor] : *header) model.weight_bytes += tensor.bytes;
        model.tensors.merge(std::move(*header));
    }
    model.activation_dtype = commonest_float(model.tensors);
    return {};
}

}  // namespace

Result<ModelInfo> read_model(const std::string& model_path) {
    const auto folder = folder_of(model_path);
    if (!folder) return std::unexpected(folder.error());
    const auto names = names_in(*folder);
    const auto config_file = *folder / "config.json";
    if (!names.contains("config.json")) {
        return invalid(
            fmt::format(
                "{}: no config.json, so it is not a model that mlx_lm can load", folder->native()
            ),
            what_it_is(*folder, names)
        );
    }
    const auto text = read_text(config_file, 64U << 20U);
    if (!text) return std::unexpected(text.error());
    const auto root = parse_json(*text);
    if (!root) {
        return invalid(
            fmt::format("{}: {}", config_file.native(), root.error().message()),
            "fetch the file again"
        );
    }
    ModelInfo model;
    model.folder = *folder;
    model.model_type = string_member(*root, "model_type").value_or("");
    if (model.model_type.empty()) {
        return invalid(
            fmt::format(
                "{}: no model_type, so mlx_lm cannot tell its architecture", config_file.native()
            ),
            what_it_is(*folder, names)
        );
    }
    model.custom_code = string_member(*root, "model_file").has_value();
    const Config config(*root);
    read_sizes(config, model);
    read_quantization(config, model);
    const auto files = weight_files(*folder, names);
    if (!files) return std::unexpected(files.error());
    if (auto tensors = read_tensors(*files, model); !tensors)
        return std::unexpected(tensors.error());
    return model;
}

}  // namespace punie::backend
