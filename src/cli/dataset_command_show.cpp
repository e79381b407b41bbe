// cli/dataset_command_show.cpp: `punie dataset show`, one row as a person or as the model sees it.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <optional>

#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/dataset_command.hpp"
#include "cli/interrupt.hpp"
#include "dataset/show.hpp"

namespace punie::cli {

namespace {

struct ShowCommand {
    std::string place;
    std::size_t row = 1;
    RendererChoice renderer;
    bool mask_prompt = false;
    std::size_t max_seq_length = 2048;
    bool json = false;
};

/// Text from outside: line ends stay, everything else that would drive the terminal goes.
std::string safe(std::string_view text) {
    std::string lines;
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        if (at > 0) lines += '\n';
        lines += printable(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

/// The trained part in colour, or between marks where there is none.
std::string marked(const Terminal& terminal, std::string_view text, bool trained, bool cut) {
    const auto colour = cut ? Colour::red : trained ? Colour::green : Colour::dim;
    const auto painted = terminal.paint(colour, safe(text));
    if (painted != safe(text)) return painted;
    if (cut) return fmt::format("⟦cut: {}⟧", painted);
    return trained ? fmt::format("⟦{}⟧", painted) : painted;
}

json::value parts_json(const dataset::ShownRow& row) {
    json::array parts;
    for (const auto& part : row.parts)
        parts.push_back({{"role", part.role}, {"text", part.text}, {"trained", part.trained}});
    return parts;
}

json::value rendered_json(const backend::RenderedRow& row) {
    json::array pieces;
    for (const auto& piece : row.pieces)
        pieces.push_back(
            {{"text", piece.text},
             {"trained", piece.trained},
             {"cut", piece.cut},
             {"tokens", piece.tokens}}
        );
    return {
        {"error", row.error},
        {"tokens", row.tokens},
        {"trained", row.trained},
        {"offset", row.offset},
        {"prompt_differs", row.prompt_differs},
        {"training_text", row.training_text},
        {"serving_text", row.serving_text},
        {"ends_with_eos", row.ends_with_eos},
        {"pieces", std::move(pieces)},
    };
}

Result<std::optional<backend::RenderedRow>> render(
    const ShowCommand& command, const dataset::ShownRow& row
) {
    const Interrupt interrupt;
    const auto renderer = command.renderer.make(interrupt.token());
    if (!renderer) return std::unexpected(renderer.error());
    if (*renderer == nullptr) return std::nullopt;
    const backend::RenderRequest request{
        .files = {row.file},
        .lines = {row.line},
        .mask_prompt = command.mask_prompt,
        .max_seq_length = command.max_seq_length,
        .pieces = true
    };
    std::optional<backend::RenderedRow> rendered;
    const auto done = (*renderer)->render(
        request,
        [](const backend::ModelFacts&) {},
        [&](const backend::RenderedRow& one) { rendered = one; }
    );
    if (!done) return std::unexpected(done.error());
    if (!rendered)
        return fail(
            ErrorCode::protocol,
            fmt::format("the tokenizer had nothing to say about line {}", row.line)
        );
    return rendered;
}

void show_rendered(Terminal& terminal, const backend::RenderedRow& row) {
    if (!row.error.empty()) {
        terminal.print(terminal.paint(
            Colour::red, fmt::format("the template refuses it: {}", printable(row.error))
        ));
        return;
    }
    std::string text;
    for (const auto& piece : row.pieces)
        text += marked(terminal, piece.text, piece.trained, piece.cut);
    terminal.print(text);
    terminal.print(fmt::format("\n{} tokens, {} trained (marked)", row.tokens, row.trained));
    if (row.prompt_differs) {
        terminal.print(
            terminal.paint(Colour::red, "training and serving render the prompt differently:")
        );
        terminal.print(fmt::format("  training: {}", printable(row.training_text)));
        terminal.print(fmt::format("  serving:  {}", printable(row.serving_text)));
    }
    if (!row.ends_with_eos)
        terminal.print(terminal.paint(
            Colour::red,
            fmt::format("the last token, {}, does not end the answer", printable(row.last_token))
        ));
}

ExitCode run_show(const ShowCommand& command, Terminal& terminal) {
    const auto row = dataset::show_row(command.place, command.row, command.mask_prompt);
    if (!row) return terminal.report(row.error(), command.json);
    const auto rendered = render(command, *row);
    if (!rendered) return terminal.report(rendered.error(), command.json);
    if (command.json) {
        json::object shown = {
            {"event", "row"},
            {"file", row->file.native()},
            {"row", command.row},
            {"line", row->line},
            {"format", row->format},
            {"parts", parts_json(*row)},
        };
        if (*rendered) shown["rendered"] = rendered_json(**rendered);
        terminal.print(to_text(shown));
        return ExitCode::done;
    }
    terminal.print(terminal.paint(
        Colour::bold,
        fmt::format(
            "{} line {} ({})",
            row->file.native(),
            row->line,
            row->format.empty() ? "no known format" : row->format
        )
    ));
    if (*rendered) {
        show_rendered(terminal, **rendered);
        return ExitCode::done;
    }
    for (const auto& part : row->parts) {
        terminal.print(terminal.paint(
            Colour::bold, fmt::format("{}{}", part.role, part.trained ? " (trained)" : "")
        ));
        terminal.print(fmt::format("{}", safe(part.text)));
    }
    return ExitCode::done;
}

}  // namespace

void add_dataset_show(CLI::App& dataset, Commands& commands) {
    auto command = std::make_shared<ShowCommand>();
    auto* sub = dataset.add_subcommand("show", "Show a row, with --model as the model sees it");
    sub->add_option("place", command->place, "Folder with train.jsonl, or one .jsonl file")
        ->required();
    sub->add_option("row", command->row, "Number of the row")
        ->check(CLI::Range(1UL, 1'000'000'000UL))
        ->capture_default_str();
    add_renderer_options(*sub, command->renderer, true);
    sub->add_flag("--mask-prompt", command->mask_prompt, "Only the last answer is trained");
    sub->add_option(
           "--max-seq-length", command->max_seq_length, "Tokens that are trained; the rest is cut"
    )
        ->check(CLI::Range(1, 100'000'000))
        ->capture_default_str();
    sub->add_flag("--json", command->json, "One JSON object");
    sub->footer(
        "Examples:\n"
        "  punie dataset show data 12\n"
        "  punie dataset show data/valid.jsonl 3 --model models/tiny --mask-prompt"
    );
    commands.on(sub, [command](Terminal& terminal) { return run_show(*command, terminal); });
}

}  // namespace punie::cli
