// cli/dataset_command_validate.cpp: `punie dataset validate`, what in the data would hurt training.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/dataset_command.hpp"
#include "cli/interrupt.hpp"
#include "dataset/codes.hpp"
#include "dataset/repair.hpp"
#include "dataset/report_json.hpp"
#include "dataset/validate.hpp"

namespace punie::cli {

namespace {

using dataset::DataReport;
using dataset::Finding;
using dataset::Severity;

struct ValidateCommand {
    std::string place;
    dataset::ValidateOptions options;
    RendererChoice renderer;
    std::string sarif;
    std::string fix;
    std::string baseline;
    std::string write_baseline;
    std::size_t places = 3;
    bool no_near = false;
    bool no_duplicates = false;
    bool strict = false;
    bool force = false;
    bool json = false;
};

Colour colour_of(Severity severity) {
    if (severity == Severity::error) return Colour::red;
    return severity == Severity::warning ? Colour::yellow : Colour::cyan;
}

std::string place_of(const Finding& finding) {
    auto place = finding.file.empty() ? std::string("the folder") : finding.file;
    if (finding.line > 0) place = fmt::format("{}:{}", place, finding.line);
    if (finding.line > 0 && finding.column > 0) place = fmt::format("{}:{}", place, finding.column);
    return finding.field.empty() ? place : fmt::format("{} {}", place, finding.field);
}

/// All findings of one code under one heading.
void show_code(
    Terminal& terminal,
    const std::vector<const Finding*>& findings,
    std::size_t count,
    std::size_t places
) {
    const auto& info = dataset::code_info(findings.front()->code);
    const auto worst = std::ranges::min(findings, {}, &Finding::severity)->severity;
    terminal.print(fmt::format(
        "\n{} {} {}{}",
        terminal.paint(colour_of(worst), fmt::format("{:<7}", name_of(worst))),
        terminal.paint(Colour::bold, info.code),
        info.title,
        count > 1 ? fmt::format(" ({} times)", count) : ""
    ));
    for (std::size_t place = 0; place < std::min(places, findings.size()); ++place)
        terminal.print(fmt::format("  {}: {}", place_of(*findings[place]), findings[place]->message)
        );
    if (count > places)
        terminal.print(terminal.paint(
            Colour::dim, fmt::format("  ... and {} more", count - std::min(places, findings.size()))
        ));
    terminal.print(terminal.paint(Colour::dim, fmt::format("  why: {}", info.why)));
    terminal.print(terminal.paint(
        Colour::dim, fmt::format("  fix: {}{}", info.fix, info.repairable ? " (--fix does it)" : "")
    ));
}

void show_findings(Terminal& terminal, const DataReport& report, std::size_t places) {
    std::map<std::string, std::vector<const Finding*>> by_code;
    for (const auto& finding : report.findings) by_code[finding.code].push_back(&finding);
    for (const auto severity : {Severity::error, Severity::warning, Severity::note}) {
        for (const auto& [code, findings] : by_code) {
            if (std::ranges::min(findings, {}, &Finding::severity)->severity == severity)
                show_code(terminal, findings, report.counts.at(code), places);
        }
    }
}

std::string split_line(const dataset::SplitReport& split) {
    auto text = fmt::format(
        "  {:<12} {:>9} rows  {:<17} {:>10} tokens{}, longest {}",
        split.file,
        split.rows,
        split.format.empty() ? "no known format" : split.format,
        split.tokens,
        split.exact_tokens ? "" : " (estimated)",
        split.longest
    );
    if (split.exact_tokens) text += fmt::format(", {} trained", split.trained_tokens);
    if (split.rows_too_long > 0) text += fmt::format(", {} rows cut", split.rows_too_long);
    if (split.rows_untrained > 0)
        text += fmt::format(", {} without training", split.rows_untrained);
    if (split.rows_left_over > 0) text += fmt::format(", {} left over", split.rows_left_over);
    if (split.batches > 0) text += fmt::format(", padding {:.0f} %", 100 * split.padding_share);
    return text;
}

void show_report(Terminal& terminal, const ValidateCommand& command, const DataReport& report) {
    terminal.print(fmt::format(
        "{} (batch size {}, {} tokens{})",
        command.place,
        command.options.batch_size,
        command.options.max_seq_length,
        command.options.mask_prompt ? ", prompts masked" : ""
    ));
    for (const auto& split : report.splits) terminal.print(split_line(split));
    show_findings(terminal, report, command.places);
    const auto known =
        report.accepted > 0 ? fmt::format(", {} known ones left out", report.accepted) : "";
    if (report.errors + report.warnings + report.notes == 0) {
        terminal.print(fmt::format(
            "\n{} nothing found{} ({})",
            terminal.paint(Colour::green, "fine:"),
            known,
            human_duration(std::chrono::duration<double>(report.seconds))
        ));
        return;
    }
    const bool bad = report.errors > 0 || (command.strict && report.warnings > 0);
    terminal.print(fmt::format(
        "\n{} {} errors, {} warnings, {} notes{} ({})",
        bad ? terminal.paint(Colour::red, "not fit for training:")
            : terminal.paint(Colour::green, "fit for training:"),
        report.errors,
        report.warnings,
        report.notes,
        known,
        human_duration(std::chrono::duration<double>(report.seconds))
    ));
}

Result<void> write_files(const ValidateCommand& command, const DataReport& report) {
    if (!command.sarif.empty()) {
        if (auto done =
                write_atomic(command.sarif, dataset::report_as_sarif(report, command.place));
            !done)
            return done;
    }
    if (!command.write_baseline.empty())
        return write_atomic(command.write_baseline, dataset::baseline_text(report));
    return {};
}

void show_repairs(
    Terminal& terminal, const ValidateCommand& command, const dataset::RepairReport& repairs
) {
    if (command.json) {
        json::object counts;
        for (const auto& [code, count] : repairs.repairs) counts[code] = count;
        json::array files;
        for (const auto& file : repairs.files)
            files.push_back({{"file", file.name}, {"lines", file.rows_in}, {"rows", file.rows_out}}
            );
        terminal.print(to_text(
            {{"event", "repaired"},
             {"folder", command.fix},
             {"repairs", std::move(counts)},
             {"files", std::move(files)}}
        ));
        return;
    }
    terminal.print(fmt::format("\n{} written:", command.fix));
    for (const auto& file : repairs.files)
        terminal.print(
            fmt::format("  {:<12} {} lines -> {} rows", file.name, file.rows_in, file.rows_out)
        );
    if (repairs.repairs.empty()) terminal.print("  nothing there that can be repaired safely");
    for (const auto& [code, count] : repairs.repairs)
        terminal.print(
            fmt::format("  {:>8} times {} {}", count, code, dataset::code_info(code).title)
        );
    terminal.print(fmt::format("  check it: punie dataset validate {}", shell_quoted({command.fix}))
    );
}

Result<DataReport> check(ValidateCommand& command, Terminal& terminal, const Interrupt& interrupt) {
    auto& options = command.options;
    auto renderer = command.renderer.make(interrupt.token());
    if (!renderer) return std::unexpected(std::move(renderer).error());
    options.renderer = renderer->get();
    if (!command.baseline.empty()) {
        auto known = dataset::read_baseline(command.baseline);
        if (!known) return std::unexpected(std::move(known).error());
        options.accepted = *std::move(known);
    }
    if (!command.write_baseline.empty()) options.max_findings = 0;
    options.near = !command.no_near;
    options.duplicates = !command.no_duplicates;
    options.stop = interrupt.token();
    options.on_progress = [&terminal, &command](std::uint64_t done, std::uint64_t total) {
        terminal.progress(
            fmt::format("{}: {} of {}", command.place, human_bytes(done), human_bytes(total))
        );
    };
    auto report = dataset::validate_data(command.place, options);
    terminal.clear_progress();
    return report;
}

ExitCode run_validate(ValidateCommand& command, Terminal& terminal) {
    const Interrupt interrupt;
    const auto report = check(command, terminal, interrupt);
    if (!report) return terminal.report(report.error(), command.json);
    if (auto written = write_files(command, *report); !written)
        return terminal.report(written.error(), command.json);
    if (command.json) {
        terminal.print(to_text(dataset::report_as_json(*report)));
    } else {
        show_report(terminal, command, *report);
    }
    if (!command.fix.empty()) {
        const auto repairs = dataset::repair_data(command.place, command.fix, command.force);
        if (!repairs) return terminal.report(repairs.error(), command.json);
        show_repairs(terminal, command, *repairs);
    }
    if (!command.write_baseline.empty()) {
        if (!command.json)
            terminal.print(fmt::format(
                "{}: {} findings are known from now on",
                command.write_baseline,
                report->findings.size()
            ));
        return ExitCode::done;
    }
    const bool bad = report->errors > 0 || (command.strict && report->warnings > 0);
    return bad ? ExitCode::failed : ExitCode::done;
}

void add_training_options(CLI::App& sub, dataset::ValidateOptions& options) {
    const std::string group = "How it will be trained";
    sub.add_option("--batch-size", options.batch_size, "Rows of a batch")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str()
        ->group(group);
    sub.add_option(
           "--max-seq-length",
           options.max_seq_length,
           "Tokens of a row that are trained; the rest is cut"
    )
        ->check(CLI::Range(1, 100'000'000))
        ->capture_default_str()
        ->group(group);
    sub.add_flag("--mask-prompt", options.mask_prompt, "Only the answers are trained")
        ->group(group);
}

}  // namespace

void add_dataset_validate(CLI::App& dataset, Commands& commands) {
    auto command = std::make_shared<ValidateCommand>();
    auto* sub = dataset.add_subcommand("validate", "Find what in the data would hurt training");
    sub->add_option("place", command->place, "Folder with train.jsonl, or one .jsonl file")
        ->required();
    add_training_options(*sub, command->options);
    add_renderer_options(*sub, command->renderer, true);
    sub->add_option(
           "--max-findings", command->options.max_findings, "Findings kept of each code; 0: all"
    )
        ->capture_default_str();
    sub->add_option("--places", command->places, "Places shown of each code")
        ->capture_default_str();
    sub->add_flag("--emails", command->options.emails, "Tell e-mail addresses too");
    sub->add_flag("--no-near", command->no_near, "Leave out near-duplicates");
    sub->add_flag(
        "--no-duplicates", command->no_duplicates, "Leave out duplicates and leaks between files"
    );
    sub->add_flag("--strict", command->strict, "Warnings count as errors");
    sub->add_option(
        "--fix", command->fix, "Write a repaired copy into this folder (safe repairs only)"
    );
    sub->add_flag("--force", command->force, "Overwrite files of --fix");
    sub->add_option("--baseline", command->baseline, "Leave out the findings of this file");
    sub->add_option(
        "--write-baseline",
        command->write_baseline,
        "Write all findings into this file, as known ones"
    );
    sub->add_option("--sarif", command->sarif, "Write a SARIF 2.1.0 file for editors and CI");
    sub->add_flag("--json", command->json, "One JSON object");
    sub->footer(
        "Examples:\n"
        "  punie dataset validate data --batch-size 4 --mask-prompt\n"
        "  punie dataset validate data --model models/tiny --max-seq-length 512\n"
        "  punie dataset validate data --fix data-clean\n"
        "  punie dataset validate data --sarif data.sarif --strict\n"
        "  punie dataset validate data --write-baseline known.json; punie dataset validate data "
        "--baseline known.json\n\n"
        "Exit code 0 without errors, 1 with errors (with --strict also warnings), 2 bad usage. The "
        "codes are listed in\n"
        "docs/dataset-findings.md."
    );
    commands.on(sub, [command](Terminal& terminal) { return run_validate(*command, terminal); });
}

}  // namespace punie::cli
