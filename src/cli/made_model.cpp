#include "cli/made_model.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "journal/environment.hpp"
#include "journal/journal.hpp"
#include "pipeline/identity.hpp"

namespace punie::cli {

namespace {

using Made = Result<training::MadeModel>;

/// The run in the journal.
class Record {
public:
    Record(const Making& making, const std::string& out, Terminal& terminal) : terminal_(terminal) {
        begin(making, out);
    }

    void end(const Made& made) {
        if (!run_) return;
        using State = journal::RunState;
        if (made) {
            run_->state = State::done;
            auto results = training::to_json(*made);
            results["hash"] = pipeline::content_hash(made->folder).value_or("");
            run_->results_json = to_text(results);
        } else {
            const bool stopped = made.error().code() == ErrorCode::cancelled;
            run_->state = stopped ? State::interrupted : State::failed;
            run_->error = made.error().message();
        }
        if (auto updated = journal_->update(*run_); !updated) lost(updated.error());
    }

    std::string id() const { return run_ ? run_->id : ""; }

private:
    void begin(const Making& making, const std::string& out) {
        auto opened =
            journal::Journal::open(journal::find_journal_folder(std::filesystem::current_path()));
        if (!opened) return lost(opened.error());
        journal_.emplace(*std::move(opened));
        journal::Run run;
        run.kind = making.kind;
        run.name =
            making.name.empty() ? std::filesystem::path(out).filename().string() : making.name;
        run.command = typed_command();
        run.punie_version = PUNIE_VERSION;
        run.config_json = to_text(making.config);
        run.hashes_json = to_text(making.hashes);
        run.environment_json = journal::environment_json();
        auto begun = journal_->begin(std::move(run));
        if (!begun) return lost(begun.error());
        run_ = *std::move(begun);
    }

    void lost(const Error& error) {
        terminal_.note(fmt::format("note: not in the journal: {}", error.message()));
        run_.reset();
    }

    Terminal& terminal_;
    std::optional<journal::Journal> journal_;
    std::optional<journal::Run> run_;
};

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
    Record record(making, out, terminal);
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
    record.end(made);
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
