// cli/dataset_command_stats.cpp: `punie dataset stats`, what is in the data.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>

#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/dataset_command.hpp"
#include "cli/interrupt.hpp"
#include "dataset/stats.hpp"

namespace punie::cli {

namespace {

using dataset::Distribution;
using dataset::FileStats;

struct StatsCommand {
    std::string place;
    RendererChoice renderer;
    bool mask_prompt = false;
    std::size_t max_seq_length = 2048;
    bool json = false;
};

json::value counts_json(const std::map<std::string, std::size_t>& counts) {
    json::object object;
    for (const auto& [name, count] : counts) object[name] = count;
    return object;
}

json::value distribution_json(const Distribution& found) {
    json::array bins;
    for (const auto& bin : found.histogram)
        bins.push_back({{"from", bin.from}, {"to", bin.to}, {"rows", bin.rows}});
    return {
        {"count", found.count},
        {"mean", found.mean},
        {"min", found.least},
        {"p50", found.median},
        {"p90", found.p90},
        {"p99", found.p99},
        {"max", found.most},
        {"histogram", std::move(bins)},
    };
}

json::value file_json(const FileStats& file) {
    return {
        {"file", file.file},
        {"bytes", file.bytes},
        {"rows", file.rows},
        {"bad_rows", file.bad_rows},
        {"formats", counts_json(file.formats)},
        {"roles", counts_json(file.roles)},
        {"with_system", file.with_system},
        {"with_tools", file.with_tools},
        {"calling", file.calling},
        {"calls", counts_json(file.calls)},
        {"exact_tokens", file.exact_tokens},
        {"tokens", distribution_json(file.tokens)},
        {"trained_tokens", distribution_json(file.trained_tokens)},
        {"messages", distribution_json(file.turns)},
        {"answer_bytes", distribution_json(file.answer_characters)},
    };
}

std::string listed(const std::map<std::string, std::size_t>& counts) {
    std::vector<std::pair<std::size_t, std::string>> sorted;
    for (const auto& [name, count] : counts) sorted.emplace_back(count, name);
    std::ranges::sort(sorted, std::greater());
    std::vector<std::string> words;
    constexpr std::size_t most = 8;
    for (const auto& [count, name] : sorted) {
        if (words.size() == most) {
            words.push_back(fmt::format("and {} more", sorted.size() - most));
            break;
        }
        words.push_back(fmt::format("{} {}", name, count));
    }
    return fmt::format("{}", fmt::join(words, ", "));
}

void show_distribution(Terminal& terminal, std::string_view name, const Distribution& found) {
    if (found.count == 0) return;
    terminal.print(fmt::format(
        "  {:<16} median {}, 90 % up to {}, 99 % up to {}, longest {}",
        name,
        found.median,
        found.p90,
        found.p99,
        found.most
    ));
}

void show_histogram(Terminal& terminal, const Distribution& found) {
    std::size_t most = 1;
    for (const auto& bin : found.histogram) most = std::max(most, bin.rows);
    constexpr std::size_t width = 40;
    for (const auto& bin : found.histogram) {
        std::string bar;
        const auto length = (bin.rows * width + most - 1) / most;
        for (std::size_t place = 0; place < length; ++place) bar += "█";
        terminal.print(fmt::format(
            "    {:>7}-{:<7} {:>8} {}",
            bin.from,
            bin.to - 1,
            bin.rows,
            terminal.paint(Colour::cyan, bar)
        ));
    }
}

void show(Terminal& terminal, const FileStats& file) {
    terminal.print(fmt::format(
        "{}  {} rows, {}{}",
        terminal.paint(Colour::bold, file.file),
        file.rows,
        human_bytes(file.bytes),
        file.bad_rows > 0 ? fmt::format(", {} lines that cannot be read", file.bad_rows) : ""
    ));
    if (file.rows == 0) return;
    terminal.print(fmt::format("  {:<16} {}", "formats", listed(file.formats)));
    if (!file.roles.empty())
        terminal.print(fmt::format("  {:<16} {}", "messages", listed(file.roles)));
    show_distribution(terminal, "messages a row", file.turns);
    if (file.with_system > 0)
        terminal.print(fmt::format("  {:<16} {} rows", "system prompt", file.with_system));
    if (file.with_tools + file.calling > 0)
        terminal.print(fmt::format(
            "  {:<16} {} rows declare some, {} call one", "tools", file.with_tools, file.calling
        ));
    if (!file.calls.empty())
        terminal.print(fmt::format("  {:<16} {}", "calls", listed(file.calls)));
    show_distribution(terminal, "answer bytes", file.answer_characters);
    show_distribution(terminal, file.exact_tokens ? "tokens" : "tokens (about)", file.tokens);
    show_distribution(terminal, "trained tokens", file.trained_tokens);
    show_histogram(terminal, file.tokens);
}

ExitCode run_stats(const StatsCommand& command, Terminal& terminal) {
    const Interrupt interrupt;
    const auto renderer = command.renderer.make(interrupt.token());
    if (!renderer) return terminal.report(renderer.error(), command.json);
    const auto stats = dataset::data_stats(
        command.place, renderer->get(), command.mask_prompt, command.max_seq_length
    );
    if (!stats) return terminal.report(stats.error(), command.json);
    if (command.json) {
        json::array files;
        for (const auto& file : *stats) files.push_back(file_json(file));
        terminal.print(to_text({{"event", "stats"}, {"files", std::move(files)}}));
        return ExitCode::done;
    }
    for (const auto& file : *stats) show(terminal, file);
    return ExitCode::done;
}

}  // namespace

void add_dataset_stats(CLI::App& dataset, Commands& commands) {
    auto command = std::make_shared<StatsCommand>();
    auto* sub = dataset.add_subcommand("stats", "Count rows, messages, tools and tokens");
    sub->add_option("place", command->place, "Folder with train.jsonl, or one .jsonl file")
        ->required();
    add_renderer_options(*sub, command->renderer, false);
    sub->add_flag("--mask-prompt", command->mask_prompt, "Count the answers' tokens as trained");
    sub->add_option("--max-seq-length", command->max_seq_length, "Tokens of a row that are trained")
        ->check(CLI::Range(1, 100'000'000))
        ->capture_default_str();
    sub->add_flag("--json", command->json, "One JSON object");
    sub->footer(
        "Examples:\n  punie dataset stats data\n  punie dataset stats data --model models/tiny "
        "--mask-prompt"
    );
    commands.on(sub, [command](Terminal& terminal) { return run_stats(*command, terminal); });
}

}  // namespace punie::cli
