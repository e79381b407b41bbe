// no_tool_call: an answer in words, where calling a tool would be wrong.

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json_equal.hpp"
#include "base/text.hpp"
#include "eval/scorers/all_scorers.hpp"
#include "eval/scorers/text_match.hpp"

namespace punie::eval::scorers {

namespace {

class NoToolCallScorer : public Scorer {
public:
    Judgement judge(const openai::Answer& answer) const override {
        if (answer.lost_calls) {
            auto judgement = failed("the server dropped a call that it could not parse");
            judgement.unparsed = true;
            return judgement;
        }
        if (!answer.calls.empty()) {
            const auto& call = answer.calls.front();
            const auto name = printable(call.name.empty() ? "a tool" : call.name);
            return failed(fmt::format("called {}, where no call was right", name), name);
        }
        if (answer.thinking_cut && answer.text.empty())
            return unparsed("the answer was cut while it was still thinking");
        return passed("no call", {});
    }
};

Result<std::shared_ptr<const Scorer>> make(const json::value& parameters, const ScorerContext&) {
    const bool empty = parameters.is_object() && parameters.get_object().empty();
    if (parameters != json::value(true) && !empty)
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("should be true, is {}", describe_json(parameters))
        );
    return std::make_shared<const NoToolCallScorer>();
}

json::value schema() {
    return {{"const", true}, {"description", "The answer must call no tool."}};
}

}  // namespace

Kind no_tool_call() {
    return {"no_tool_call", make, schema};
}

}  // namespace punie::eval::scorers
