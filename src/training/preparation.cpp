#include <fmt/format.h>
#include <punie/dataset.hpp>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "dataset/row_files.hpp"
#include "training/benchmark.hpp"

namespace punie::training {

namespace fs = std::filesystem;

namespace {

constexpr int most_validation_batches = 25;  // mlx_lm's default
constexpr std::size_t bytes_a_token =
    3;  // of text in a .jsonl file; English has four or more, code three
constexpr int dummy_batches = 2;

/// The model's description; nothing with a note when it is a hub name that mlx_lm will download.
Result<std::optional<backend::ModelInfo>> model_of(
    const std::string& path, std::vector<std::string>& notes
) {
    auto model = backend::read_model(path);
    if (model) return std::optional(std::move(*model));
    const bool is_elsewhere =
        model.error().code() == ErrorCode::not_found && backend::is_hub_name(path);
    if (!is_elsewhere) return std::unexpected(std::move(model).error());
    notes.push_back(fmt::format(
        "{} is not on this machine: mlx_lm downloads it, the load time contains that, and there is "
        "no memory estimate",
        path
    ));
    return std::optional<backend::ModelInfo>{};
}

/// Rows of a file that must hold at least a batch: mlx_lm ends with a traceback otherwise.
Result<RowFile> rows_for_a_batch(const fs::path& file, int batch_size) {
    auto rows = look_at_rows(file);
    if (!rows) return rows;
    if (rows->rows >= static_cast<std::size_t>(batch_size)) return rows;
    return fail(
        ErrorCode::invalid_argument,
        fmt::format(
            "{} has {} rows, fewer than a batch of {}", file.native(), rows->rows, batch_size
        ),
        "lower --batch-size, add rows, or leave --data out to measure with made-up rows"
    );
}

/// Fills in what the data decide: the longest sequence and the validation batches.
Result<void> look_at_data(Preparation& preparation) {
    const auto& options = preparation.options;
    if (options.data.empty()) {
        preparation.validation_batches = options.validation ? most_validation_batches : 0;
        return {};
    }
    const auto train = rows_for_a_batch(options.data / "train.jsonl", options.batch_size);
    if (!train) return std::unexpected(train.error());
    const auto longest = static_cast<std::int64_t>(train->longest_bytes / bytes_a_token);
    preparation.settings.sequence =
        static_cast<int>(padded_length(std::max<std::int64_t>(longest, 1), options.max_seq_length)
        ) +
        1;
    std::error_code ignored;
    if (!options.validation) return {};
    if (!fs::exists(options.data / "valid.jsonl", ignored)) {
        preparation.notes.emplace_back("the data have no valid.jsonl: nothing is validated");
        return {};
    }
    const auto valid = rows_for_a_batch(options.data / "valid.jsonl", options.batch_size);
    if (!valid) return std::unexpected(valid.error());
    const auto batches = valid->rows / static_cast<std::size_t>(options.batch_size);
    preparation.validation_batches =
        static_cast<int>(std::min<std::size_t>(batches, most_validation_batches));
    return {};
}

void note_layers(Preparation& preparation) {
    const auto& options = preparation.options;
    if (!preparation.model || options.num_layers <= preparation.settings.layers) return;
    preparation.notes.push_back(fmt::format(
        "the model has {} layers: all are trained instead of {}",
        preparation.settings.layers,
        options.num_layers
    ));
}

Result<void> link_file(const fs::path& target, const fs::path& link) {
    std::error_code error;
    fs::create_symlink(fs::absolute(target), link, error);
    if (error)
        return std::unexpected(
            errno_error(error.value(), fmt::format("cannot link {}", link.native()))
        );
    return {};
}

}  // namespace

Result<Preparation> prepare(TrainingBenchmarkOptions options, backend::MlxInstallation mlx) {
    if (auto checked = check_options(options); !checked)
        return std::unexpected(std::move(checked).error());
    Preparation preparation{.options = std::move(options), .mlx = std::move(mlx)};
    auto model = model_of(preparation.options.model_path, preparation.notes);
    if (!model) return std::unexpected(std::move(model).error());
    preparation.model = std::move(*model);
    std::optional<int> layers;
    if (preparation.model) layers = static_cast<int>(preparation.model->layers);
    preparation.settings = settings_of(preparation.options, layers);
    note_layers(preparation);
    if (auto looked = look_at_data(preparation); !looked)
        return std::unexpected(std::move(looked).error());
    if (preparation.model)
        preparation.estimate = estimate_memory(*preparation.model, preparation.settings);
    return preparation;
}

Result<void> place_data(const Preparation& preparation, const fs::path& folder) {
    const auto& options = preparation.options;
    std::error_code error;
    fs::create_directories(folder, error);
    if (error)
        return std::unexpected(
            errno_error(error.value(), fmt::format("cannot make {}", folder.native()))
        );
    auto train = options.data / "train.jsonl";
    auto valid = options.data / "valid.jsonl";
    if (options.data.empty()) {
        const auto made = folder / "made";
        const int rows = options.batch_size * dummy_batches;
        if (auto done = create_dummy_dataset(made, rows, options.max_seq_length); !done)
            return done;
        train = made / "train.jsonl";
        valid = train;  // its own file may hold less than a batch
    }
    if (auto linked = link_file(train, folder / "train.jsonl"); !linked) return linked;
    if (preparation.validation_batches == 0) return {};
    return link_file(valid, folder / "valid.jsonl");
}

}  // namespace punie::training
