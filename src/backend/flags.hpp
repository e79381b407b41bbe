#pragma once
// Which flags a program knows, read from its `--help`.

#include <set>
#include <string>
#include <string_view>

namespace punie::backend {

/// The long flags ("--adapter-path") that a `--help` text defines: those at the start of an entry,
/// in argparse's layout and in llama.cpp's. Flags that a description merely mentions do not count.
/// Pure.
std::set<std::string> flags_of_help(std::string_view help);

}  // namespace punie::backend
