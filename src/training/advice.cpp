#include "training/advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <tuple>
#include <utility>

#include "training/memory_estimate.hpp"

namespace punie::training {

namespace {

/// Sizes that models commonly come in, in parameters.
constexpr std::array<std::pair<double, std::string_view>, 5> common_sizes = {
    {{7e9, "7B"}, {3e9, "3B"}, {1.5e9, "1.5B"}, {0.5e9, "0.5B"}, {0.135e9, "135M"}}
};

/// A change of one setting.
struct Change {
    std::string words;
    std::string explanation;
    Settings settings;
};

std::vector<Change> possible_changes(const Settings& now) {
    std::vector<Change> changes;
    if (now.sequence > 256) {
        auto then = now;
        then.sequence = std::max(256, now.sequence / 2);
        changes.push_back({
            fmt::format("--max-seq-length {}", then.sequence),
            "shorter sequences: time and memory fall nearly with the length; longer rows are cut "
            "at their end",
            then,
        });
    }
    if (now.batch_size > 1) {
        auto then = now;
        then.batch_size = std::max(1, now.batch_size / 2);
        changes.push_back({
            fmt::format("--batch-size {}", then.batch_size),
            "a smaller batch: each iteration is shorter, but sees fewer rows",
            then,
        });
    }
    if (now.layers > 1) {
        auto then = now;
        then.layers = now.layers > 4 ? std::max(4, now.layers / 2) : std::max(1, now.layers / 2);
        changes.push_back({
            fmt::format("--num-layers {}", then.layers),
            "fewer trained layers: the layers below them need no backward pass",
            then,
        });
    }
    if (!now.grad_checkpoint) {
        auto then = now;
        then.grad_checkpoint = true;
        changes.push_back({
            "--grad-checkpoint",
            "saves memory, not time: it helps when the machine swaps",
            then,
        });
    }
    return changes;
}

/// A smaller model of a common size. Weights shrink with the parameters; activations with width
/// times depth, which is parameters^(2/3) when both grow alike; the vocabulary stays.
Advice smaller_model(
    const backend::ModelInfo& model, const Settings& settings, const Measured& measured
) {
    const double now = parameters(model);
    const auto* size =
        std::ranges::find_if(common_sizes, [&](const auto& s) { return s.first < 0.7 * now; });
    if (size == common_sizes.end()) return {};
    const double ratio = size->first / now;
    const auto parts = estimate_memory(model, settings);
    const double kept = parts.peak - parts.weights - parts.activations - parts.trainable;
    const double then = parts.weights * ratio +
                        (parts.activations + parts.trainable) * std::pow(ratio, 2.0 / 3) + kept;
    return {
        .change = fmt::format("a {} model", size->second),
        .explanation = "a smaller model: time falls nearly with the number of parameters",
        .estimated_seconds_per_iter = measured.seconds_per_iter * ratio,
        .estimated_peak_gb =
            measured.peak_gb > 0 ? measured.peak_gb * then / parts.peak : then / 1e9,
    };
}

Advice estimated(
    const Change& change,
    const backend::ModelInfo& model,
    const Settings& now,
    const Measured& measured
) {
    const double time = work_of_iteration(model, change.settings) / work_of_iteration(model, now);
    const double before = estimate_memory(model, now).peak;
    const double after = estimate_memory(model, change.settings).peak;
    return {
        .change = change.words,
        .explanation = change.explanation,
        .estimated_seconds_per_iter = measured.seconds_per_iter * time,
        .estimated_peak_gb = measured.peak_gb > 0 ? measured.peak_gb * after / before : after / 1e9,
    };
}

}  // namespace

double work_of_iteration(const backend::ModelInfo& model, const Settings& settings) {
    const double layers = std::max<double>(1, static_cast<double>(model.layers));
    const double trained = std::min<double>(settings.layers, layers);
    const auto hidden = static_cast<double>(model.hidden_size);
    const auto vocabulary = static_cast<double>(model.vocab_size) * hidden;
    const double embeddings = vocabulary * (model.tied_embeddings ? 1 : 2);
    const double in_a_layer = std::max(0.0, parameters(model) - embeddings) / layers;
    const auto length = static_cast<double>(padded_length(settings.sequence, settings.sequence));
    const double attention = 2 * length *
                             static_cast<double>(
                                 model.attention_heads * model.head_dim
                             );  // scores and their use, a token
    const double layer = in_a_layer + attention;

    // Backward costs another pass for the gradient of the inputs, and with full fine-tuning one for
    // the weights'.
    double backward = trained * (in_a_layer + 2 * attention);
    if (settings.kind == FineTune::full) backward += trained * in_a_layer;
    if (settings.grad_checkpoint) backward += trained * layer;
    const double a_token = layers * layer + backward + 2 * vocabulary;
    return settings.batch_size * length * a_token;
}

std::vector<Advice> advise(
    const backend::ModelInfo* model, const Settings& settings, const Measured& measured
) {
    const auto verdict = verdict_for(measured.seconds_per_iter);
    if (verdict == Verdict::excellent || verdict == Verdict::acceptable) return {};
    std::vector<Advice> advice;
    for (const auto& change : possible_changes(settings)) {
        if (model != nullptr) {
            advice.push_back(estimated(change, *model, settings, measured));
        } else {
            advice.push_back({.change = change.words, .explanation = change.explanation});
        }
    }
    if (model == nullptr) {
        advice.push_back(
            {.change = "a 7B model", .explanation = "or smaller: time falls with the parameters"}
        );
        return advice;
    }
    if (auto smaller = smaller_model(*model, settings, measured); !smaller.change.empty()) {
        advice.push_back(std::move(smaller));
    }
    std::ranges::sort(advice, std::less<>{}, [](const Advice& item) {
        return std::tie(item.estimated_seconds_per_iter, item.change);
    });
    return advice;
}

}  // namespace punie::training
