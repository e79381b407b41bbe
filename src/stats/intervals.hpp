#pragma once
// How sure a mean score is. A value here is the score of one prompt (its mean over repeats);
// prompts that belong together (a document and its questions) form a group, and errors are
// clustered by it.

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace punie::stats {

struct Interval {
    double low = 0;
    double high = 0;
};

/// One value a prompt and which group it belongs to. The order of the values never matters.
struct Sample {
    std::span<const double> values{};
    std::span<const std::size_t> groups{};  ///< any numbers, one a value; empty: each its own group
};

/// What a value can be at all: scores 0 to 1, differences of scores -1 to 1.
struct Range {
    double low = 0;
    double high = 1;
};

/// A figure with its uncertainty and the name of the method that made it.
struct Estimate {
    double value = 0;
    std::optional<double> standard_error{};  ///< none: cannot be told (one prompt, one group)
    std::optional<Interval> interval{};      ///< none: as above
    std::string_view method;                 ///< as written in JSON output
};

/// Number of different groups; the number of values when none are given.
std::size_t group_count(const Sample& sample);

/// Wilson's score interval for `hits` of `n`, n > 0: Wilson, "Probable Inference, the Law of
/// Succession, and Statistical Inference", JASA 22 (1927); recommended by Brown, Cai and DasGupta,
/// Statistical Science 16 (2001), section 4, also for small n and for 0 and n hits.
Interval wilson(std::size_t hits, std::size_t n, double confidence = 0.95);

/// Mean of all values with standard errors clustered by group:
///   Var = G/(G-1) * sum over groups of (sum of (x - mean) in the group)^2 / n^2
/// and an interval by t(G-1), cut to `range`. CR1 of Cameron and Miller, "A Practitioner's Guide to
/// Cluster-Robust Inference", Journal of Human Resources 50 (2015), sections II.B and VI.D, for a
/// regression on a constant; for evaluations: Miller, "Adding Error Bars to Evals",
/// arXiv:2411.00640, section 2.2. Where every group is one prompt it is the usual standard error.
/// Methods: "clustered_cr1", "student_t" (no groups), "rule_of_three" (no variance was seen, see
/// below), "none" (one group or one prompt: the value alone).
///
/// No variance seen (every group has the same mean) does not mean that there is none. Then at most
/// a share r = 1 - ((1 - confidence)/2)^(1/G) of groups behaves otherwise, and these may have any
/// value of the range: Clopper and Pearson, Biometrika 26 (1934), for x = 0; Hanley and
/// Lippman-Hand, "If Nothing Goes Wrong, Is Everything All Right?", JAMA 249 (1983).
Estimate clustered_mean(const Sample& sample, Range range = {}, double confidence = 0.95);

/// The method for a mean score: "wilson" where all values are 0 or 1 and every prompt is its own
/// group, else clustered_mean.
Estimate mean_score(const Sample& sample, double confidence = 0.95);

/// Yes/no results of the same prompts under two variants.
struct PairedCounts {
    std::size_t both = 0;
    std::size_t only_first = 0;
    std::size_t only_second = 0;
    std::size_t neither = 0;

    std::size_t total() const { return both + only_first + only_second + neither; }
};

/// second - first of yes/no results: Newcombe, "Improved confidence intervals for the difference
/// between binomial proportions based on paired data", Statistics in Medicine 17 (1998), method 10
/// (square-and-add of two Wilson intervals with the correlation's continuity correction). Keeps a
/// width where nothing changed or everything did. total() > 0. Method: "newcombe_paired".
Estimate paired_proportions(const PairedCounts& counts, double confidence = 0.95);

/// The two parts of the variance of prompt means when prompts are asked several times: ANOVA
/// estimators of a one-way random model (Searle, Casella and McCulloch, "Variance Components",
/// 1992, section 3.6); with equal repeats also what REML gives. Miller (2024), section 3.1.
struct VarianceParts {
    double between = 0;         ///< of the prompts' true means; not below 0
    double within = 0;          ///< of one sample around its prompt's mean, pooled
    double of_means = 0;        ///< of the prompts' observed means: between + within's share
    double sampling_share = 0;  ///< part of of_means that more repeats would take away, 0 to 1
};

/// `samples`: the scores of each prompt. Nothing when fewer than 2 prompts, or none has 2 samples.
std::optional<VarianceParts> variance_parts(std::span<const std::vector<double>> samples);

}  // namespace punie::stats
