#pragma once
// The scorers of this folder, one file each. A new one is a file, a line here and one in
// registry.cpp.

#include "eval/scorer.hpp"

namespace punie::eval::scorers {

/// A scorer's name, how it is made of its parameters, and their JSON Schema.
struct Kind {
    std::string_view name;
    Result<std::shared_ptr<const Scorer>> (*make)(
        const json::value& parameters, const ScorerContext& context
    );
    json::value (*schema)();
};

Kind tool_call();
Kind no_tool_call();
Kind keywords();
Kind equals();
Kind contains();
Kind regex();
Kind json_answer();
Kind number();
Kind choice();

}  // namespace punie::eval::scorers
