#pragma once
// JSON Schema, draft 7 (json-schema.org/draft-07), with findings that a person understands. Own,
// because the only packaged validator brings Qt along; held against the official test suite.
// Patterns are RE2's.

#include <punie/error.hpp>

#include <memory>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace punie {

/// A compiled schema. Copies share it. Thread: `check` may be called by several threads at once.
class JsonSchema {
public:
    /// Errors: invalid_argument (what in the schema is not understood). Remote references are never
    /// fetched: they are errors.
    static Result<JsonSchema> compile(const json::value& schema);

    /// What does not fit, at most `limit` findings, each "/room: \"attic\" is not one of ..." (JSON
    /// pointer first); none when the value fits.
    std::vector<std::string> check(const json::value& value, std::size_t limit = 5) const;

private:
    struct Impl;
    std::shared_ptr<const Impl> impl_;
};

}  // namespace punie
