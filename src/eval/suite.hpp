#pragma once
// A suite: prompts with expectations. Read from YAML or JSONL, checked whole, then immutable.

#include <punie/error.hpp>

#include <filesystem>
#include <string_view>

#include "base/json.hpp"
#include "eval/suite_data.hpp"

namespace punie::eval {

/// Reads and checks. Every fault found is in the message, a line each
/// "suite.yaml:12:5: expect[0].tool_call.name: ..."; at most 20. Errors: not_found, io,
/// invalid_argument. Nothing is downloaded, no code is run; `file://` paths are relative to the
/// suite's folder and may not leave it by absolute path or "..".
Result<Suite> read_suite(const std::filesystem::path& file);

/// As read_suite, from text (`file` is for messages, the base of file:// and the format by its
/// ending).
Result<Suite> parse_suite(std::string_view text, const std::filesystem::path& file);

/// JSON Schema (draft 7) of the YAML form, for editors.
json::object suite_schema();

}  // namespace punie::eval
