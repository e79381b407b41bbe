// The public face of training: settings as text.

#include <punie/training.hpp>

#include <utility>

#include "training/train.hpp"
#include "training/train_file.hpp"

namespace punie {

Result<TrainingResult> train_model(
    const TrainingOptions& options, const TrainCalls& calls, std::stop_token stop
) {
    auto file = training::parse_train_file(options.settings, "settings");
    if (!file) return std::unexpected(std::move(file).error());
    if (file->model || file->data || file->adapter) {
        return fail(
            ErrorCode::invalid_argument,
            "settings: model, data and adapter_path are members of TrainingOptions",
            "leave them out of the settings"
        );
    }
    training::TrainOptions given;
    given.model = options.model;
    given.data = options.data;
    given.adapter = options.adapter;
    given.settings = std::move(file->settings);
    given.keep_best = file->keep_best.value_or(true);
    given.early_stop = file->early_stop.value_or(0);
    given.resume = options.resume;
    given.overwrite = options.overwrite;
    given.check_data = options.check_data;
    given.force = options.force;
    given.mlx_lm = options.mlx_lm;
    auto result = training::train_model(given, calls, std::move(stop));
    if (!result) return std::unexpected(std::move(result).error());
    return TrainingResult(*std::move(result));
}

}  // namespace punie
