#pragma once
// In what two runs differ.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "journal/journal.hpp"

namespace punie::journal {

/// Members of nested objects by path ("sampling.temperature"), in the object's order. Arrays and
/// empty objects are values; so is an object with mean, low and high (a figure with its interval).
std::vector<std::pair<std::string, json::value>> flattened(const json::value& value);

struct Difference {
    std::string part;                 ///< run, versions, settings, hashes, environment, results
    std::string path;                 ///< "sampling.temperature"
    std::optional<json::value> left;  ///< nothing where that run does not have it
    std::optional<json::value> right;
};

/// Only what differs, part by part, paths in alphabetical order. Texts that are no JSON are
/// compared as they are.
std::vector<Difference> differences(const Run& left, const Run& right);

/// The parts in the order of `differences`.
const std::vector<std::string>& diff_parts();

}  // namespace punie::journal
