#pragma once
// An experiment file: variants of a model, what is done to make them, how they are judged. Read,
// checked whole, then immutable. docs/experiments.md describes the format.

#include <punie/error.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace punie::pipeline {

/// How a variant comes to be.
enum class VariantKind {
    base,      ///< the experiment's model, or another folder (`model`)
    adapter,   ///< an adapter that exists already (`adapter`)
    train,     ///< an adapter that this experiment trains
    fuse,      ///< an adapter of another variant merged into its model
    quantise,  ///< another variant's model with fewer bits
    endpoint,  ///< a server that is not ours (`url`)
};
std::string_view name_of(VariantKind kind);

struct Variant {
    std::string name;
    VariantKind kind = VariantKind::base;
    std::string backend = "mlx";
    std::string model;    ///< base, adapter: folder or hub name ("" is the experiment's)
    std::string adapter;  ///< adapter: folder
    std::string url;      ///< endpoint
    std::string from;     ///< fuse, quantise: the variant that it is made of
    json::object
        settings;  ///< train: keys of mlx_lm's own configuration; quantise: bits, group_size
    bool evaluate = true;
    int line = 0;
};

struct EvaluateSettings {
    std::optional<int> repeats{};
    std::optional<int> max_tokens{};
    std::optional<double> temperature{};
    std::optional<std::uint64_t> seed{};
    std::size_t limit = 0;
    int concurrency = 0;
    double request_seconds = 300;
};

struct CompareSettings {
    std::string baseline;  ///< name of a variant; the first one if not said
    std::optional<double> threshold{};
    std::optional<double> min_gain{};
    std::vector<std::string> no_regression{};
};

struct FeasibilitySettings {
    bool wanted = false;
    int iterations = 3;
    std::string require;  ///< excellent, acceptable, slow; "" only looks
};

struct Experiment {
    std::string name;
    std::filesystem::path file;
    std::filesystem::path folder;  ///< of the file: relative paths are seen from here
    std::string model;             ///< as given; made absolute when it is a folder
    std::filesystem::path suite;
    std::filesystem::path data;  ///< "" when nothing is trained
    std::filesystem::path out;   ///< where adapters and models are made
    bool check_data = true;
    bool strict_data = false;  ///< warnings stop the experiment, too
    FeasibilitySettings feasibility{};
    std::vector<Variant> variants;
    EvaluateSettings evaluate{};
    CompareSettings compare{};
    std::filesystem::path report_html{};  ///< "" is out/report.html
    std::string mlx_lm{};                 ///< where mlx_lm is; "" looks as `punie doctor` says

    const Variant* find(const std::string& variant) const;
};

/// Every fault is in the message, a line each "experiment.yaml:12:5: variants[1].from: ...".
/// Errors: not_found, io, invalid_argument.
Result<Experiment> read_experiment(const std::filesystem::path& file);
Result<Experiment> parse_experiment(std::string_view text, const std::filesystem::path& file);

/// A commented starting file for `punie init`.
std::string starting_experiment(const std::string& name);

}  // namespace punie::pipeline
