#pragma once
// Everything that a report shows, in plain values. Whoever made a run fills this in; the renderers
// (render.hpp) know nothing else. docs/report.md describes its JSON.

#include <punie/error.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace punie::report {

/// How the verdict is meant: the page's colour and JUnit's outcome follow it.
enum class Tone {
    good,    ///< better, and surely so
    bad,     ///< worse, and surely so
    unsure,  ///< no difference that could be shown, or too few prompts
    failed,  ///< something that should have run did not: prompts without an answer, a dead training
};
std::string_view name_of(Tone tone);

/// A name and its value as a person reads them: "chat template", "sha256:1f0c...".
struct Fact {
    std::string name;
    std::string value;
};

/// A value with its 95 % interval; shares and scores are 0 to 1, differences -1 to 1.
struct Estimate {
    double value = 0;
    std::optional<double> low;  ///< both or none
    std::optional<double> high;
    std::string method;  ///< "wilson", "clustered_cr1", "newcombe_paired" ...; "none": no interval
    std::string reason;  ///< why there is no interval
};

/// Samples by how they ended. Only answered and cut ones are scored.
struct Counts {
    std::size_t answered = 0;
    std::size_t cut = 0;
    std::size_t refused = 0;
    std::size_t failed = 0;
    std::size_t not_asked = 0;
    std::size_t unparsed = 0;  ///< of the scored ones: nothing of the expected form in the answer
    std::size_t passed = 0;    ///< of the scored ones

    std::size_t unanswered() const { return refused + failed + not_asked; }

    std::size_t scored() const { return answered + cut; }
};

struct CategoryScore {
    std::string category;
    std::size_t prompts = 0;
    Estimate mean;
};

/// One model under test.
struct Variant {
    std::string name;
    std::string what;    ///< for people: "SmolLM2-135M + LoRA adapter", "tuned, 4 bit"
    std::string source;  ///< run id or file
    Estimate mean;       ///< mean score, the figure that is compared
    std::size_t prompts = 0;
    std::size_t samples = 0;
    std::size_t groups = 0;
    Counts counts;
    std::vector<CategoryScore> categories;
    std::vector<Fact> sampling;  ///< as resolved for the requests: temperature, seed, max_tokens
    std::vector<Fact> identity;  ///< hashes of model, adapter, suite, chat template; backend
    std::optional<std::uint64_t> model_bytes;
    std::optional<double> bits_per_weight;
    std::optional<double> seconds;            ///< of all requests, wall clock
    std::optional<double> tokens_per_second;  ///< generated, over all requests
    std::vector<std::string> notes;           ///< repeats, flickering prompts, other suite ...
};

/// Variant `other` held against variant `baseline`, over all prompts or those of one category.
struct Difference {
    std::size_t baseline = 0;  ///< index into ReportData::variants
    std::size_t other = 0;
    std::string category;      ///< "": all prompts
    bool exploratory = false;  ///< a category not named beforehand: its p is not corrected
    Estimate difference;       ///< other - baseline
    std::size_t prompts = 0;   ///< pairs
    std::size_t groups = 0;
    std::optional<double> p;
    std::optional<double> p_adjusted;  ///< by Holm
    std::string p_method;              ///< "mcnemar_exact", "sign_flip_groups" ...
    std::string claim;                 ///< "better", "worse", "no_visible_difference", "too_few"
    std::string words;                 ///< the claim as a sentence
    std::optional<double> smallest_visible;     ///< with power 0.8
    std::optional<std::size_t> prompts_needed;  ///< to show the observed difference
    std::string power_method;
    std::size_t won = 0;  ///< prompts where `other` scored higher
    std::size_t lost = 0;
    std::size_t same = 0;
};

/// One report of a trainer; what it did not say is empty.
struct CurvePoint {
    std::int64_t iteration = 0;
    std::optional<double> train_loss;
    std::optional<double> valid_loss;
    std::optional<double> memory_gb;  ///< peak so far, 1e9 bytes
    std::optional<double> tokens_per_second;
};

struct Training {
    std::string name;
    std::vector<CurvePoint> points;              ///< by iteration
    std::optional<std::int64_t> best_iteration;  ///< lowest validation loss
    std::optional<std::int64_t> kept_iteration;  ///< of the checkpoint that was used
    std::optional<double> seconds;
    std::vector<Fact> settings;
    std::vector<std::string> notes;  ///< rows cut, rows left over, stopped early ...
};

/// A tool call read from an answer.
struct Call {
    std::string name;
    std::string arguments;  ///< JSON text, or as it stood in the answer when `problem` is set
    std::string path;       ///< "structured", or the text format: "hermes" ...
    std::string problem;
};

struct Judgement {
    std::string scorer;
    double score = 0;
    bool passed = false;
    bool unparsed = false;
    std::string reason;
    std::string extracted;
};

/// One answer of one variant.
struct Sample {
    std::size_t variant = 0;         ///< index into ReportData::variants
    int number = 0;                  ///< of the repeats, from 0
    std::string state = "answered";  ///< answered, cut, refused, failed, not_asked
    double score = 0;
    bool passed = false;
    bool unparsed = false;
    std::string text;      ///< what a reader would see
    std::string thinking;  ///< set aside
    std::vector<Call> calls;
    std::vector<Judgement> judgements;  ///< one an expectation
    std::string reason;                 ///< the one sentence why
    std::string error;                  ///< of refused and failed
    double seconds = 0;
    std::int64_t completion_tokens = 0;
};

struct Expectation {
    std::string scorer;
    std::string text;  ///< its parameters, readable
    double weight = 1;
};

struct Prompt {
    std::string id;
    std::string group;
    std::string category;
    json::array messages;  ///< OpenAI's form
    json::array tools;     ///< OpenAI's form; may be empty
    std::vector<Expectation> expectations;
    std::vector<Sample> samples;  ///< by variant, then number
};

/// Something that the check of the training data found.
struct Finding {
    std::string code;
    std::string severity;  ///< "error", "warning", "note"
    std::string file;
    std::int64_t line = 0;  ///< 0: the whole file
    std::string message;
    std::string why;  ///< why it hurts
};

struct Command {
    std::string what;  ///< "evaluate tuned"
    std::string text;  ///< as typed
};

/// What the reader must know before believing the numbers.
struct Note {
    std::string severity;  ///< "error", "warning", "note"
    std::string text;
};

struct ReportData {
    std::string title;
    std::string verdict;  ///< one sentence
    Tone tone = Tone::unsure;
    std::string created;  ///< "2026-11-24 09:31 UTC"; the caller's, so that the rest is repeatable
    std::string run;      ///< id in the journal; "" none
    std::string punie_version;
    std::string suite;  ///< its name
    std::vector<Note> notes;
    std::vector<Variant> variants;        ///< the first one is the baseline
    std::vector<Difference> differences;  ///< overall ones and those of categories
    std::vector<Training> trainings;
    std::vector<Prompt> prompts;  ///< in the suite's order
    std::vector<Fact> data;       ///< rows, tokens, splits
    std::vector<Finding> findings;
    std::vector<Fact> environment;
    std::vector<Command> commands;
};

/// The whole struct as one object; empty and unknown members are left out. It has
/// "format": "punie-report", "version": 1.
json::value to_json(const ReportData& data);

/// The inverse of to_json. Unknown members are ignored (a newer Punie wrote them). Errors:
/// protocol, naming the member by its JSON pointer.
Result<ReportData> report_from_json(const json::value& value);

/// The same from JSON text; quicker than parsing first. Errors: protocol, also for bad JSON (with
/// its line and column).
Result<ReportData> report_from_text(std::string_view text);

}  // namespace punie::report
