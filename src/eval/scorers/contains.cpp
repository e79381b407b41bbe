// contains: this text (or one of several) stands somewhere in the answer.

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json_equal.hpp"
#include "base/text.hpp"
#include "eval/scorers/all_scorers.hpp"
#include "eval/scorers/parameters.hpp"
#include "eval/scorers/text_match.hpp"

namespace punie::eval::scorers {

namespace {

class ContainsScorer : public Scorer {
public:
    explicit ContainsScorer(std::vector<Needle> needles) : needles_(std::move(needles)) {}

    Judgement judge(const openai::Answer& answer) const override {
        if (auto nothing = unreadable(answer)) return *std::move(nothing);
        const auto lower = folded(answer.text);
        std::vector<std::string> words;
        words.reserve(needles_.size());
        for (const auto& needle : needles_) {
            if (const auto at = needle.find(answer.text, lower)) {
                const auto found = answer.text.substr(*at, needle.text.size());
                return passed(fmt::format("contains {}", short_json(json::value(found))), found);
            }
            words.push_back(short_json(json::value(needle.text)));
        }
        return failed(fmt::format("does not contain {}; {}", join_or(words), saying(answer)));
    }

private:
    std::vector<Needle> needles_;
};

Result<std::shared_ptr<const Scorer>> make(const json::value& value, const ScorerContext&) {
    Parameters parameters(value);
    const bool ignore_case = parameters.flag("ignore_case", false);
    const bool whole_words = parameters.flag("whole_words", false);
    std::vector<Needle> needles;
    for (auto& text : parameters.texts("value")) {
        if (text.empty()) parameters.fault("value", "an empty text is in every answer");
        needles.push_back({std::move(text), ignore_case, whole_words});
    }
    if (needles.empty()) parameters.fault("", "needs a text: contains: Paris, or {value: Paris}");
    if (auto error = parameters.error()) return std::unexpected(*std::move(error));
    return std::make_shared<const ContainsScorer>(std::move(needles));
}

json::value schema() {
    return json::parse(R"json({
"description": "This text, or one of a list, is in the answer.",
"anyOf": [
  {"type": ["string", "number", "boolean", "array"], "minItems": 1},
  {"type": "object",
   "properties": {
     "value": {"type": ["string", "number", "boolean", "array"], "minItems": 1},
     "whole_words": {"type": "boolean", "default": false},
     "ignore_case": {"type": "boolean", "default": false}},
   "required": ["value"], "additionalProperties": false}]
})json");
}

}  // namespace

Kind contains() {
    return {"contains", make, schema};
}

}  // namespace punie::eval::scorers
