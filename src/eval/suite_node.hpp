#pragma once
// A suite's text as a tree that knows where each value stands; whatever the format was.

#include "base/tree.hpp"

namespace punie::eval {

using tree::at_pointer;
using tree::describe;
using tree::max_depth;
using tree::max_json_bytes;
using tree::max_nodes;
using tree::max_yaml_bytes;
using tree::Node;
using tree::NodeMember;
using tree::Place;
using tree::plain_scalar;
using tree::text_node;
using tree::to_json;

}  // namespace punie::eval
