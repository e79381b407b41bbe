#pragma once
// The answers of one evaluation, from the moment they come: file, judgement, journal.

#include <punie/error.hpp>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eval/plan.hpp"
#include "eval/response_file.hpp"
#include "eval/sampling_seen.hpp"
#include "eval/score_run.hpp"
#include "journal/journal.hpp"

namespace punie::pipeline {

/// responses.jsonl is the truth: an answer is in it when `keep` returns, and each is judged once.
/// The journal's rows follow in batches (a transaction an answer was a fifth of the processor time
/// of an evaluation); what a kill keeps from it is written when the run is gone on with. The suite
/// and the journal must outlive it. Thread: one at a time.
class KeptAnswers {
public:
    KeptAnswers(const eval::Suite& suite, journal::Journal& journal, std::string run)
        : suite_(suite), journal_(journal), run_(std::move(run)) {}

    /// Opens the file and judges what an earlier punie left in it. Errors: those of ResponseFile;
    /// invalid_argument when the answers are to another suite.
    Result<void> open(const std::filesystem::path& file);

    /// A sample that need not be asked again.
    bool is_finished(const std::string& prompt, int sample) const {
        return file_->finished().contains({prompt, sample});
    }

    /// Errors: io, disk_full.
    Result<void> keep(const eval::ResponseRecord& record, std::size_t prompt);

    /// The sample that was kept last.
    const eval::ScoredSample& newest() const { return *newest_; }

    /// Brings the journal up to date. Errors: those of the journal.
    Result<void> to_journal();

    /// Makes the file durable against power loss.
    Result<void> sync() { return file_->sync(); }

    /// All samples, in the order of prompts and samples; those of `requests` that have none are
    /// "not asked", in the journal too. Call it once, at the end.
    Result<eval::ScoredRun> finish(const std::vector<eval::PlannedRequest>& requests);

private:
    void judge(const eval::ResponseRecord& record, std::size_t prompt);
    eval::ScoredSample& put(eval::ScoredSample sample);
    journal::AnswerRow row(const eval::ScoredSample& sample) const;

    const eval::Suite& suite_;
    journal::Journal& journal_;
    std::string run_;
    std::optional<eval::ResponseFile> file_;
    std::map<std::pair<std::size_t, int>, eval::ScoredSample> samples_;
    eval::SamplingSeen sampling_;
    const eval::ScoredSample* newest_ = nullptr;
    std::vector<journal::AnswerRow> pending_;
    std::chrono::steady_clock::time_point synced_ = std::chrono::steady_clock::now();
};

}  // namespace punie::pipeline
