#pragma once
// The checks that need the model's own tokenizer and chat template.

#include <punie/error.hpp>

#include <vector>

#include "dataset/finding_log.hpp"
#include "dataset/folder.hpp"
#include "dataset/validate.hpp"

namespace punie::dataset {

/// Renders all rows with `options.renderer` and puts the exact figures into `splits`. Errors: those
/// of the renderer.
Result<void> check_rendered(
    const DataFolder& folder,
    const ValidateOptions& options,
    FindingLog& log,
    std::vector<SplitReport>& splits
);

}  // namespace punie::dataset
