#pragma once
// Rows as a model's tokenizer sees them: the interface alone, whoever implements it.

#include "backend/row_renderer.hpp"

namespace punie::dataset {

using backend::ModelFacts;
using backend::RenderedPiece;
using backend::RenderedRow;
using backend::RenderRequest;
using backend::RowRenderer;

}  // namespace punie::dataset
