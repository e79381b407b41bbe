// tool_call: the right tools with the right arguments.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/json_equal.hpp"
#include "base/text.hpp"
#include "eval/scorers/all_scorers.hpp"
#include "eval/scorers/assignment.hpp"
#include "eval/scorers/text_match.hpp"
#include "eval/scorers/tool_call_rules.hpp"
#include "openai/tool_calls/reading.hpp"

namespace punie::eval::scorers {

namespace {

constexpr std::size_t most_reasons = 3;

/// set_light(room="kitchen", on=true)
std::string shown(const openai::AnswerCall& call) {
    std::string text = printable(call.name.empty() ? "?" : call.name);
    text += '(';
    if (const auto* arguments = call.arguments.if_object()) {
        for (const auto& [name, value] : *arguments) {
            if (!text.ends_with('(')) text += ", ";
            text += fmt::format("{}={}", printable(name), printable(short_json(value)));
        }
    } else {
        text += shortened(printable(call.raw_arguments), 80);
    }
    text += ')';
    return text;
}

std::string shown(const std::vector<openai::AnswerCall>& calls) {
    std::vector<std::string> texts;
    texts.reserve(calls.size());
    for (const auto& call : calls) texts.push_back(shown(call));
    return shortened(fmt::format("{}", fmt::join(texts, "; ")), 500);
}

std::string broken_words(const openai::AnswerCall& call) {
    const auto name = call.name.empty() ? std::string("a call") : printable(call.name);
    return fmt::format("{} is no whole call: {}", name, printable(call.problem));
}

/// An expected call beside one of the answer.
struct Pair {
    double score = 0;  ///< 0: they have nothing to do with each other
    bool right = false;
    std::vector<std::string> reasons{};
};

/// Counts what is right in a call, and says what is not.
class PairJudge {
public:
    PairJudge(const ExpectedCall& expected, const DeclaredTool* tool)
        : expected_(expected), tool_(tool) {}

    Pair judge(const openai::AnswerCall& call) {
        if (std::ranges::find(expected_.names, call.name) == expected_.names.end()) return {};
        if (!call.problem.empty()) return {1e-6, false, {broken_words(call)}};
        name_ = printable(call.name);
        const auto typed =
            openai::typed_arguments(call, tool_ == nullptr ? nullptr : &tool_->parameters);
        const auto& arguments = typed.get_object();
        if (!expected_.any_arguments) {
            for (const auto& [name, rule] : expected_.arguments)
                judge_argument(name, rule, arguments.if_contains(name), call.texts);
            if (!expected_.extra_arguments) judge_extra(arguments);
        }
        judge_schema(typed);
        return {
            static_cast<double>(1 + right_) / static_cast<double>(1 + counted_),
            right_ == counted_,
            std::move(reasons_)
        };
    }

private:
    void wrong(std::string reason) {
        ++counted_;
        reasons_.push_back(std::move(reason));
    }

    void judge_argument(
        const std::string& name,
        const ValueRule& rule,
        const json::value* value,
        const json::object& texts
    ) {
        if (value == nullptr) {
            if (!rule.optional)
                wrong(fmt::format("{}: {} is missing, should be {}", name_, name, rule.wanted()));
            return;
        }
        if (rule.fits(*value) || fits_as_text(name, rule, texts)) {
            ++counted_;
            ++right_;
            return;
        }
        wrong(fmt::format(
            "{}: {} should be {}, was {}", name_, name, rule.wanted(), printable(short_json(*value))
        ));
    }

    /// Bare text of a tool without a schema may mean 5 or "5": either is accepted.
    bool fits_as_text(const std::string& name, const ValueRule& rule, const json::object& texts)
        const {
        const auto* text = texts.if_contains(name);
        const bool declared = tool_ != nullptr && !tool_->parameters.is_null();
        if (text == nullptr || declared) return false;
        const auto literal = openai::tool_calls::literal_from(std::string_view(text->get_string()));
        return rule.fits(*text) || (literal && rule.fits(*literal));
    }

    void judge_extra(const json::object& arguments) {
        for (const auto& argument : arguments) {
            const auto known = std::ranges::any_of(expected_.arguments, [&](const auto& rule) {
                return rule.first == argument.key();
            });
            if (!known)
                wrong(fmt::format(
                    "{}: {} was not asked for (was {})",
                    name_,
                    printable(argument.key()),
                    printable(short_json(argument.value()))
                ));
        }
    }

    void judge_schema(const json::value& arguments) {
        if (tool_ == nullptr || !tool_->schema || !reasons_.empty()) return;
        const auto findings = tool_->schema->check(arguments, 1);
        if (!findings.empty())
            wrong(fmt::format("{} does not fit its schema: {}", name_, findings.front()));
    }

    const ExpectedCall& expected_;
    const DeclaredTool* tool_;
    std::string name_;
    std::size_t counted_ = 0;
    std::size_t right_ = 0;
    std::vector<std::string> reasons_;
};

class ToolCallScorer : public Scorer {
public:
    explicit ToolCallScorer(ToolCallRules rules) : rules_(std::move(rules)) {}

