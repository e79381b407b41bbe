#pragma once
// A suite made into requests: which, in which order, with which sampling. Pure.

#include <punie/error.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "eval/suite.hpp"

namespace punie::eval {

struct PlanOptions {
    std::string model;                ///< name that the requests carry
    std::optional<int> repeats{};     ///< overrides the suite's
    std::optional<int> max_tokens{};  ///< overrides the suite's
    std::optional<double> temperature{};
    std::optional<std::uint64_t> seed{};  ///< of sample 0; sample n gets seed + n
    std::size_t limit = 0;                ///< first prompts only; 0: all
    std::vector<std::string> only{};      ///< ids, groups or categories; * stands for anything
    /// Fields (JSON text) for requests that lack them, such as mlx_lm's repetition_penalty.
    std::map<std::string, std::string> request_defaults{};
};

struct PlannedRequest {
    std::size_t prompt = 0;  ///< index into Suite::prompts
    int sample = 0;
    json::object body;
};

struct Plan {
    std::vector<PlannedRequest> requests;  ///< by prompt, then by sample
    std::size_t prompts = 0;               ///< that are asked
    std::string sampling_hash;             ///< over the distinct resolved samplings
    json::array samplings;                 ///< those, for the record
};

/// What is not said is said here, so that no server's default decides: temperature 0, max_tokens
/// 512. Where the temperature is over 0 every sample has a seed (`seed`, or 1, plus its number);
/// greedy answers need none, and mlx_lm does not batch requests that have one.
/// Errors: invalid_argument (nothing matches `only`, repeats under 1 ...).
Result<Plan> make_plan(const Suite& suite, const PlanOptions& options);

}  // namespace punie::eval
