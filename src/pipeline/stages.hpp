#pragma once
// An experiment as a graph of stages. Pure: what is made of what, in which order, with which
// settings; keys are filled in as the inputs become known.

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "pipeline/experiment.hpp"

namespace punie::pipeline {

enum class StageKind { data, feasibility, train, fuse, quantise, evaluate, compare, report };
std::string_view name_of(StageKind kind);

struct Stage {
    std::string id;  ///< "train:tuned", "evaluate:base", "compare"
    StageKind kind = StageKind::data;
    std::string variant;             ///< "" of data, compare, report
    std::vector<std::string> needs;  ///< ids of stages that must be done before
    json::object settings;           ///< what decides its result besides its inputs
};

/// In an order in which they can run: evaluations of what exists come first, so that a mistake in
/// the suite shows before an hour of training; independent stages keep the file's order.
std::vector<Stage> stages_of(const Experiment& experiment);

}  // namespace punie::pipeline
