#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/text.hpp"
#include "eval/scorers/all_scorers.hpp"

namespace punie::eval {

namespace {

const std::array<scorers::Kind, 9>& kinds() {
    static const std::array all = {
        scorers::tool_call(),
        scorers::no_tool_call(),
        scorers::keywords(),
        scorers::equals(),
        scorers::contains(),
        scorers::regex(),
        scorers::json_answer(),
        scorers::number(),
        scorers::choice(),
    };
    return all;
}

}  // namespace

std::vector<std::string> scorer_names() {
    std::vector<std::string> names;
    names.reserve(kinds().size());
    for (const auto& kind : kinds()) names.emplace_back(kind.name);
    return names;
}

json::object scorer_schemas() {
    json::object schemas;
    for (const auto& kind : kinds()) schemas[kind.name] = kind.schema();
    return schemas;
}

Result<std::shared_ptr<const Scorer>> make_scorer(
    std::string_view name, const json::value& parameters, const ScorerContext& context
) {
    const auto* found = std::ranges::find(kinds(), name, &scorers::Kind::name);
    if (found != kinds().end()) return found->make(parameters, context);
    const auto near = nearest(name, scorer_names());
    return fail(
        ErrorCode::invalid_argument,
        fmt::format(
            "there is no scorer \"{}\"; there are {}", printable(name), join_or(scorer_names())
        ),
        near ? fmt::format("did you mean {}?", *near) : std::string{}
    );
}

}  // namespace punie::eval
