#include "process/mark.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

namespace punie::process {

std::string fresh_mark() {
    static std::atomic<unsigned> count{0};
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    return fmt::format("{}.{}.{}", ::getpid(), now, ++count);
}

bool carries_mark(std::string_view environment, std::string_view mark) {
    const auto wanted = fmt::format("{}={}", mark_name, mark);
    while (!environment.empty()) {
        const auto end = environment.find('\0');
        if (environment.substr(0, end) == wanted) return true;
        if (end == std::string_view::npos) return false;
        environment.remove_prefix(end + 1);
    }
    return false;
}

}  // namespace punie::process
