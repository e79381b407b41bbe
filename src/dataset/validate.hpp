#pragma once
// Checks a folder of training data before mlx_lm sees it.
//
//   auto report = dataset::validate_data("data", {.batch_size = 4, .mask_prompt = true});
//   if (!report) ...                     // the folder does not exist or cannot be read
//   if (!report->usable()) ...           // errors found: report->findings, each with its place
//   report->train()->rows_too_long ...   // what the trainer would do without a word
//
// The rows are streamed: one line and tables of hashes are in memory, no more (README.md says how
// much a row). Thread: any one; two calls may run at once.

#include <punie/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/finding.hpp"
#include "dataset/renderer.hpp"

namespace punie::dataset {

struct ValidateOptions {
    std::size_t batch_size = 4;         ///< mlx_lm's default
    std::size_t max_seq_length = 2048;  ///< tokens; without a renderer they are estimated
    bool mask_prompt = false;
    bool duplicates = true;          ///< duplicates within a split and leaks between splits
    bool near = true;                ///< the near ones too (MinHash)
    bool emails = false;             ///< e-mail addresses as notes
    std::size_t max_findings = 100;  ///< kept of each code; all are counted. 0: no limit
    std::set<std::string> accepted{
    };  ///< fingerprints that are known and not to be told (baseline)
    RowRenderer* renderer = nullptr;  ///< exact tokens and the template's checks; not owned
    std::stop_token stop{};
    std::function<void(std::uint64_t done, std::uint64_t total)> on_progress{
    };  ///< bytes, about 10 times a second
};

/// One file of the folder.
struct SplitReport {
    std::string split;  ///< "train", "valid", "test"; the file's stem for a single file
    std::string file;
    std::uint64_t bytes = 0;
    std::size_t rows = 0;       ///< rows that can be read
    std::size_t bad_rows = 0;   ///< lines that make mlx_lm stop
    std::string format;         ///< "chat", "prompt/completion", "text", "mixed", ""
    bool exact_tokens = false;  ///< counted by the tokenizer, else estimated from characters
    std::uint64_t tokens = 0;
    std::uint64_t trained_tokens = 0;  ///< an epoch's, after cutting and masking; 0 when estimated
    std::size_t longest = 0;           ///< tokens of the longest row
    std::size_t rows_too_long = 0;     ///< cut at max_seq_length
    std::size_t rows_untrained = 0;    ///< nothing to train is left of them
    std::size_t rows_left_over = 0;    ///< never in a batch, in no epoch
    std::size_t batches = 0;           ///< of one epoch
    double padding_share = 0;          ///< of all tokens that the trainer computes
};

struct DataReport {
    std::vector<SplitReport> splits;  ///< those that exist: train, valid, test
    std::vector<Finding> findings;    ///< by file, line and code; at most max_findings of a code
    std::map<std::string, std::size_t> counts;  ///< of every code, accepted ones left out
    std::size_t accepted = 0;                   ///< left out because of the baseline
    std::size_t errors = 0;
    std::size_t warnings = 0;
    std::size_t notes = 0;
    double seconds = 0;

    /// No error was found.
    bool usable() const { return errors == 0; }

    const SplitReport* train() const;
};

/// Checks a folder with train.jsonl (valid.jsonl, test.jsonl), or one .jsonl file (the checks of a
/// folder are left out then). Everything wrong with the data is a finding, not an error. Errors:
/// not_found, io (the folder), cancelled, those of the renderer.
Result<DataReport> validate_data(
    const std::filesystem::path& place, const ValidateOptions& options = {}
);

}  // namespace punie::dataset
