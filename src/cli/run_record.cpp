#include "cli/run_record.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "cli/commands.hpp"
#include "pipeline/attempt.hpp"

namespace punie::cli {

void RunRecord::begin(journal::Run run) {
    auto opened =
        journal::Journal::open(journal::find_journal_folder(std::filesystem::current_path()));
    if (!opened) return lost(opened.error());
    journal_.emplace(*std::move(opened));
    pipeline::begin_attempt(run, typed_command());
    auto begun = journal_->begin(std::move(run));
    if (!begun) return lost(begun.error());
    run_ = *std::move(begun);
}

void RunRecord::add(const journal::TrainingPoint& point) {
    if (!run_) return;
    if (const auto added = journal_->add_point(run_->id, point); !added) lost(added.error());
}

void RunRecord::end() {
    if (!run_) return;
    if (const auto updated = journal_->update(*run_); !updated) lost(updated.error());
}

void RunRecord::end(const Error& error) {
    if (!run_) return;
    pipeline::end_with(*run_, error);
    end();
}

void RunRecord::lost(const Error& error) {
    terminal_.note(fmt::format("note: not in the journal: {}", error.message()));
    run_.reset();
}

}  // namespace punie::cli
