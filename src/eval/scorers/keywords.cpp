// keywords: words that must, may or must not be in the answer.

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

struct Lists {
    std::vector<Needle> all{};
    std::vector<Needle> any{};
    std::vector<Needle> none{};
    std::size_t least = 0;  ///< of `all`; all of them where it is not given
};

std::string quoted(const std::vector<std::string>& words) {
    std::vector<std::string> texts;
    texts.reserve(words.size());
    for (const auto& word : words) texts.push_back(short_json(json::value(word)));
    return fmt::format("{}", fmt::join(texts, ", "));
}

class KeywordsScorer : public Scorer {
public:
    explicit KeywordsScorer(Lists lists) : lists_(std::move(lists)) {}

    Judgement judge(const openai::Answer& answer) const override {
        if (auto nothing = unreadable(answer)) return *std::move(nothing);
        const auto lower = folded(answer.text);
        const auto has = [&](const Needle& needle) {
            return needle.find(answer.text, lower).has_value();
        };
        double points = 0;
        double parts = 0;
        std::vector<std::string> found;
        std::vector<std::string> missing;
        std::vector<std::string> unwanted;
        for (const auto& needle : lists_.all)
            (has(needle) ? found : missing).push_back(needle.text);
        const auto counted = std::min(found.size(), lists_.least);
        points += static_cast<double>(counted);
        parts += static_cast<double>(lists_.least);
        std::vector<std::string> reasons;
        if (counted < lists_.least) reasons.push_back(fmt::format("missing: {}", quoted(missing)));
        const auto one = std::ranges::find_if(lists_.any, has);
        if (!lists_.any.empty()) ++parts;
        if (one != lists_.any.end()) {
            ++points;
            found.push_back(one->text);
        } else if (!lists_.any.empty()) {
            reasons.push_back(fmt::format("none of {}", quoted(texts_of(lists_.any))));
        }
        for (const auto& needle : lists_.none) {
            ++parts;
            if (has(needle))
                unwanted.push_back(needle.text);
            else
                ++points;
        }
        if (!unwanted.empty()) reasons.push_back(fmt::format("unwanted: {}", quoted(unwanted)));
        Judgement judgement;
        judgement.passed = reasons.empty();
        judgement.score = judgement.passed ? 1 : points / parts;
        judgement.extracted = fmt::format("{}", fmt::join(found, ", "));
        judgement.reason = reasons.empty()
                               ? (found.empty() ? std::string("nothing unwanted in it")
                                                : fmt::format("found: {}", quoted(found)))
                               : fmt::format("{}", fmt::join(reasons, "; "));
        return judgement;
    }

private:
    static std::vector<std::string> texts_of(const std::vector<Needle>& needles) {
        std::vector<std::string> texts;
        texts.reserve(needles.size());
        for (const auto& needle : needles) texts.push_back(needle.text);
        return texts;
    }

    Lists lists_;
};

std::vector<Needle> needles(
    Parameters& parameters, std::string_view name, bool ignore_case, bool whole_words
) {
    std::vector<Needle> list;
    for (auto& text : parameters.texts(name)) {
        if (text.empty()) parameters.fault(name, "an empty keyword is in every answer");
        list.push_back({std::move(text), ignore_case, whole_words});
    }
    return list;
}

Result<std::shared_ptr<const Scorer>> make(const json::value& value, const ScorerContext&) {
    Parameters parameters(value);
    const bool ignore_case = parameters.flag("ignore_case", true);
    const bool whole_words = parameters.flag("whole_words", false);
    Lists lists;
    lists.all = needles(parameters, "all", ignore_case, whole_words);
    for (auto& needle : needles(parameters, "value", ignore_case, whole_words))
        lists.all.push_back(std::move(needle));
    lists.any = needles(parameters, "any", ignore_case, whole_words);
    lists.none = needles(parameters, "none", ignore_case, whole_words);
    lists.least = parameters.count("min").value_or(lists.all.size());
    if (lists.least > lists.all.size())
        parameters.fault(
            "min", fmt::format("{} of {} keywords cannot be", lists.least, lists.all.size())
        );
    if (lists.all.empty() && lists.any.empty() && lists.none.empty())
        parameters.fault("", "needs words: a list, or all, any or none");
    if (auto error = parameters.error()) return std::unexpected(*std::move(error));
    return std::make_shared<const KeywordsScorer>(std::move(lists));
}

json::value schema() {
    return json::parse(R"json({
"description": "Words that the answer must have (a list, or all), of which one must be there (any), or that must not be there (none).",
"anyOf": [
  {"type": ["string", "array"], "minItems": 1},
  {"type": "object",
   "properties": {
     "value": {"type": ["string", "array"], "minItems": 1},
     "all": {"type": ["string", "array"], "minItems": 1},
     "any": {"type": ["string", "array"], "minItems": 1},
     "none": {"type": ["string", "array"], "minItems": 1},
     "min": {"type": "integer", "minimum": 0, "description": "So many of `all` are enough."},
     "whole_words": {"type": "boolean", "default": false},
     "ignore_case": {"type": "boolean", "default": true}},
   "additionalProperties": false}]
})json");
}

}  // namespace

Kind keywords() {
    return {"keywords", make, schema};
}

}  // namespace punie::eval::scorers
