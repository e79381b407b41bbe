#include "backend/flags.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace punie::backend {

namespace {

// argparse indents an entry by 2 and its description by 24, llama.cpp by 0 and 40.
constexpr std::size_t deepest_entry = 8;

std::string_view take_word(std::string_view& rest) {
    const auto end = std::min(rest.find(' '), rest.size());
    const auto word = rest.substr(0, end);
    rest.remove_prefix(end);
    return word;
}

/// Adds the flags at the start of one entry: "-c,    --ctx-size N      size of ...", "-m M, --model
/// M  ...".
void add_entry(std::string_view rest, std::set<std::string>& flags) {
    bool expects_flag = true;
    while (!rest.empty()) {
        const auto gap = std::min(rest.find_first_not_of(' '), rest.size());
        if (!expects_flag && gap != 1) return;  // two spaces: the description begins
        rest.remove_prefix(gap);
        auto word = take_word(rest);
        if (expects_flag && !word.starts_with('-')) return;
        expects_flag = word.ends_with(',');
        if (expects_flag) word.remove_suffix(1);
        if (word.starts_with("--") && word.size() > 2)
            flags.emplace(word.substr(0, word.find('=')));
    }
}

}  // namespace

std::set<std::string> flags_of_help(std::string_view help) {
    std::set<std::string> flags;
    for (const auto& line : split_lines(help)) {
        const auto start = line.find_first_not_of(' ');
        if (start == std::string::npos || start > deepest_entry || line[start] != '-') continue;
        add_entry(std::string_view(line).substr(start), flags);
    }
    return flags;
}

}  // namespace punie::backend
