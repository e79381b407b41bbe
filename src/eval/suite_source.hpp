#pragma once
// The formats in which suites and rows of variables are written, each into nodes. What is wrong
// goes to `faults`; nothing comes back then.

#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/tree_yaml.hpp"
#include "eval/suite_faults.hpp"
#include "eval/suite_node.hpp"

namespace punie::eval {

using tree::checked_text;
using tree::read_yaml;

/// One JSON text that begins at `first_line`.
std::optional<Node> read_json(
    std::string_view text,
    const std::shared_ptr<const std::string>& file,
    Faults& faults,
    int first_line = 1
);

/// Each line's value in turn; empty lines are passed over.
void each_json_line(
    std::string_view text,
    const std::filesystem::path& file,
    Faults& faults,
    const std::function<void(Node&&)>& on_row
);

/// RFC 4180 with a line of names first. Fields without quotes are typed as JSON would.
std::vector<Node> read_csv(
    std::string_view text, const std::filesystem::path& file, Faults& faults
);

/// Rows of variables by the file's ending: .jsonl, .json, .csv, .yaml.
std::vector<Node> read_rows(
    std::string_view text, const std::filesystem::path& file, Faults& faults
);

}  // namespace punie::eval
