#pragma once
// Suites made by hand for tests of the runner: no file, a scorer of its own.

#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "eval/suite.hpp"

namespace punie::eval {

/// Passes when the answer's text has the word; "nothing" in the text means unparsed.
class HasWord : public Scorer {
public:
    explicit HasWord(std::string word) : word_(std::move(word)) {}

    Judgement judge(const openai::Answer& answer) const override {
        const bool passed = answer.text.find(word_) != std::string::npos;
        return {
            .score = passed ? 1.0 : 0.0,
            .passed = passed,
            .reason = fmt::format("{} {}", passed ? "has" : "lacks", word_),
            .unparsed = answer.text.find("nothing") != std::string::npos
        };
    }

private:
    std::string word_;
};

inline Expectation has_word(const std::string& word, double weight = 1) {
    return {.scorer = "word", .weight = weight, .judge = std::make_shared<HasWord>(word)};
}

inline Prompt made_prompt(const std::string& id, std::vector<Expectation> expect = {}) {
    if (expect.empty()) expect.push_back(has_word("ok"));
    Prompt prompt{.id = id, .expect = std::move(expect)};
    prompt.messages = {json::object{{"role", "user"}, {"content", "Say " + id + "."}}};
    return prompt;
}

inline Suite made_suite(std::vector<Prompt> prompts) {
    return {
        .name = "made",
        .file = "made.yaml",
        .prompts = std::move(prompts),
        .hash = "hash",
        .asked_hash = "asked"
    };
}

/// Prompts p000, p001 ...
inline Suite made_suite(std::size_t count) {
    std::vector<Prompt> prompts;
    prompts.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        prompts.push_back(made_prompt(fmt::format("p{:03}", i)));
    return made_suite(std::move(prompts));
}

}  // namespace punie::eval
