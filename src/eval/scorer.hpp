#pragma once
// What a scorer is: made once from an expectation, then asked for each answer. One file a scorer in
// scorers/; registry.cpp lists them.

#include <punie/error.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "openai/tool_calls/answer.hpp"

namespace punie::eval {

/// The judgement of one expectation.
struct Judgement {
    double score = 0;  ///< 0 to 1
    bool passed = false;
    std::string reason;     ///< a sentence for a person: what was expected, what came
    std::string extracted;  ///< the part of the answer that was judged (the number, the letter, the
                            ///< call); "" if none
    bool unparsed = false;  ///< the answer had nothing of the expected form to judge: counted apart
};

/// Immutable. Thread: `judge` may be called by several threads at once.
class Scorer {
public:
    Scorer() = default;
    Scorer(const Scorer&) = delete;
    Scorer& operator=(const Scorer&) = delete;
    virtual ~Scorer() = default;

    virtual Judgement judge(const openai::Answer& answer) const = 0;
};

/// What a scorer may know of its prompt besides its own parameters.
struct ScorerContext {
    const json::array* tools = nullptr;  ///< the prompt's tools in OpenAI's form; null: none
};

/// The scorer `name` ("tool_call", "no_tool_call", "keywords", "equals", "contains", "regex",
/// "json", "number", "choice") with the value that stood under its name in the suite. Errors:
/// invalid_argument; its message starts with the JSON pointer of the fault inside `parameters`
/// ("/arguments/room: ...") or is for the whole value; unknown scorer names give the nearest known.
Result<std::shared_ptr<const Scorer>> make_scorer(
    std::string_view name, const json::value& parameters, const ScorerContext& context
);

/// Known names, for messages and the schema.
std::vector<std::string> scorer_names();

/// JSON Schema (draft 7) of the value under each scorer's name: {"tool_call": {...}, ...}; part of
/// `punie suite schema`.
json::object scorer_schemas();

}  // namespace punie::eval
