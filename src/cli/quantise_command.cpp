// cli/quantise_command.cpp: `punie quantise`, a model with fewer bits.

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.hpp"
#include "cli/made_model.hpp"
#include "pipeline/identity.hpp"

namespace punie::cli {

namespace {

struct Flags {
    training::QuantiseOptions quantise;
    std::string out;
    std::string name;
    bool json = false;
};

ExitCode run_quantise(const Flags& flags, Terminal& terminal) {
    auto quantise = flags.quantise;
    quantise.out = flags.out;
    Making making;
    making.kind = "quantise";
    making.name = flags.name;
    making.config = {
        {"model", quantise.model},
        {"out", flags.out},
        {"bits", quantise.bits},
        {"group_size", quantise.group_size}
    };
    making.hashes = {{"model", pipeline::content_hash(quantise.model).value_or("")}};
    making.json = flags.json;
    making.make = [&quantise](const training::MakeCalls& calls, std::stop_token stop) {
        return training::quantise_model(quantise, calls, std::move(stop));
    };
    return run_making(making, flags.out, terminal);
}

}  // namespace

void add_quantise(CLI::App& app, Commands& commands) {
    auto flags = std::make_shared<Flags>();
    auto* sub = app.add_subcommand("quantise", "Make a model smaller: fewer bits a weight");
    sub->alias("quantize");
    sub->add_option("--model", flags->quantise.model, "Model folder or hub name")->required();
    sub->add_option("--out", flags->out, "Folder of the new model")->required();
    sub->add_option("--bits", flags->quantise.bits, "Bits a weight")
        ->check(CLI::IsMember({4, 5, 6, 8}))
        ->capture_default_str();
    sub->add_option("--group-size", flags->quantise.group_size, "Weights that share a scale")
        ->check(CLI::IsMember({32, 64, 128}))
        ->capture_default_str();
    sub->add_flag("--overwrite", flags->quantise.overwrite, "Replace the model that is there");
    sub->add_flag("--force", flags->quantise.force, "Although the disk seems too small");
    sub->add_option("--name", flags->name, "Name of the run in the journal");
    sub->add_option(
        "--mlx-lm",
        flags->quantise.mlx_lm,
        "Where mlx_lm is: a virtual environment, its bin folder or its python"
    );
    sub->add_flag("--json", flags->json, "The result as one JSON object");
    sub->footer(
        "Examples:\n"
        "  punie quantise --model models/first --out models/first-4bit --bits 4\n"
        "  punie quantise --model models/first --out models/first-8bit --bits 8 --group-size 32\n\n"
        "It is written beside --out and renamed into place."
    );
    commands.on(sub, [flags](Terminal& terminal) { return run_quantise(*flags, terminal); });
}

}  // namespace punie::cli
