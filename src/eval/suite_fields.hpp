#pragma once
// A mapping of a suite read field by field; each wrong one is a fault with its place.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/suite_faults.hpp"
#include "eval/suite_node.hpp"

namespace punie::eval {

/// "expect" and "weight" make "expect.weight".
std::string joined(std::string_view path, std::string_view name);

/// "did you mean `x`?", or what there is.
std::string suggestion(std::string_view name, const std::vector<std::string>& known);

/// Allowed numbers, for a check and for the words.
struct Range {
    double least = 0;
    double most = 0;
    std::string_view words;  ///< "0 to 2"
};

/// The node must outlive it. Each getter gives nothing when the field is missing, null or wrong.
class Fields {
public:
    Fields(const Node& node, std::string path, Faults& faults)
        : node_(node), path_(std::move(path)), faults_(faults) {}

    const Node& node() const { return node_; }

    std::string path_of(std::string_view name) const { return joined(path_, name); }

    /// The field when it is there and not null.
    const Node* find(std::string_view name) const;

    /// Faults for every other name.
    void allow_only(std::span<const std::string_view> names) const;

    /// Text; a number too, as written, when `or_number` (an id may be 7).
    std::optional<std::string> text(std::string_view name, bool or_number = false) const;
    std::optional<double> number(std::string_view name, const Range& range) const;
    std::optional<std::int64_t> integer(std::string_view name, const Range& range) const;
    /// A text, or a list of texts.
    std::vector<std::string> texts(std::string_view name) const;

    void fault(const Node& at, std::string_view name, std::string_view message) const;

private:
    const Node& node_;
    std::string path_;
    Faults& faults_;
};

}  // namespace punie::eval
