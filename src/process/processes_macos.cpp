#include "process/processes_macos.hpp"

#include <libproc.h>
#include <sys/proc.h>
#include <sys/sysctl.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

#include "process/mark.hpp"

namespace punie::process {

std::optional<ProcessInfo> process_info(pid_t pid) {
    proc_bsdinfo info{};
    const int size = ::proc_pidinfo(pid, PROC_PIDTBSDINFO, 0, &info, sizeof(info));
    if (size != static_cast<int>(sizeof(info))) return std::nullopt;
    return ProcessInfo{
        .pid = pid, .parent = static_cast<pid_t>(info.pbi_ppid), .zombie = info.pbi_status == SZOMB
    };
}

std::vector<ProcessInfo> all_processes() {
    const int count = ::proc_listallpids(nullptr, 0);
    std::vector<pid_t> pids(static_cast<std::size_t>(std::max(count, 0)) + 64);
    const int filled =
        ::proc_listallpids(pids.data(), static_cast<int>(pids.size() * sizeof(pid_t)));
    pids.resize(static_cast<std::size_t>(std::max(filled, 0)));
    std::vector<ProcessInfo> all;
    for (const pid_t pid : pids) {
        if (const auto info = process_info(pid)) all.push_back(*info);
    }
    return all;
}

ProcessArguments process_arguments(pid_t pid) {
    std::array<int, 3> name = {CTL_KERN, KERN_PROCARGS2, pid};
    std::size_t size = 0;
    if (::sysctl(name.data(), name.size(), nullptr, &size, nullptr, 0) != 0) return {};
    std::string block(size, '\0');
    if (::sysctl(name.data(), name.size(), block.data(), &size, nullptr, 0) != 0) return {};
    block.resize(size);
    int count = 0;
    if (block.size() < sizeof(count)) return {};
    std::memcpy(&count, block.data(), sizeof(count));
    // argc, the path of the program, zeros, argc arguments, the environment; each ends with a zero
    auto at = std::min(block.find('\0', sizeof(count)), block.size());
    at = std::min(block.find_first_not_of('\0', at), block.size());
    ProcessArguments result;
    for (int i = 0; i < count && at < block.size(); ++i) {
        const auto end = std::min(block.find('\0', at), block.size());
        if (i > 0) result.command_line += ' ';
        result.command_line.append(block, at, end - at);
        at = std::min(end + 1, block.size());
    }
    result.environment = block.substr(at);
    return result;
}

std::size_t kill_marked(const std::string& mark) {
    std::size_t count = 0;
    for (const auto& process : all_processes()) {
        if (process.zombie || !carries_mark(process_arguments(process.pid).environment, mark))
            continue;
        if (::kill(process.pid, SIGKILL) == 0) ++count;
    }
    return count;
}

}  // namespace punie::process
