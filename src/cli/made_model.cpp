#include "cli/made_model.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "base/text.hpp"
#include "cli/interrupt.hpp"
#include "cli/run_record.hpp"
#include "pipeline/identity.hpp"

namespace punie::cli {

namespace {

void begin(RunRecord& record, const Making& making, const std::string& out) {
    journal::Run run;
    run.kind = making.kind;
    run.name = making.name.empty() ? std::filesystem::path(out).filename().string() : making.name;
    run.config_json = to_text(making.config);
    run.hashes_json = to_text(making.hashes);
    record.begin(std::move(run));
}

void end(RunRecord& record, const Result<training::MadeModel>& made) {
    if (!made) return record.end(made.error());
    auto* run = record.run();
    if (run == nullptr) return;
    run->state = journal::RunState::done;
    auto results = training::to_json(*made);
    results["hash"] = pipeline::content_hash(made->folder).value_or("");
    run->results_json = to_text(results);
    record.end();
}

void row(Terminal& terminal, std::string_view name, const std::string& value) {
    terminal.print(fmt::format("  {:<18}{}", name, value));
}

void show(Terminal& terminal, const training::MadeModel& made) {
    row(terminal, "model", made.folder.string());
    row(terminal,
        "weights",
        fmt::format("{}, before {}", human_bytes(made.bytes), human_bytes(made.bytes_before)));
    if (made.bits_per_weight > 0)
        row(terminal, "bits per weight", fmt::format("{:.3f}", made.bits_per_weight));
    if (const auto& check = made.check) {
        row(terminal,
            "replayed",
            fmt::format(
                "{} prompts: {:.4f} nats from base with adapter, {:.4f} from the base alone",
                check->prompts,
                check->adapter_to_fused,
                check->fused_to_base
            ));
    }
    row(terminal, "took", human_duration(std::chrono::duration<double>(made.seconds)));
    for (const auto& note : made.notes) row(terminal, "note", note);
}

}  // namespace

ExitCode run_making(const Making& making, const std::string& out, Terminal& terminal) {
    const Interrupt interrupt;
    RunRecord record(terminal);
    begin(record, making, out);
    training::MakeCalls calls;
    if (!making.json) {
        calls.on_progress = [&](const std::string& phase, double seconds) {
            terminal.progress(
                fmt::format("{}  {}", phase, human_duration(std::chrono::duration<double>(seconds)))
            );
        };
    }
    const auto made = making.make(calls, interrupt.token());
    terminal.clear_progress();
    end(record, made);
    if (!made) return terminal.report(made.error(), making.json);
    if (making.json) {
        auto object = training::to_json(*made);
        object["run"] = record.id();
        terminal.print(to_text(object));
        return ExitCode::done;
    }
    show(terminal, *made);
    if (!record.id().empty()) terminal.print("\n  " + terminal.paint(Colour::cyan, record.id()));
    return ExitCode::done;
}

}  // namespace punie::cli
