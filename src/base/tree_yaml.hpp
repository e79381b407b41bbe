#pragma once
// One YAML document as a tree with places. What is wrong goes to `faults`; nothing comes back then.

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/faults.hpp"
#include "base/tree.hpp"

namespace punie::tree {

/// One YAML document. Anchors and aliases work within `max_nodes`; tags but !!str, merge keys and
/// further documents are faults, as is a key that stands twice.
std::optional<Node> read_yaml(
    std::string_view text, const std::filesystem::path& file, Faults& faults
);

/// Without a UTF-8 byte order mark; a fault when it is UTF-16, no UTF-8, or has a zero byte.
std::optional<std::string_view> checked_text(
    std::string_view bytes, const std::filesystem::path& file, Faults& faults
);

}  // namespace punie::tree
