#pragma once
// The run in the journal of a command whose work matters more than its record: a journal that
// cannot be written is said once and stops nothing.

#include <punie/error.hpp>

#include <optional>
#include <string>

#include "base/json.hpp"
#include "cli/terminal.hpp"
#include "journal/journal.hpp"

namespace punie::cli {

class RunRecord {
public:
    explicit RunRecord(Terminal& terminal) : terminal_(terminal) {}

    /// Opens the working folder's journal and begins `run` (kind, name, config, hashes) in it.
    void begin(journal::Run run);

    /// The run, to be filled in before `end`; nothing when there is none (not begun, or lost).
    journal::Run* run() { return run_ ? &*run_ : nullptr; }

    void add(const journal::TrainingPoint& point);

    /// Writes the run as it is now.
    void end();
    /// Writes it as failed, or as interrupted when `error` is a cancellation.
    void end(const Error& error);

    /// Its id; "" when there is none.
    std::string id() const { return run_ ? run_->id : ""; }

private:
    void lost(const Error& error);

    Terminal& terminal_;
    std::optional<journal::Journal> journal_;
    std::optional<journal::Run> run_;
};

}  // namespace punie::cli
