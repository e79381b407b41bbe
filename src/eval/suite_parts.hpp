#pragma once
// The parts of a prompt, each from its nodes.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/suite_data.hpp"
#include "eval/suite_fields.hpp"
#include "eval/suite_files.hpp"

namespace punie::eval {

/// Names of the fields that read_sampling reads.
std::span<const std::string_view> sampling_names();

/// The fields of `fields` over `defaults`.
Sampling read_sampling(const Fields& fields, const Sampling& defaults);

/// Tools in OpenAI's form from a list: whole ({"type": "function", ...}), bare functions ({"name",
/// "parameters"}), or names of tools in `known` (the suite's own). `file://` gives the list.
json::array read_tools(
    const Node& node,
    const std::string& path,
    const json::array& known,
    SuiteFiles& files,
    Faults& faults
);

/// OpenAI's messages. Arguments of tool calls may be mappings: they become JSON text.
json::array read_messages(const Node& node, const std::string& path, Faults& faults);

/// A list of expectations, or one alone.
std::vector<Expectation> read_expectations(
    const Node& node, const std::string& path, const json::array& tools, Faults& faults
);

/// promptfoo's {"type", "value", "weight"} as one of ours ({"contains": ...}). Errors:
/// invalid_argument, naming what has no counterpart here.
Result<Node> from_promptfoo(const Node& node);

/// promptfoo's types that from_promptfoo knows.
std::vector<std::string> promptfoo_types();

/// SHA-256 over what the suite asks and how it judges; both independent of layout and order.
void set_hashes(Suite& suite);

/// One line, members sorted, numbers that are equal written alike.
std::string canonical_json(const json::value& value);

}  // namespace punie::eval
