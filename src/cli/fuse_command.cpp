// cli/fuse_command.cpp: `punie fuse`, an adapter merged into its model.

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.hpp"
#include "cli/made_model.hpp"
#include "pipeline/identity.hpp"

namespace punie::cli {

namespace {

struct Flags {
    training::FuseOptions fuse;
    std::string adapter;
    std::string out;
    std::string name;
    bool no_check = false;
    bool json = false;
};

ExitCode run_fuse(const Flags& flags, Terminal& terminal) {
    auto fuse = flags.fuse;
    fuse.adapter = flags.adapter;
    fuse.out = flags.out;
    fuse.check = !flags.no_check;
    Making making;
    making.kind = "fuse";
    making.name = flags.name;
    making.config = {
        {"model", fuse.model},
        {"adapter", flags.adapter},
        {"out", flags.out},
        {"dequantise", fuse.dequantise},
        {"check", fuse.check}
    };
    making.hashes = {
        {"model", pipeline::content_hash(fuse.model).value_or("")},
        {"adapter", pipeline::content_hash(flags.adapter).value_or("")}
    };
    making.json = flags.json;
    making.make = [&fuse](const training::MakeCalls& calls, std::stop_token stop) {
        return training::fuse_model(fuse, calls, std::move(stop));
    };
    return run_making(making, flags.out, terminal);
}

}  // namespace

void add_fuse(CLI::App& app, Commands& commands) {
    auto flags = std::make_shared<Flags>();
    auto* sub = app.add_subcommand("fuse", "Merge an adapter into its model");
    sub->add_option("--model", flags->fuse.model, "The base model: folder or hub name")->required();
    sub->add_option("--adapter", flags->adapter, "Folder of the adapter")->required();
    sub->add_option("--out", flags->out, "Folder of the new model")->required();
    sub->add_flag(
        "--dequantise,--dequantize",
        flags->fuse.dequantise,
        "Of a quantised base: the fused model gets full width"
    );
    sub->add_flag("--overwrite", flags->fuse.overwrite, "Replace the model that is there");
    sub->add_flag("--force", flags->fuse.force, "Although the disk seems too small");
    sub->add_flag("--no-check", flags->no_check, "Do not compare with base and adapter");
    sub->add_option("--name", flags->name, "Name of the run in the journal");
    sub->add_option(
        "--mlx-lm",
        flags->fuse.mlx_lm,
        "Where mlx_lm is: a virtual environment, its bin folder or its python"
    );
    sub->add_flag("--json", flags->json, "The result as one JSON object");
    sub->footer(
        "Examples:\n"
        "  punie fuse --model models/tiny --adapter adapters/first --out models/first\n"
        "  punie fuse --model models/qwen-4bit --adapter adapters/first --out models/first "
        "--dequantise\n\n"
        "The fused model is replayed against base with adapter on a few prompts; one that lost the "
        "adapter is not kept.\nIt is written beside --out and renamed into place."
    );
    commands.on(sub, [flags](Terminal& terminal) { return run_fuse(*flags, terminal); });
}

}  // namespace punie::cli
