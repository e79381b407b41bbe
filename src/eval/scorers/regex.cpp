// regex: RE2 finds the pattern in the answer. RE2 takes time in proportion to the text, whatever
// the pattern.

#include <fmt/format.h>
#include <re2/re2.h>

#include <boost/json.hpp>

#include "base/json_equal.hpp"
#include "base/text.hpp"
#include "eval/scorers/all_scorers.hpp"
#include "eval/scorers/parameters.hpp"
#include "eval/scorers/text_match.hpp"

namespace punie::eval::scorers {

namespace {

class RegexScorer : public Scorer {
public:
    RegexScorer(std::vector<std::unique_ptr<const re2::RE2>> patterns, bool whole)
        : patterns_(std::move(patterns)),
          anchor_(whole ? re2::RE2::ANCHOR_BOTH : re2::RE2::UNANCHORED) {}

    Judgement judge(const openai::Answer& answer) const override {
        if (auto nothing = unreadable(answer)) return *std::move(nothing);
        std::vector<std::string> words;
        words.reserve(patterns_.size());
        for (const auto& pattern : patterns_) {
            re2::StringPiece match;
            const re2::StringPiece text(answer.text);
            if (pattern->Match(text, 0, text.size(), anchor_, &match, 1)) {
                const auto found = shortened({match.data(), match.size()}, 200);
                return passed(
                    fmt::format("{} fits /{}/", short_json(json::value(found)), pattern->pattern()),
                    found
                );
            }
            words.push_back(fmt::format("/{}/", pattern->pattern()));
        }
        return failed(fmt::format("nothing fits {}; {}", join_or(words), saying(answer)));
    }

private:
    std::vector<std::unique_ptr<const re2::RE2>> patterns_;
    re2::RE2::Anchor anchor_;
};

Result<std::shared_ptr<const Scorer>> make(const json::value& value, const ScorerContext&) {
    Parameters parameters(value);
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_case_sensitive(!parameters.flag("ignore_case", false));
    const bool whole = parameters.flag("whole", false);
    std::vector<std::unique_ptr<const re2::RE2>> patterns;
    for (const auto& text : parameters.texts("value")) {
        patterns.push_back(std::make_unique<const re2::RE2>(text, options));
        if (!patterns.back()->ok())
            parameters.fault(
                "value",
                fmt::format(
                    "the pattern {} is not understood: {} (RE2's syntax: no lookahead, no back "
                    "references)",
                    short_json(json::value(text)),
                    patterns.back()->error()
                )
            );
    }
    if (patterns.empty()) parameters.fault("", "needs a pattern: regex: '^yes', or {value: ...}");
    if (auto error = parameters.error()) return std::unexpected(*std::move(error));
    return std::make_shared<const RegexScorer>(std::move(patterns), whole);
}

json::value schema() {
    return json::parse(R"json({
"description": "RE2 finds this pattern, or one of a list, in the answer.",
"anyOf": [
  {"type": ["string", "array"], "minItems": 1, "items": {"type": "string"}},
  {"type": "object",
   "properties": {
     "value": {"type": ["string", "array"], "minItems": 1, "items": {"type": "string"}},
     "whole": {"type": "boolean", "default": false, "description": "The whole answer must fit."},
     "ignore_case": {"type": "boolean", "default": false}},
   "required": ["value"], "additionalProperties": false}]
})json");
}

}  // namespace

Kind regex() {
    return {"regex", make, schema};
}

}  // namespace punie::eval::scorers
