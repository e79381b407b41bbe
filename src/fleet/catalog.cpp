#include "fleet/catalog.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <system_error>

#include "backend/model_files.hpp"

namespace punie::fleet {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t megabyte = 1'000'000;
constexpr std::uint64_t beside_the_weights = 300 * megabyte;  // interpreter, libraries, first cache

template <typename Number>
std::string shown(const std::optional<Number>& value) {
    return value ? fmt::format("{}", *value) : "-";
}

std::uint64_t size_of(const fs::path& file) {
    std::error_code error;
    const auto bytes = fs::file_size(file, error);
    return error ? 0 : bytes;
}

/// Weights of a folder; links, as the hub cache has them, are followed.
std::uint64_t weights_in(const fs::path& folder) {
    std::uint64_t bytes = 0;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        if (entry->path().extension() == ".safetensors") bytes += size_of(entry->path());
    }
    return bytes;
}

/// "x-00001-of-00003.gguf" and its fellows.
std::uint64_t gguf_bytes(const fs::path& first) {
    constexpr std::string_view mark = "-00001-of-";
    const auto name = first.filename().string();
    const auto at = name.find(mark);
    if (at == std::string::npos) return size_of(first);
    std::uint64_t bytes = 0;
    std::error_code error;
    for (fs::directory_iterator entry(first.parent_path(), error), end; !error && entry != end;
         entry.increment(error)) {
        const auto other = entry->path().filename().string();
        if (other.starts_with(name.substr(0, at)) && other.ends_with(".gguf"))
            bytes += size_of(entry->path());
    }
    return bytes;
}

}  // namespace

Catalog::Catalog(const GatewayConfig& config) {
    for (const auto& spec : config.models) {
        const auto shared = std::make_shared<const ModelSpec>(spec);
        names_.try_emplace(spec.name, Named{shared, spec.name});
        for (const auto& alias : spec.aliases) names_.try_emplace(alias, Named{shared, spec.name});
        for (const auto& adapter : spec.adapters) {
            const auto name = fmt::format("{}:{}", spec.name, adapter.name);
            names_.try_emplace(name, Named{shared, name, adapter.path});
            for (const auto& alias : spec.aliases)
                names_.try_emplace(
                    fmt::format("{}:{}", alias, adapter.name), Named{shared, name, adapter.path}
                );
        }
    }
}

const Named* Catalog::find(std::string_view name) const {
    const auto found = names_.find(name);
    return found == names_.end() ? nullptr : &found->second;
}

std::string identity_of(const ModelSpec& model, const std::string& mlx_lm) {
    const auto& server = model.server;
    const auto& sampling = server.sampling;
    const auto upstream =
        model.upstream ? fmt::format("{} {}", model.upstream->url, model.upstream->model) : "";
    return fmt::format(
        "{}\n{}\n{}:{}\n{}\n{} {}\n{} {} {} {} {} {} {}\n{}\n{}\n{}\n{}\n{}\n{}",
        name_of(server.backend),
        server.model_path,
        server.host,
        server.port,
        server.adapter_path,
        shown(server.max_kv_size),
        shown(server.context_size),
        shown(sampling.temperature),
        shown(sampling.top_p),
        shown(sampling.top_k),
        shown(sampling.min_p),
        shown(sampling.max_tokens),
        shown(sampling.repetition_penalty),
        shown(sampling.repetition_context_size),
        server.extra_arguments,
        server.environment,
        server.url,
        server.log_file,
        upstream,
        mlx_lm
    );
}

std::optional<std::uint64_t> estimated_memory(const ModelSpec& model) {
    if (model.upstream) return std::nullopt;
    fs::path path = model.server.model_path;
    if (const auto snapshot = backend::cached_snapshot(model.server.model_path)) path = *snapshot;
    std::error_code error;
    const auto bytes = fs::is_directory(path, error) ? weights_in(path)
                       : path.extension() == ".gguf" ? gguf_bytes(path)
                                                     : 0;
    if (bytes == 0) return std::nullopt;
    return bytes + bytes / 10 + beside_the_weights;
}

Plan plan_of(const ModelSpec& model, const std::string& mlx_lm) {
    Plan plan;
    plan.name = model.name;
    plan.identity = identity_of(model, mlx_lm);
    plan.ours = !model.upstream;
    plan.one_adapter = plan.ours && model.server.backend == BackendKind::mlx;
    plan.memory = model.memory;
    if (!model.memory) plan.estimate = estimated_memory(model);
    plan.restart_above = model.restart_above;
    plan.ttl = model.ttl;
    plan.pin = model.pin;
    plan.preload = model.preload;
    plan.parallel = model.parallel;
    plan.priority = model.priority;
    return plan;
}

}  // namespace punie::fleet
