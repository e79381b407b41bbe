#pragma once
// A file's text (YAML, JSON, CSV) as a tree that knows where each value stands, so that what is
// wrong can be said with line and column.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace punie::tree {

/// Where a value stands. Lines and columns (of bytes) count from 1.
struct Place {
    std::shared_ptr<const std::string> file{};
    int line = 0;
    int column = 0;
};

struct NodeMember;

/// One value. Scalars keep the text as it was written, so that `1.50` put into a sentence stays
/// `1.50`.
struct Node {
    enum class Kind { null, boolean, number, text, list, map };

    Kind kind = Kind::null;
    bool quoted = false;  ///< of text: it stood in quotes or in a block
    Place place{};
    std::string text{};               ///< of scalars: as written, without quotes and escapes
    std::vector<Node> items;          ///< of lists
    std::vector<NodeMember> members;  ///< of maps, in the order of the file

    bool is_scalar() const { return kind != Kind::list && kind != Kind::map; }

    /// The member's value; null when this is no map or has none of that name.
    const Node* find(std::string_view name) const;
};

struct NodeMember {
    std::string name;
    Place place;
    Node value;
};

/// A scalar without quotes, typed by JSON's rules: null (also `~` and nothing), true, false and
/// JSON's numbers; everything else is text, `yes`, `on`, `007` and dates among it.
Node plain_scalar(std::string text, Place place);

/// Text that stays text.
Node text_node(std::string text, Place place);

json::value to_json(const Node& node);

/// "the number 42", "the text \"yes\"", "a list", "nothing": for messages.
std::string describe(const Node& node);

/// The deepest node that the JSON pointer (RFC 6901) reaches.
const Node& at_pointer(const Node& node, std::string_view pointer);

/// Sizes that keep a hostile file harmless.
inline constexpr std::size_t max_nodes = 2'000'000;  ///< aliases count as often as they are used
inline constexpr int max_depth = 64;
inline constexpr std::size_t max_yaml_bytes = 64U << 20U;
inline constexpr std::size_t max_json_bytes = 1U << 30U;

}  // namespace punie::tree
