// equals: the answer is this text (or one of several), white space at its ends aside.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/json_equal.hpp"
#include "base/text.hpp"
#include "eval/scorers/all_scorers.hpp"
#include "eval/scorers/parameters.hpp"
#include "eval/scorers/text_match.hpp"

namespace punie::eval::scorers {

namespace {

struct Options {
    bool ignore_case = false;
    bool trim_ends = true;
    bool normalise = false;
};

/// Markdown, quotes and the full stop around it off, white space inside to one space.
std::string normalised(std::string_view text) {
    static constexpr std::string_view around = " \t\r\n*_`\"'.!";
    const auto first = text.find_first_not_of(around);
    if (first == std::string_view::npos) return std::string(trim(text));
    text = text.substr(first, text.find_last_not_of(around) - first + 1);
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (!space)
            out += c;
        else if (!out.ends_with(' '))
            out += ' ';
    }
    return out;
}

std::string prepared(std::string_view text, const Options& options) {
    auto out =
        options.normalise ? normalised(text) : std::string(options.trim_ends ? trim(text) : text);
    return options.ignore_case ? folded(out) : out;
}

class EqualsScorer : public Scorer {
public:
    EqualsScorer(std::vector<std::string> values, Options options)
        : values_(std::move(values)), options_(options) {
        wanted_.reserve(values_.size());
        for (const auto& value : values_) wanted_.push_back(prepared(value, options_));
    }

    Judgement judge(const openai::Answer& answer) const override {
        if (auto nothing = unreadable(answer); nothing && !accepts_empty(answer))
            return *std::move(nothing);
        const auto found = prepared(answer.text, options_);
        const auto extracted = shortened(answer.text, 200);
        if (std::ranges::find(wanted_, found) != wanted_.end())
            return passed(fmt::format("is {}", short_json(json::value(found))), extracted);
        std::vector<std::string> words;
        words.reserve(values_.size());
        for (const auto& value : values_) words.push_back(short_json(json::value(value)));
        return failed(fmt::format("should be {}; {}", join_or(words), saying(answer)), extracted);
    }

private:
    bool accepts_empty(const openai::Answer& answer) const {
        return !answer.thinking_cut && answer.calls.empty() && !answer.lost_calls &&
               std::ranges::find(wanted_, "") != wanted_.end();
    }

    std::vector<std::string> values_;
    Options options_;
    std::vector<std::string> wanted_;
};

Result<std::shared_ptr<const Scorer>> make(const json::value& value, const ScorerContext&) {
    Parameters parameters(value);
    Options options;
    options.normalise = parameters.flag("normalise", false);
    options.ignore_case = parameters.flag("ignore_case", options.normalise);
    options.trim_ends = parameters.flag("trim", true);
    auto values = parameters.texts("value");
    if (values.empty()) parameters.fault("", "needs a text: equals: Paris, or {value: Paris}");
    if (auto error = parameters.error()) return std::unexpected(*std::move(error));
    return std::make_shared<const EqualsScorer>(std::move(values), options);
}

json::value schema() {
    return json::parse(R"json({
"description": "The whole answer is this text, or one of a list.",
"anyOf": [
  {"type": ["string", "number", "boolean", "array"], "minItems": 1},
  {"type": "object",
   "properties": {
     "value": {"type": ["string", "number", "boolean", "array"], "minItems": 1},
     "trim": {"type": "boolean", "default": true},
     "ignore_case": {"type": "boolean", "default": false},
     "normalise": {"type": "boolean", "default": false,
       "description": "Case, Markdown, quotes, a final full stop and the amount of white space do not count."}},
   "required": ["value"], "additionalProperties": false}]
})json");
}

}  // namespace

Kind equals() {
    return {"equals", make, schema};
}

}  // namespace punie::eval::scorers
