#include <sys/sysctl.h>

#include <array>
#include <cstring>
#include <string>

#include "journal/environment.hpp"

namespace punie::journal {

namespace {

std::string text_of(const char* name) {
    std::array<char, 256> value{};
    std::size_t size = value.size() - 1;
    if (::sysctlbyname(name, value.data(), &size, nullptr, 0) != 0) return {};
    return {value.data(), ::strnlen(value.data(), value.size())};
}

}  // namespace

Machine this_machine() {
    Machine machine;
    const auto version = text_of("kern.osproductversion");
    machine.os = version.empty() ? "macOS" : "macOS " + version;
    machine.cpu = text_of("machdep.cpu.brand_string");  // "Apple M2 Max"
    std::size_t size = sizeof machine.memory_bytes;
    if (::sysctlbyname("hw.memsize", &machine.memory_bytes, &size, nullptr, 0) != 0)
        machine.memory_bytes = 0;
    return machine;
}

}  // namespace punie::journal
