#pragma once
// What is wrong with a suite, collected.

#include "base/faults.hpp"
#include "eval/suite_node.hpp"

namespace punie::eval {

using tree::Faults;
using tree::to_line;
using SuiteFault = tree::Fault;

}  // namespace punie::eval
