#pragma once
// Rows as a model's tokenizer sees them: the interface alone, whoever implements it.

#include "base/row_rendering.hpp"

namespace punie::dataset {

using punie::ModelFacts;
using punie::RenderedPiece;
using punie::RenderedRow;
using punie::RenderRequest;
using punie::RowRenderer;

}  // namespace punie::dataset
