#pragma once
// `{{name}}` and nothing else: no logic, no filters. `\{{` writes two braces.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "eval/suite_faults.hpp"
#include "eval/suite_node.hpp"

namespace punie::eval {

/// Variables by name: a row over the suite's own. Both must outlive it.
class Variables {
public:
    Variables(const Node* row, const Node* common) : row_(row), common_(common) {}

    const Node* find(std::string_view name) const;
    std::vector<std::string> names() const;

private:
    const Node* row_;
    const Node* common_;
};

/// The node with every `{{name}}` in its texts put in (keys stay as they are). Text that is nothing
/// but "{{name}}" becomes the variable's value with its type; elsewhere the value stands as it was
/// written. Faults: unknown variables, lists inside a sentence, braces that mean something else.
Node substitute(
    const Node& node, const Variables& variables, Faults& faults, const std::string& path
);

}  // namespace punie::eval
