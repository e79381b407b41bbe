#include <fmt/format.h>

#include <csignal>

#include "process/mark.hpp"
#include "process/proc_linux.hpp"

namespace punie::process {

std::size_t kill_marked(const std::string& mark) {
    std::size_t count = 0;
    for (const auto& process : all_processes()) {
        if (process.state == 'Z' || process.state == 'X') continue;
        if (!carries_mark(slurp(fmt::format("/proc/{}/environ", process.pid)), mark)) continue;
        if (::kill(process.pid, SIGKILL) == 0) ++count;
    }
    return count;
}

}  // namespace punie::process
