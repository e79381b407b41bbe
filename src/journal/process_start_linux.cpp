#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <string>
#include <string_view>

#include "journal/process_start.hpp"

namespace punie::journal {

std::int64_t process_start(std::int64_t pid) {
    if (pid <= 0) return 0;
    std::ifstream file(fmt::format("/proc/{}/stat", pid));
    std::string line;
    if (!std::getline(file, line)) return 0;
    const auto name_end = line.rfind(')');  // the name in brackets may hold anything
    if (name_end == std::string::npos || name_end + 2 >= line.size()) return 0;
    std::string_view rest = std::string_view(line).substr(name_end + 2);
    if (rest.front() == 'Z' || rest.front() == 'X') return 0;
    constexpr int from_state_to_start = 19;  // proc(5): state is field 3, starttime field 22
    for (int field = 0; field < from_state_to_start; ++field) {
        const auto space = rest.find(' ');
        if (space == std::string_view::npos) return 0;
        rest.remove_prefix(space + 1);
    }
    std::int64_t ticks = 0;
    std::from_chars(rest.data(), rest.data() + rest.size(), ticks);
    return ticks;
}

}  // namespace punie::journal