    Judgement judge(const openai::Answer& answer) const override {
        if (answer.calls.empty()) return nothing_called(answer);
        const auto pairs = all_pairs(answer);
        Worth worth(pairs.size());
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            worth[i].reserve(pairs[i].size());
            for (const auto& pair : pairs[i]) worth[i].push_back(pair.score);
        }
        const auto any_order = best_assignment(worth);
        const auto chosen = rules_.in_order ? best_alignment(worth) : any_order;
        auto judgement = verdict(answer, pairs, chosen);
        if (rules_.in_order && !judgement.passed && verdict(answer, pairs, any_order).passed)
            judgement.reason =
                fmt::format("the right calls in another order: {}", shown(answer.calls));
        return judgement;
    }

private:
    std::string expected_names() const {
        std::vector<std::string> names;
        names.reserve(rules_.calls.size());
        for (const auto& call : rules_.calls) names.push_back(join_or(call.names));
        return fmt::format("{}", fmt::join(names, ", "));
    }

    Judgement nothing_called(const openai::Answer& answer) const {
        if (answer.lost_calls) return unparsed("the server dropped a call that it could not parse");
        if (answer.thinking_cut) return unparsed("the answer was cut while it was still thinking");
        return failed(fmt::format(
            "{} was not called; {}{}",
            expected_names(),
            saying(answer),
            answer.cut ? ", cut at the token limit" : ""
        ));
    }

    const DeclaredTool* tool_of(const openai::AnswerCall& call) const {
        const auto found = rules_.tools.find(call.name);
        return found == rules_.tools.end() ? nullptr : &found->second;
    }

    std::vector<std::vector<Pair>> all_pairs(const openai::Answer& answer) const {
        std::vector<std::vector<Pair>> pairs(rules_.calls.size());
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            pairs[i].reserve(answer.calls.size());
            for (const auto& call : answer.calls)
                pairs[i].push_back(PairJudge(rules_.calls[i], tool_of(call)).judge(call));
        }
        return pairs;
    }

    Judgement verdict(
        const openai::Answer& answer,
        const std::vector<std::vector<Pair>>& pairs,
        const std::vector<std::size_t>& chosen
    ) const {
        std::vector<bool> used(answer.calls.size());
        std::vector<std::string> reasons;
        std::vector<std::string> missing;
        double sum = 0;
        for (std::size_t i = 0; i < chosen.size(); ++i) {
            if (chosen[i] == unassigned) {
                missing.push_back(join_or(rules_.calls[i].names));
                continue;
            }
            const auto& pair = pairs[i][chosen[i]];
            used[chosen[i]] = true;
            if (pair.score > 1e-3) sum += pair.score;
            reasons.insert(reasons.end(), pair.reasons.begin(), pair.reasons.end());
        }
        const auto extra = add_extra(answer, used, missing, reasons);
        for (const auto& name : missing) reasons.push_back(fmt::format("{} was not called", name));
        const auto parts = chosen.size() + (extra > missing.size() ? extra - missing.size() : 0);
        Judgement judgement;
        judgement.passed = reasons.empty();
        judgement.score = judgement.passed ? 1 : sum / static_cast<double>(parts);
        judgement.extracted = shown(answer.calls);
        judgement.unparsed = std::ranges::all_of(answer.calls, [](const auto& call) {
            return !call.problem.empty();
        });
        judgement.reason =
            judgement.passed ? fmt::format("called {}", judgement.extracted) : joined(reasons);
        // A wrong answer never has the full score, also where only an allowed extra call is broken.
        if (!judgement.passed) judgement.score = std::min(judgement.score, 0.99);
        return judgement;
    }

    /// Calls that nothing was expected of: their number, and words for them. A missing call takes
    /// the first of them as what was called instead.
    std::size_t add_extra(
        const openai::Answer& answer,
        const std::vector<bool>& used,
        std::vector<std::string>& missing,
        std::vector<std::string>& reasons
    ) const {
        std::size_t extra = 0;
        std::size_t replaced = 0;
        for (std::size_t j = 0; j < used.size(); ++j) {
            if (used[j]) continue;
            const auto& call = answer.calls[j];
            if (!call.problem.empty())
                reasons.push_back(broken_words(call));
            else if (!rules_.extra_calls && replaced < missing.size())
                reasons.push_back(
                    fmt::format("called {} instead of {}", shown(call), missing[replaced++])
                );
            else if (!rules_.extra_calls)
                reasons.push_back(fmt::format("{} was not asked for", shown(call)));
            if (!rules_.extra_calls) ++extra;
        }
        missing.erase(missing.begin(), missing.begin() + static_cast<std::ptrdiff_t>(replaced));
        return extra > replaced ? extra - replaced : 0;
    }

    static std::string joined(const std::vector<std::string>& reasons) {
        const auto shown_count = std::min(reasons.size(), most_reasons);
        auto text = fmt::format(
            "{}",
            fmt::join(
                reasons.begin(), reasons.begin() + static_cast<std::ptrdiff_t>(shown_count), "; "
            )
        );
        if (reasons.size() > shown_count)
            text += fmt::format("; and {} more", reasons.size() - shown_count);
        return text;
    }

    ToolCallRules rules_;
};

Result<std::shared_ptr<const Scorer>> make(
    const json::value& parameters, const ScorerContext& context
) {
    auto rules = read_tool_call_rules(parameters, context);
    if (!rules) return std::unexpected(std::move(rules).error());
    return std::make_shared<const ToolCallScorer>(*std::move(rules));
}

}  // namespace

Kind tool_call() {
    return {"tool_call", make, tool_call_schema};
}

}  // namespace punie::eval::scorers
