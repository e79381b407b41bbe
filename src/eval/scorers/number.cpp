// number: the answer's number is this one. Which of its numbers counts: the one in the last
// \boxed{}, behind "####" (GSM8K) or directly behind "the answer is"; otherwise the last.

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "base/json_equal.hpp"
#include "base/text.hpp"
#include "eval/scorers/all_scorers.hpp"
#include "eval/scorers/number_text.hpp"
#include "eval/scorers/parameters.hpp"
#include "eval/scorers/text_match.hpp"

namespace punie::eval::scorers {

namespace {

struct NumberRules {
    std::vector<double> values{};
    double tolerance = 0;
    double relative = 0;
    std::string which{};  ///< last, first, only, any
};

/// Where the text behind the last "answer is" begins; nothing if there is none.
std::optional<std::size_t> behind_cue(std::string_view text) {
    static const re2::RE2 cue(
        R"((?i)(?:\banswer(?:\s+is)?\s*[:=]|\banswer\s+is\b|####)[\s*_`$(\\€£=:]*)"
    );
    std::optional<std::size_t> found;
    re2::StringPiece all(text.data(), text.size());
    re2::StringPiece match;
    std::size_t from = 0;
    while (from <= all.size() && cue.Match(all, from, all.size(), re2::RE2::UNANCHORED, &match, 1)
    ) {
        from = static_cast<std::size_t>(match.data() - text.data()) + match.size();
        found = from;
    }
    return found;
}

class NumberScorer : public Scorer {
public:
    explicit NumberScorer(NumberRules rules) : rules_(std::move(rules)) {}

    Judgement judge(const openai::Answer& answer) const override {
        if (auto nothing = unreadable(answer)) return *std::move(nothing);
        const auto text = plain_numbers(answer.text);
        const auto candidates = numbers_of(text);
        if (candidates.empty()) return unparsed(fmt::format("no number in it; {}", saying(answer)));
        if (rules_.which == "only" && !all_equal(candidates))
            return unparsed(
                fmt::format("{} different numbers in it; {}", candidates.size(), saying(answer))
            );
        for (const auto& number : candidates) {
            if (fits(number))
                return passed(
                    fmt::format("the number is {}", shown(number)), spelled(text, number)
                );
        }
        const auto& number = candidates.front();
        return failed(
            fmt::format("the number should be {}, is {}", wanted(), shown(number)),
            spelled(text, number)
        );
    }

private:
    /// Those that may count: one, or all for "any" and "only".
    std::vector<FoundNumber> numbers_of(std::string_view text) const {
        const auto boxed = last_boxed(text);
        if (!boxed.empty()) {
            auto inside = numbers_in(boxed);
            const auto offset = static_cast<std::size_t>(boxed.data() - text.data());
            for (auto& number : inside) number.at += offset;
            if (!inside.empty()) return {inside.back()};
        }
        auto numbers = numbers_in(text);
        if (numbers.empty() || rules_.which == "any" || rules_.which == "only") return numbers;
        if (rules_.which == "first") return {numbers.front()};
        if (const auto cue = behind_cue(text)) {
            const auto next = std::ranges::find_if(numbers, [&](const FoundNumber& number) {
                return number.at >= *cue;
            });
            if (next != numbers.end() && next->at == *cue) return {*next};
        }
        return {numbers.back()};
    }

    static bool all_equal(const std::vector<FoundNumber>& numbers) {
        return std::ranges::all_of(numbers, [&](const FoundNumber& number) {
            return number.value == numbers.front().value;
        });
    }

    /// "50 %" is 50 and 0.5.
    bool fits(const FoundNumber& number) const {
        return std::ranges::any_of(rules_.values, [&](double wanted) {
            return near(number.value, wanted) ||
                   (number.percent && near(number.value / 100, wanted));
        });
    }

    bool near(double found, double wanted) const {
        if (!std::isfinite(found)) return found == wanted;
        const auto allowed = std::max(rules_.tolerance, rules_.relative * std::abs(wanted));
        // 1/3 and 0.1 have no exact double; a hair's breadth is no tolerance.
        return std::abs(found - wanted) <= allowed + 1e-9 * std::max(1e-3, std::abs(wanted));
    }

    static std::string shown(const FoundNumber& number) {
        return fmt::format("{}{}", number.value, number.percent ? " %" : "");
    }

    static std::string spelled(std::string_view text, const FoundNumber& number) {
        return std::string(text.substr(number.at, number.length));
    }

    std::string wanted() const {
        std::vector<std::string> words;
        words.reserve(rules_.values.size());
        for (const double value : rules_.values) words.push_back(fmt::format("{}", value));
        auto text = join_or(words);
        if (rules_.relative > 0) return fmt::format("{} ± {} %", text, rules_.relative * 100);
        if (rules_.tolerance > 0) return fmt::format("{} ± {}", text, rules_.tolerance);
        return text;
    }

    NumberRules rules_;
};

/// A number, or text that is one ("1/2", "1,234").
std::optional<double> expected(const json::value& value) {
    if (value.is_number()) return value.to_number<double>();
    const auto* text = value.if_string();
    if (text == nullptr) return std::nullopt;
    const auto plain = plain_numbers(trim(std::string_view(*text)));
    const auto numbers = numbers_in(plain);
    const bool whole = numbers.size() == 1 && numbers.front().length == plain.size();
    if (!whole) return std::nullopt;
    return numbers.front().value;
}

Result<std::shared_ptr<const Scorer>> make(const json::value& value, const ScorerContext&) {
    Parameters parameters(value);
    NumberRules rules;
    rules.tolerance = parameters.number("tolerance", 0).value_or(0);
    rules.relative = parameters.number("relative", 0).value_or(0);
    rules.which = parameters.choice("which", {"last", "first", "only", "any"});
    const auto* wanted = parameters.get("value");
    if (wanted == nullptr) {
        parameters.fault("", "needs a number: number: 135, or {value: 135}");
    } else {
        const json::array alone{*wanted};
        const auto* list = wanted->if_array();
        for (const auto& item : list == nullptr ? alone : *list) {
            if (const auto number = expected(item))
                rules.values.push_back(*number);
            else
                parameters.fault(
                    "value", fmt::format("should be a number, is {}", describe_json(item))
                );
        }
        if (rules.values.empty()) parameters.fault("value", "the list is empty");
    }
    if (auto error = parameters.error()) return std::unexpected(*std::move(error));
    return std::make_shared<const NumberScorer>(std::move(rules));
}

json::value schema() {
    return json::parse(R"json({
"description": "The answer's number: in the last \\boxed{}, behind 'the answer is' or ####, else the last one.",
"anyOf": [
  {"type": ["number", "string", "array"], "minItems": 1},
  {"type": "object",
   "properties": {
     "value": {"type": ["number", "string", "array"], "minItems": 1,
               "description": "The number, or a list of accepted ones; text such as 1/2 too."},
     "tolerance": {"type": "number", "minimum": 0, "default": 0, "description": "Absolute."},
     "relative": {"type": "number", "minimum": 0, "default": 0, "description": "0.01 is one percent."},
     "which": {"enum": ["last", "first", "only", "any"], "default": "last"}},
   "required": ["value"], "additionalProperties": false}]
})json");
}

}  // namespace

Kind number() {
    return {"number", make, schema};
}

}  // namespace punie::eval::scorers
