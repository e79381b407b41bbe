#pragma once
// The whole table of docs/bad-input.md.

#include "integration/cli/bad_input_answers.hpp"
#include "integration/cli/bad_input_runs.hpp"
#include "integration/cli/bad_input_serving.hpp"
#include "integration/cli/bad_input_suites.hpp"
#include "integration/cli/bad_input_training.hpp"

namespace punie::cli::test {

/// In the page's order.
inline std::vector<BadInput> bad_inputs() {
    std::vector<BadInput> all;
    for (auto part :
         {bad_input_serving, bad_input_suites, bad_input_answers, bad_input_runs, bad_input_training
         }) {
        for (auto& row : part()) all.push_back(std::move(row));
    }
    return all;
}

}  // namespace punie::cli::test
