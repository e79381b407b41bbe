#pragma once
// A suite as a value: what is asked, and how it is judged.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "eval/scorer.hpp"

namespace punie::eval {

/// What is sent with a prompt; nothing means: the server's default.
struct Sampling {
    std::optional<double> temperature{};
    std::optional<double> top_p{};
    std::optional<int> top_k{};
    std::optional<double> min_p{};
    std::optional<double> repetition_penalty{};
    std::optional<int> max_tokens{};
    std::optional<std::uint64_t> seed{};
    std::vector<std::string> stop{};
    json::object extra{};  ///< further fields of the request body, as they are
};

struct Expectation {
    std::string scorer;  ///< its name
    json::value parameters;
    double weight = 1;  ///< over 0
    std::shared_ptr<const Scorer> judge;
};

struct Prompt {
    std::string id;        ///< unique in the suite; variants are paired by it
    std::string group;     ///< related prompts share one; "" is a group of its own
    std::string category;  ///< "" is none
    json::array messages;  ///< OpenAI's form
    json::array tools;  ///< OpenAI's form ({"type": "function", "function": {...}}); may be empty
    Sampling sampling;  ///< defaults of the suite already merged in
    std::vector<Expectation> expect;  ///< at least one
    int repeats = 1;
    int line = 0;  ///< where it stands in the suite's file
};

/// Limits that decide the exit code.
struct Gate {
    std::string metric;  ///< "accuracy"
    double at_least = 0;
    bool lower_bound = false;  ///< the interval's lower bound must reach it, not the mean
};

struct Suite {
    std::string name;
    int version = 1;
    std::filesystem::path file;
    std::vector<Prompt> prompts;
    std::vector<Gate> gates;
    std::vector<std::string> no_regression;  ///< categories
    std::string hash;        ///< SHA-256 over everything that is asked and how it is judged
    std::string asked_hash;  ///< SHA-256 over what is asked only (ids, messages, tools, sampling)
};

}  // namespace punie::eval
