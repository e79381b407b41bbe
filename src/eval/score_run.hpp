#pragma once
// Records judged by a suite: a pure function of both, so a changed scorer never needs a new run.

#include <punie/error.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include "eval/record.hpp"
#include "eval/suite.hpp"

namespace punie::eval {

struct ScoredExpectation {
    std::string scorer;
    double weight = 1;
    Judgement judgement;
};

/// A sample with its verdict. The score is the weighted mean of its expectations; passed when every
/// one passed. Only answered and cut samples have judgements.
struct ScoredSample {
    std::size_t prompt = 0;  ///< index into Suite::prompts
    int sample = 0;
    SampleState state = SampleState::answered;
    double score = 0;
    bool passed = false;
    bool unparsed = false;   ///< an expectation found nothing of its form in the answer
    std::string reason;      ///< of the first expectation that did not pass; else of the first
    std::string calls_path;  ///< openai::Answer::calls_path
    std::vector<ScoredExpectation> expectations;
    double seconds = 0;
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
    std::string error;
};

ScoredSample score_sample(const Suite& suite, std::size_t prompt, const ResponseRecord& record);

struct ScoredRun {
    std::vector<ScoredSample> samples;  ///< by prompt, then by sample; one for each
    std::vector<std::string> notes;     ///< records of unknown prompts, torn line, other suite ...
    std::size_t unknown_prompts = 0;    ///< records whose prompt the suite does not have
    bool other_suite = false;           ///< records that were asked with another suite
    std::string sampling_hash;          ///< SamplingSeen::hash
};

/// Reads and judges all of a file. Where a sample has several records the last answered one counts,
/// else the last. Errors: those of read_records; state when not one record fits the suite.
Result<ScoredRun> score_responses(const Suite& suite, const std::filesystem::path& file);

/// Counts by state, for the first line of every summary.
struct SampleCounts {
    std::size_t answered = 0;
    std::size_t cut = 0;
    std::size_t refused = 0;
    std::size_t failed = 0;
    std::size_t not_asked = 0;
    std::size_t unparsed = 0;
    std::size_t passed = 0;

    std::size_t judged() const { return answered + cut; }

    std::size_t unanswered() const { return refused + failed + not_asked; }
};

SampleCounts count(const std::vector<ScoredSample>& samples);

}  // namespace punie::eval
