// cli/dataset_command.cpp: `punie dataset`, and its create, split and convert.

#include "cli/dataset_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <punie/dataset.hpp>

#include "base/files.hpp"
#include "base/json.hpp"
#include "dataset/convert.hpp"
#include "dataset/create.hpp"
#include "dataset/split.hpp"

namespace punie::cli {

namespace fs = std::filesystem;

Result<std::unique_ptr<backend::RowRenderer>> RendererChoice::make(std::stop_token stop) const {
    if (model.empty()) {
        if (serving_template.empty() && serving_model.empty()) return nullptr;
        return fail(
            ErrorCode::invalid_argument,
            "--serving-template and --serving-model compare with a model, and none was named",
            "--model FOLDER"
        );
    }
    if (!serving_template.empty() && !serving_model.empty())
        return fail(
            ErrorCode::invalid_argument,
            "--serving-template and --serving-model were both given",
            "give one"
        );
    backend::RowRendererOptions options{
        .model = model, .mlx_lm = mlx_lm, .serving_model = serving_model, .stop = std::move(stop)
    };
    if (!serving_template.empty()) {
        auto text = read_text(serving_template);
        if (!text) return std::unexpected(std::move(text).error());
        options.serving_template = *std::move(text);
    }
    return backend::make_row_renderer(std::move(options));
}

void add_renderer_options(CLI::App& command, RendererChoice& choice, bool serving) {
    const std::string group = "With a model";
    command
        .add_option(
            "--model", choice.model, "Count and render with this model's tokenizer and template"
        )
        ->group(group);
    command.add_option("--mlx-lm", choice.mlx_lm, "Where mlx_lm is installed")->group(group);
    if (!serving) return;
    command
        .add_option(
            "--serving-template",
            choice.serving_template,
            "Compare with this chat template, which serves"
        )
        ->group(group);
    command
        .add_option(
            "--serving-model", choice.serving_model, "Compare with the chat template of this model"
        )
        ->group(group);
}

namespace {

struct CreateOptions {
    std::string folder;
    std::string kind = "tools";
    int rows = 100;
    int words = 0;
    bool force = false;
    bool json = false;
};

ExitCode run_create(const CreateOptions& options, Terminal& terminal) {
    const auto done =
        options.kind == "chat"
            ? create_dummy_dataset(options.folder, options.rows, options.words)
            : dataset::create_tool_dataset(
                  options.folder, static_cast<std::size_t>(std::max(0, options.rows)), options.force
              );
    if (!done) return terminal.report(done.error(), options.json);
    if (options.json) {
        terminal.print(
            to_text({{"event", "created"}, {"folder", options.folder}, {"rows", options.rows}})
        );
    } else {
        terminal.print(fmt::format(
            "{}: {} rows in train.jsonl, and valid.jsonl and test.jsonl",
            options.folder,
            options.rows
        ));
    }
    return ExitCode::done;
}

void add_create(CLI::App& dataset, Commands& commands) {
    auto options = std::make_shared<CreateOptions>();
    auto* sub = dataset.add_subcommand("create", "Write a small set to begin with");
    sub->add_option("folder", options->folder, "Folder to write to")->required();
    sub->add_option(
           "--kind",
           options->kind,
           "tools: calls of three tools and questions without; chat: words for measuring"
    )
        ->check(CLI::IsMember({"tools", "chat"}))
        ->capture_default_str();
    sub->add_option("--rows", options->rows, "Rows of train.jsonl")
        ->check(CLI::Range(1, 100'000'000))
        ->capture_default_str();
    sub->add_option("--words", options->words, "Words of an answer (chat)")
        ->check(CLI::Range(0, 1'000'000));
    sub->add_flag("--force", options->force, "Overwrite");
    sub->add_flag("--json", options->json, "One JSON object");
    sub->footer(
        "Examples:\n  punie dataset create data/tools --rows 200\n  punie dataset create "
        "data/dummy --kind chat --words 300"
    );
    commands.on(sub, [options](Terminal& terminal) { return run_create(*options, terminal); });
}

struct SplitCommand {
    std::string in;
    std::string out;
    dataset::SplitOptions split;
    bool far = false;
    bool keep_order = false;
    bool json = false;
};

ExitCode run_split(SplitCommand& options, Terminal& terminal) {
    options.split.near = !options.far;
    options.split.shuffle = !options.keep_order;
    const auto result = dataset::split_data(options.in, options.out, options.split);
    if (!result) return terminal.report(result.error(), options.json);
    if (options.json) {
        terminal.print(to_text(
            {{"event", "split"},
             {"rows", result->rows},
             {"groups", result->groups},
             {"largest_group", result->largest_group},
             {"train", result->train},
             {"valid", result->valid},
             {"test", result->test},
             {"seed", options.split.seed}}
        ));
        return ExitCode::done;
    }
    terminal.print(fmt::format(
        "{} rows: {} to train, {} to validate, {} to test (seed {})",
        result->rows,
        result->train,
        result->valid,
        result->test,
        options.split.seed
    ));
    if (result->groups < result->rows) {
        terminal.print(fmt::format(
            "{} groups of rows that are alike stay together; the largest has {} rows",
            result->groups,
            result->largest_group
        ));
    }
    if (result->valid == 0 && options.split.valid > 0)
        terminal.note(
            "no row was left for valid.jsonl: the set is too small, or its rows are too much alike"
        );
    return ExitCode::done;
}

void add_split(CLI::App& dataset, Commands& commands) {
    auto options = std::make_shared<SplitCommand>();
    auto* sub =
        dataset.add_subcommand("split", "Make train, valid and test of one set, without leaks");
    sub->add_option("in", options->in, "A .jsonl file, or a folder whose files are taken together")
        ->required();
    sub->add_option("out", options->out, "Folder for train.jsonl, valid.jsonl and test.jsonl")
        ->required();
    sub->add_option("--valid", options->split.valid, "Share of the rows for validation")
        ->check(CLI::Range(0.0, 0.9))
        ->capture_default_str();
    sub->add_option("--test", options->split.test, "Share of the rows for the test")
        ->check(CLI::Range(0.0, 0.9))
        ->capture_default_str();
    sub->add_option("--seed", options->split.seed, "Which rows go where")->capture_default_str();
    sub->add_option(
        "--group-by",
        options->split.group_by,
        "Rows with one value of this field stay together (id, meta.user)"
    );
    sub->add_flag("--ignore-near", options->far, "Rows that are nearly the same may be parted");
    sub->add_flag("--keep-order", options->keep_order, "Do not shuffle the rows");
    sub->add_flag("--force", options->split.force, "Overwrite files");
    sub->add_flag("--json", options->json, "One JSON object");
    sub->footer(
        "Examples:\n"
        "  punie dataset split rows.jsonl data --valid 0.1 --test 0.1 --seed 7\n"
        "  punie dataset split rows.jsonl data --group-by conversation_id\n\n"
        "The same rows, options and seed give the same files. Rows of one prompt, duplicates and "
        "near-duplicates go\n"
        "into one file, so that no test was trained on."
    );
    commands.on(sub, [options](Terminal& terminal) { return run_split(*options, terminal); });
}

struct ConvertCommand {
    std::string in;
    std::string out;
    std::string to = "chat";
    std::string arguments = "object";
    bool force = false;
    bool json = false;
};

ExitCode run_convert(const ConvertCommand& options, Terminal& terminal) {
    const dataset::ConvertOptions convert{
        .to = options.to == "chat" ? dataset::Target::chat : dataset::Target::completion,
        .arguments = options.arguments == "object"   ? dataset::Arguments::object
                     : options.arguments == "string" ? dataset::Arguments::string
                                                     : dataset::Arguments::keep,
        .force = options.force
    };
    const auto result = dataset::convert_data(options.in, options.out, convert);
    if (!result) return terminal.report(result.error(), options.json);
    if (options.json) {
        json::object formats;
        for (const auto& [name, count] : result->formats) formats[name] = count;
        terminal.print(to_text(
            {{"event", "converted"},
             {"rows", result->rows},
             {"formats", std::move(formats)},
             {"out", options.out}}
        ));
        return ExitCode::done;
    }
    terminal.print(fmt::format("{}: {} rows", options.out, result->rows));
    for (const auto& [name, count] : result->formats)
        terminal.print(fmt::format("  {:>8} {}", count, name));
    return ExitCode::done;
}

void add_convert(CLI::App& dataset, Commands& commands) {
    auto options = std::make_shared<ConvertCommand>();
    auto* sub =
        dataset.add_subcommand("convert", "Rows of other tools into rows that mlx_lm reads");
    sub->add_option("in", options->in, "A .jsonl, .json or .csv file")->required();
    sub->add_option("out", options->out, "The .jsonl file to write")->required();
    sub->add_option("--to", options->to, "chat (messages) or completion (prompt and completion)")
        ->check(CLI::IsMember({"chat", "completion"}))
        ->capture_default_str();
    sub->add_option("--arguments", options->arguments, "Form of the arguments of tool calls")
        ->check(CLI::IsMember({"object", "string", "keep"}))
        ->capture_default_str();
    sub->add_flag("--force", options->force, "Overwrite the file");
    sub->add_flag("--json", options->json, "One JSON object");
    sub->footer(
        "Examples:\n"
        "  punie dataset convert sharegpt.json data/train.jsonl\n"
        "  punie dataset convert alpaca.jsonl data/train.jsonl\n"
        "  punie dataset convert faq.csv data/train.jsonl --to completion\n\n"
        "Understood: chat, prompt/completion, ShareGPT, Alpaca, preference pairs (the chosen "
        "answer), question and\n"
        "answer under usual names, functions and function_call of the older interface."
    );
    commands.on(sub, [options](Terminal& terminal) { return run_convert(*options, terminal); });
}

}  // namespace

void add_dataset(CLI::App& app, Commands& commands) {
    auto* dataset = app.add_subcommand(
        "dataset", "Create, check, count, split, convert and look at training data"
    );
    dataset->footer(
        "Examples:\n"
        "  punie dataset validate data                  what in it would hurt training\n"
        "  punie dataset validate data --model M --mask-prompt\n"
        "  punie dataset show data 3 --model M          a row as the model sees it\n"
        "  punie dataset split rows.jsonl data          train, valid and test without leaks"
    );
    add_create(*dataset, commands);
    add_dataset_validate(*dataset, commands);
    add_dataset_stats(*dataset, commands);
    add_split(*dataset, commands);
    add_convert(*dataset, commands);
    add_dataset_show(*dataset, commands);
}

}  // namespace punie::cli
