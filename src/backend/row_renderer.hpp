#pragma once
// The row renderer behind base/row_rendering.hpp's interface: a Python child
// (python/render_rows.py) that does what mlx_lm's dataset classes do.

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/row_rendering.hpp"

namespace punie::backend {

using punie::ModelFacts;
using punie::RenderedPiece;
using punie::RenderedRow;
using punie::RenderRequest;
using punie::RowRenderer;

struct RowRendererOptions {
    std::string model;   ///< folder or hub name
    std::string mlx_lm;  ///< as for find_mlx; "" looks in the usual places
    std::optional<std::string> serving_template{};  ///< text that serves instead of the model's own
    std::string serving_model{};                    ///< or the model whose template serves
    std::stop_token stop{};                         ///< ends the child
};

/// Nothing is started before `render`; each call starts one child. Its errors: program_missing (no
/// mlx_lm), model_invalid (no tokenizer), exited, protocol, cancelled. Must not be called from
/// inside an event loop.
std::unique_ptr<RowRenderer> make_row_renderer(RowRendererOptions options);

}  // namespace punie::backend
