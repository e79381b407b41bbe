#include <unistd.h>

#include <fstream>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "journal/environment.hpp"

namespace punie::journal {

namespace {

/// The value of the first line that begins with `key`, e.g. "model name" of /proc/cpuinfo.
std::string value_in(const char* path, std::string_view key, char separator) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with(key)) continue;
        const auto at = line.find(separator);
        if (at == std::string::npos || trim(std::string_view(line).substr(0, at)) != key) continue;
        auto value = trim(std::string_view(line).substr(at + 1));
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
            value = value.substr(1, value.size() - 2);
        return printable(value);
    }
    return {};
}

}  // namespace

Machine this_machine() {
    Machine machine;
    machine.os = value_in("/etc/os-release", "PRETTY_NAME", '=');
    machine.cpu = value_in("/proc/cpuinfo", "model name", ':');
    if (machine.cpu.empty()) machine.cpu = value_in("/proc/cpuinfo", "Model", ':');  // ARM boards
    const auto pages = ::sysconf(_SC_PHYS_PAGES);
    const auto page = ::sysconf(_SC_PAGESIZE);
    if (pages > 0 && page > 0)
        machine.memory_bytes = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page);
    return machine;
}

}  // namespace punie::journal
