#pragma once
// What CLI11 says of a command line, in the words of the rest of Punie: what was given, what is
// allowed.

#include <CLI/CLI.hpp>
#include <string>

namespace punie::cli {

/// "--iters: Value 0 not in range 1 to 9" -> "--iters: '0' was given; allowed is 1 to 9", and the
/// like for choices, numbers and what is missing. Anything else stays.
std::string usage_words(const std::string& message);

/// Numbers of `app` and everything under it are checked before CLI11 reads them: it takes -1 for
/// the largest number there is where it expects one without a sign.
void check_numbers(CLI::App& app);

}  // namespace punie::cli
