// Does an adapter of mlx_lm fit a model? Older versions load a misfit as a silent no-op, newer ones
// die of it with a traceback after the model was loaded; here it is told before anything starts.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>
#include <system_error>

#include "backend/model_files.hpp"
#include "backend/paths.hpp"
#include "base/files.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace punie::backend {

namespace fs = std::filesystem;

namespace {

using Shape = std::vector<std::int64_t>;

std::string shape_text(const Shape& shape) {
    return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::string without_end(const std::string& name, std::string_view end) {
    return name.substr(0, name.size() - end.size());
}

/// A weight's shape with quantised columns unpacked: 32-bit words of `bits` each.
Shape unpacked(const ModelInfo& model, const std::string& base, const TensorInfo& weight) {
    Shape shape = weight.shape;
    if (shape.empty() || !model.tensors.contains(base + ".scales")) return shape;
    const auto own = model.layer_bits.find(base);
    const auto bits =
        own != model.layer_bits.end() ? own->second : model.quantization_bits.value_or(0);
    if (bits > 0) shape.back() = shape.back() * 32 / bits;
    return shape;
}

/// An embedding's adapter goes from entries to width; a linear's from inputs to outputs, the other
/// way round.
bool is_embedding(std::string_view base) {
    const auto last = base.substr(base.rfind('.') + 1);
    return last.find("embed") != std::string_view::npos || last == "wte" || last == "wpe";
}

/// "layers.3.self_attn.q_proj" of "model.layers.3.self_attn.q_proj": prefixes differ between a
/// checkpoint as published and the module names that mlx_lm gives it. The whole name where there is
/// no layer.
std::string within_model(const std::string& name) {
    const auto start = name.find("layers.");
    return start == std::string::npos ? name : name.substr(start);
}

struct AdapterConfig {
    std::string fine_tune_type = "lora";
    std::string base_model;
    std::int64_t layers = -1;  ///< the last so many layers; negative or 0: not limited
    std::optional<std::int64_t> rank{};
    std::set<std::string> keys;  ///< modules that get an adapter; empty: all
};

Error misfit(const std::string& message, std::string hint) {
    return Error(ErrorCode::adapter_mismatch, message).with_hint(std::move(hint));
}

Result<AdapterConfig> read_config(const fs::path& file) {
    const auto text = read_text(file, 16U << 20U);
    if (!text) return std::unexpected(text.error());
    const auto root = parse_json(*text);
    if (!root) {
        return std::unexpected(
            misfit(fmt::format("{}: {}", file.native(), root.error().message()), "train it again")
        );
    }
    if (member(*root, "peft_type") != nullptr) {
        return std::unexpected(misfit(
            fmt::format(
                "{}: an adapter of PEFT (for Transformers and vLLM), which mlx_lm does not load",
                file.native()
            ),
            "train it with mlx_lm.lora, serve it with --backend vllm, or fuse it into its model "
            "and convert that"
        ));
    }
    AdapterConfig config;
    config.fine_tune_type = string_member(*root, "fine_tune_type").value_or("lora");
    config.base_model = string_member(*root, "model").value_or("");
    config.layers = integer_member(*root, "num_layers").value_or(-1);
    if (config.fine_tune_type == "full") return config;
    const auto* parameters = member(*root, "lora_parameters");
    if (parameters == nullptr || !parameters->is_object() ||
        member(*parameters, "scale") == nullptr) {
        const bool alpha = parameters != nullptr && member(*parameters, "alpha") != nullptr;
        return std::unexpected(misfit(
            fmt::format("{}: lora_parameters has no scale, which mlx_lm needs", file.native()),
            alpha ? "it has alpha instead: scale is alpha / rank"
                  : "write rank, scale and dropout as trained with"
        ));
    }
    config.rank = integer_member(*parameters, "rank");
    if (const auto* keys = member(*parameters, "keys"); keys != nullptr && keys->is_array()) {
        for (const auto& key : keys->get_array()) {
            if (key.is_string()) config.keys.emplace(key.get_string());
        }
    }
    return config;
}

/// Compares tensor by tensor and collects what does not fit.
class Comparison {
public:
    Comparison(const ModelInfo& model, const AdapterConfig& config)
        : model_(model), config_(config) {
        for (const auto& [base, sizes] : linears(model))
            linears_.emplace(within_model(base), sizes);
        for (const auto& [name, tensor] : model.tensors) {
            tensors_.emplace(within_model(name), &tensor);
            published_experts_ = published_experts_ || name.find(".experts.") != std::string::npos;
        }
    }

    void compare_full(const std::map<std::string, TensorInfo>& adapter) {
        for (const auto& [name, tensor] : adapter) {
            const auto found = tensors_.find(within_model(name));
            if (found == tensors_.end()) {
                add(name, "the model has no such tensor");
            } else if (found->second->shape != tensor.shape) {
                add(name,
                    fmt::format(
                        "shape {}, the model's is {}",
                        shape_text(tensor.shape),
                        shape_text(found->second->shape)
                    ));
            } else {
                ++applied_;
            }
        }
    }

    void compare_lora(const std::map<std::string, TensorInfo>& adapter) {
        for (const auto& [name, tensor] : adapter) {
            if (name.ends_with(".lora_a")) {
                compare_pair(without_end(name, ".lora_a"), tensor, adapter);
            } else if (name.ends_with(".lora_b")) {
                const auto base = without_end(name, ".lora_b");
                if (!adapter.contains(base + ".lora_a")) add(name, "its lora_a is missing");
            } else if (name.ends_with(".m")) {
                compare_magnitude(without_end(name, ".m"), tensor);
            } else {
                add(name, "no adapter tensor (lora_a, lora_b or m)");
            }
        }
    }

    std::size_t applied() const { return applied_; }

    const std::vector<std::string>& misfits() const { return misfits_; }

private:
    void add(const std::string& name, const std::string& why) {
        misfits_.push_back(fmt::format("{}: {}", printable(name), why));
    }

    void compare_pair(
        const std::string& base,
        const TensorInfo& a,
        const std::map<std::string, TensorInfo>& adapter
    ) {
        const auto twin = adapter.find(base + ".lora_b");
        if (twin == adapter.end()) return add(base + ".lora_a", "its lora_b is missing");
        if (const auto why = out_of_reach(base)) return add(base, *why);
        const auto& b = twin->second;
        if (a.shape.size() == 3 && b.shape.size() == 3)
            return compare_experts(base, a.shape, b.shape);
        if (a.shape.size() != 2 || b.shape.size() != 2)
            return add(base, "its lora_a or lora_b is no matrix");
        const auto found = linears_.find(within_model(base));
        if (found == linears_.end()) return add(base, "the model has no such linear layer");
        auto [inputs, outputs] = found->second;
        if (model_.model_type == "gpt2" && a.shape[0] != inputs)
            std::swap(inputs, outputs);  // stored transposed
        if (a.shape[0] != inputs || b.shape[1] != outputs) {
            return add(
                base,
                fmt::format(
                    "made for {} inputs and {} outputs, the model's has {} and {}",
                    a.shape[0],
                    b.shape[1],
                    inputs,
                    outputs
                )
            );
        }
        check_rank(base, a.shape[1], b.shape[0]);
    }

    /// Layers of expert mixtures: [experts, rank, inputs] and [experts, outputs, rank].
    void compare_experts(const std::string& base, const Shape& a, const Shape& b) {
        const auto found = tensors_.find(within_model(base) + ".weight");
        if (found == tensors_.end()) {
            if (!published_experts_) return add(base, "the model has no such layer of experts");
            ++applied_;  // the checkpoint keeps each expert apart and mlx_lm stacks them: nothing
                         // to compare with
            return;
        }
        const auto shape = unpacked(model_, found_base(base), *found->second);
        const Shape made_for = {a[0], b[1], a[2]};
        if (shape != made_for) {
            return add(
                base,
                fmt::format(
                    "made for {}, the model's is {}", shape_text(made_for), shape_text(shape)
                )
            );
        }
        check_rank(base, a[1], b[2]);
    }

    std::string found_base(const std::string& base) const {
        if (model_.tensors.contains(base + ".weight")) return base;
        for (const auto& [name, tensor] : model_.tensors) {
            if (name.ends_with(".weight") && within_model(name) == within_model(base) + ".weight") {
                return without_end(name, ".weight");
            }
        }
        return base;
    }

    void check_rank(const std::string& base, std::int64_t of_a, std::int64_t of_b) {
        if (of_a != of_b)
            return add(base, fmt::format("lora_a has rank {}, lora_b {}", of_a, of_b));
        if (config_.rank && *config_.rank != of_a) {
            return add(
                base, fmt::format("rank {}, adapter_config.json says {}", of_a, *config_.rank)
            );
        }
        ++applied_;
    }

    void compare_magnitude(const std::string& base, const TensorInfo& m) {
        if (config_.fine_tune_type != "dora") {
            return add(
                base + ".m",
                fmt::format("belongs to dora; adapter_config.json says {}", config_.fine_tune_type)
            );
        }
        const auto found = linears_.find(within_model(base));
        if (found == linears_.end()) return add(base + ".m", "the model has no such linear layer");
        const auto size = is_embedding(base) ? found->second.first : found->second.second;
        if (m.shape != Shape{size}) {
            add(base + ".m",
                fmt::format("shape {}, the layer's is [{}]", shape_text(m.shape), size));
        }
    }

    /// Why mlx_lm makes no adapter layer there although the model has the module.
    std::optional<std::string> out_of_reach(const std::string& base) const {
        const auto inner = within_model(base);
        if (!inner.starts_with("layers.")) return std::nullopt;
        const auto dot = inner.find('.', 7);
        if (dot == std::string::npos) return std::nullopt;
        const auto key = inner.substr(dot + 1);
        if (!config_.keys.empty() && !config_.keys.contains(key) && !config_.keys.contains(base)) {
            return fmt::format("'{}' is not among the keys of adapter_config.json", key);
        }
        const auto number = inner.substr(7, dot - 7);
        if (config_.layers <= 0 || number.empty() || number.size() > 6 ||
            number.find_first_not_of("0123456789") != std::string::npos) {
            return std::nullopt;
        }
        if (std::stol(number) >= model_.layers - config_.layers) return std::nullopt;
        return fmt::format(
            "adapter_config.json adapts the last {} of the model's {} layers only",
            config_.layers,
            model_.layers
        );
    }

    const ModelInfo& model_;
    const AdapterConfig& config_;
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> linears_;
    std::map<std::string, const TensorInfo*> tensors_;
    bool published_experts_ = false;
    std::size_t applied_ = 0;
    std::vector<std::string> misfits_;
};

Error report(
    const ModelInfo& model,
    const fs::path& adapter,
    const AdapterConfig& config,
    const Comparison& comparison
) {
    constexpr std::size_t shown = 3;
    const auto& misfits = comparison.misfits();
    auto message = fmt::format(
        "adapter_path: {} does not fit {}: {} parts fit, {} do not",
        adapter.native(),
        model.folder.native(),
        comparison.applied(),
        misfits.size()
    );
    for (std::size_t i = 0; i < std::min(shown, misfits.size()); ++i)
        message += "\n  " + misfits[i];
    if (misfits.size() > shown) message += fmt::format("\n  and {} more", misfits.size() - shown);
    return misfit(
        message,
        config.base_model.empty()
            ? "serve the model that it was trained on"
            : fmt::format("it was trained on {}", printable(config.base_model))
    );
}

}  // namespace

std::map<std::string, std::pair<std::int64_t, std::int64_t>> linears(const ModelInfo& model) {
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> found;
    for (const auto& [name, tensor] : model.tensors) {
        if (!name.ends_with(".weight") || tensor.shape.size() != 2) continue;
        const auto base = without_end(name, ".weight");
        const auto shape = unpacked(model, base, tensor);
        auto sizes = std::pair(shape[1], shape[0]);
        if (is_embedding(base)) std::swap(sizes.first, sizes.second);
        found.emplace(base, sizes);
    }
    return found;
}

Result<void> check_adapter(const ModelInfo& model, const fs::path& adapter) {
    if (auto exists = require_path("adapter_path", adapter.native()); !exists) return exists;
    std::error_code ignored;
    for (const auto* name : {"adapter_config.json", "adapters.safetensors"}) {
        if (fs::exists(adapter / name, ignored)) continue;
        return fail(
            ErrorCode::not_found,
            fmt::format("adapter_path: {} holds no {}", adapter.native(), name),
            "an adapter folder of mlx_lm holds adapter_config.json and adapters.safetensors"
        );
    }
    const auto config = read_config(adapter / "adapter_config.json");
    if (!config) return std::unexpected(config.error());
    const auto header = read_safetensors_header(adapter / "adapters.safetensors");
    if (!header) return std::unexpected(header.error());
    Comparison comparison(model, *config);
    if (config->fine_tune_type == "full") {
        comparison.compare_full(*header);
    } else {
        comparison.compare_lora(*header);
    }
    if (comparison.misfits().empty() && comparison.applied() > 0) return {};
    return std::unexpected(report(model, adapter, *config, comparison));
}

}  // namespace punie::backend
