#pragma once
// The parts of `punie dataset`, a file each.

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "backend/row_renderer.hpp"
#include "cli/commands.hpp"

namespace punie::cli {

/// --model and what belongs to it: who renders the rows.
struct RendererChoice {
    std::string model;
    std::string mlx_lm;
    std::string serving_template;  ///< a file
    std::string serving_model;

    /// nullptr without a model. Errors: invalid_argument, not_found, io (the template's file).
    Result<std::unique_ptr<backend::RowRenderer>> make(std::stop_token stop) const;
};

/// --model and --mlx-lm; with `serving` also --serving-template and --serving-model.
void add_renderer_options(CLI::App& command, RendererChoice& choice, bool serving);

void add_dataset_validate(CLI::App& dataset, Commands& commands);
void add_dataset_stats(CLI::App& dataset, Commands& commands);
void add_dataset_show(CLI::App& dataset, Commands& commands);

}  // namespace punie::cli
