#pragma once
// What a comparison is asked and what it finds: plain values. Each figure names the method that
// made it (docs/statistics.md).

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "stats/intervals.hpp"

namespace punie::compare {

struct CompareOptions {
    double alpha = 0.05;       ///< two-sided; intervals have confidence 1 - alpha
    double power = 0.8;        ///< of the smallest visible difference
    std::size_t baseline = 0;  ///< index of the table that the others are held against
    bool all_pairs = false;    ///< also the others among themselves
    bool only_common = false;  ///< prompts missing on one side are left out instead of refused
    /// Categories named before looking: they join the Holm family; all others are exploratory.
    std::set<std::string> named_categories{};
    /// Differences that are named instead of refused: "sampling", "template".
    std::set<std::string> allow_different{};
};

/// Fewer than these never make a claim, whatever p says.
inline constexpr std::size_t fewest_prompts = 20;
inline constexpr std::size_t fewest_groups = 5;

/// A value with its 95 % interval and the name of the method: "wilson", "clustered_cr1",
/// "student_t", "rule_of_three", "newcombe_paired"; "none" has no interval and a reason.
struct Figure {
    double value = 0;
    std::optional<stats::Interval> interval;
    std::optional<double> standard_error;
    std::string method;
    std::string reason;  ///< why there is no interval
};

struct PassAt {
    std::size_t k = 1;
    double at_least_one = 0;  ///< pass@k
    double all = 0;           ///< pass^k
};

/// Of prompts that were asked several times.
struct Repeats {
    std::size_t fewest = 1;
    std::size_t most = 1;
    std::optional<stats::VarianceParts> variance;
    std::vector<PassAt> pass_at;          ///< k = 1, 2, 4 ... up to `fewest`
    std::optional<double> agreement;      ///< chance that two samples of a prompt agree
    std::vector<std::string> flickering;  ///< prompts that both passed and failed
};

struct VariantResult {
    std::string name;
    std::string source;
    std::string format;
    std::size_t prompts = 0;
    std::size_t samples = 0;
    std::size_t groups = 0;
    bool grouped = false;  ///< some group has several prompts
    Figure mean;
    std::optional<Repeats> repeats;
    std::size_t unanswered = 0;
    std::size_t cut = 0;
    std::size_t unparsed = 0;
    std::vector<std::string> notes;
};

enum class Claim {
    better,
    worse,
    no_visible_difference,
    too_few,  ///< under 20 prompts or 5 groups
};
std::string_view name_of(Claim claim);

struct ChangedPrompt {
    std::string prompt;
    std::string category;
    double before = 0;
    double after = 0;
};

/// The paired comparison of two variants over a set of prompts.
struct Difference {
    std::size_t prompts = 0;
    std::size_t groups = 0;
    bool grouped = false;
    double baseline_mean = 0;  ///< over the common prompts
    double other_mean = 0;
    Figure difference;  ///< other - baseline
    std::optional<double> p;
    std::string p_method;    ///< "mcnemar_exact", "sign_flip_groups", "sign_flip_prompts", "none"
    std::string p_computed;  ///< of sign_flip: "convolution", "enumeration" or "draws"
    std::optional<double> p_adjusted;  ///< by Holm over the family; none for exploratory figures
    std::optional<double> detectable;  ///< smallest difference seen with the power asked for
    std::optional<std::size_t> prompts_needed;  ///< for the observed difference
    std::string
        power_method;  ///< "connor_1987", "paired_variance", "paired_variance_bound", "none"
    std::size_t won = 0;
    std::size_t lost = 0;
    std::size_t same = 0;
    Claim claim = Claim::too_few;
    std::string words;
};

struct CategoryDifference {
    std::string category;
    bool named = false;  ///< beforehand, so in the Holm family; otherwise exploratory
    Difference result;
};

struct PairResult {
    std::size_t baseline = 0;  ///< index into Comparison::variants
    std::size_t other = 0;
    Difference overall;
    std::vector<CategoryDifference> categories;  ///< none when there is only one
    std::vector<ChangedPrompt> changed;          ///< lost ones first, largest change first
    std::size_t left_out = 0;                    ///< prompts that one side lacks
    std::vector<std::string> notes;
};

struct Comparison {
    double alpha = 0.05;
    double power = 0.8;
    std::size_t baseline = 0;
    std::size_t family = 0;  ///< comparisons that Holm corrected for
    std::vector<VariantResult> variants;
    std::vector<PairResult> pairs;  ///< baseline against each other, then the rest
    std::vector<std::string> notes;

    bool unanswered() const;
    /// The pair of the baseline and `other`; null if none.
    const PairResult* against_baseline(std::size_t other) const;
};

}  // namespace punie::compare
