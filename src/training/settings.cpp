#include "training/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace punie::training {

namespace {

constexpr std::array kinds = {FineTune::lora, FineTune::dora, FineTune::full};

std::optional<FineTune> kind_called(std::string_view name) {
    const auto* found = std::ranges::find(kinds, name, [](FineTune kind) { return name_of(kind); });
    if (found == kinds.end()) return std::nullopt;
    return *found;
}

Result<void> at_least(std::string_view field, long long value, long long least) {
    if (value >= least) return {};
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("{} is {}; {} or more is allowed", field, value, least)
    );
}

}  // namespace

std::string_view name_of(FineTune kind) {
    switch (kind) {
        case FineTune::lora:
            return "lora";
        case FineTune::dora:
            return "dora";
        case FineTune::full:
            return "full";
    }
    return "lora";
}

Result<void> check_options(const TrainingBenchmarkOptions& options) {
    if (options.model_path.empty()) {
        return fail(
            ErrorCode::invalid_argument,
            "model_path is empty; a model folder or a hub name is needed"
        );
    }

    struct Bound {
        std::string_view field;
        long long value;
        long long least;
    };

    const std::array bounds = {
        Bound{"iterations", options.iterations, 1},
        Bound{"batch_size", options.batch_size, 1},
        Bound{"max_seq_length", options.max_seq_length, 2},
        Bound{"lora_rank", options.lora_rank, 1},
        Bound{"plan_iterations", options.plan_iterations.value_or(1), 1},
    };
    for (const auto& bound : bounds) {
        if (auto ok = at_least(bound.field, bound.value, bound.least); !ok) return ok;
    }
    if (options.num_layers < 1 && options.num_layers != -1) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("num_layers is {}; 1 or more is allowed, or -1 for all", options.num_layers)
        );
    }
    if (!std::isfinite(options.learning_rate) || options.learning_rate <= 0) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("learning_rate is {}; a number above 0 is allowed", options.learning_rate)
        );
    }
    if (!kind_called(options.fine_tune_type)) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "fine_tune_type is '{}'; lora, dora or full is allowed", options.fine_tune_type
            )
        );
    }
    return {};
}

Settings settings_of(const TrainingBenchmarkOptions& options, std::optional<int> model_layers) {
    const int all = model_layers.value_or(std::max(options.num_layers, 1));
    return {
        .batch_size = options.batch_size,
        .layers = options.num_layers < 1 ? all : std::min(options.num_layers, all),
        .sequence = options.max_seq_length,
        .grad_checkpoint = options.grad_checkpoint,
        .kind = kind_called(options.fine_tune_type).value_or(FineTune::lora),
        .rank = options.lora_rank,
    };
}

std::int64_t padded_length(std::int64_t longest, std::int64_t limit) {
    constexpr std::int64_t multiple = 32;
    const auto padded = 1 + multiple * ((longest + multiple - 1) / multiple);
    return std::max<std::int64_t>(std::min(padded, limit) - 1, 1);
}

}  // namespace punie::training
