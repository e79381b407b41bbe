#include <fmt/format.h>
#include <libproc.h>
#include <mach-o/dyld.h>
#include <mach/mach.h>
#include <mach/mach_time.h>
#include <netinet/in.h>
#include <sys/proc_info.h>
#include <sys/resource.h>
#include <sys/sysctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "base/text.hpp"
#include "process/processes_macos.hpp"
#include "process/system.hpp"

namespace punie::process {

namespace {

constexpr std::size_t longest_program = 120;
constexpr std::uint64_t gigabyte = 1ULL << 30U;

/// `root` and its living descendants.
std::vector<pid_t> tree_of(pid_t root) {
    const auto all = all_processes();
    std::set<pid_t> members = {root};
    for (bool grew = true; grew;) {
        grew = false;
        for (const auto& process : all) {
            if (members.contains(process.parent)) grew = members.insert(process.pid).second || grew;
        }
    }
    std::vector<pid_t> result;
    for (const auto& process : all) {
        if (members.contains(process.pid) && !process.zombie) result.push_back(process.pid);
    }
    return result;
}

bool is_listener(const socket_fdinfo& info, std::uint16_t port) {
    if (info.psi.soi_kind != SOCKINFO_TCP) return false;
    const auto& tcp = info.psi.soi_proto.pri_tcp;
    return tcp.tcpsi_state == TSI_S_LISTEN &&
           ntohs(static_cast<std::uint16_t>(tcp.tcpsi_ini.insi_lport)) == port;
}

/// There is no socket table that an ordinary user may read: the descriptors of each of our
/// processes are asked.
bool listens(pid_t pid, std::uint16_t port) {
    const int size = ::proc_pidinfo(pid, PROC_PIDLISTFDS, 0, nullptr, 0);
    if (size <= 0) return false;
    std::vector<proc_fdinfo> descriptors(static_cast<std::size_t>(size) / sizeof(proc_fdinfo) + 16);
    const int filled = ::proc_pidinfo(
        pid,
        PROC_PIDLISTFDS,
        0,
        descriptors.data(),
        static_cast<int>(descriptors.size() * sizeof(proc_fdinfo))
    );
    descriptors.resize(static_cast<std::size_t>(std::max(filled, 0)) / sizeof(proc_fdinfo));
    return std::ranges::any_of(descriptors, [&](const proc_fdinfo& descriptor) {
        if (descriptor.proc_fdtype != PROX_FDTYPE_SOCKET) return false;
        socket_fdinfo info{};
        const int read =
            ::proc_pidfdinfo(pid, descriptor.proc_fd, PROC_PIDFDSOCKETINFO, &info, sizeof(info));
        return read == static_cast<int>(sizeof(info)) && is_listener(info, port);
    });
}

std::string sysctl_text(const char* name) {
    std::size_t size = 0;
    if (::sysctlbyname(name, nullptr, &size, nullptr, 0) != 0 || size == 0) return {};
    std::string text(size, '\0');
    if (::sysctlbyname(name, text.data(), &size, nullptr, 0) != 0) return {};
    text.resize(size > 0 ? size - 1 : 0);  // without the final zero
    return text;
}

/// A number of 4 or 8 bytes; 0 if there is none of this name.
std::uint64_t sysctl_number(const char* name) {
    std::uint64_t wide = 0;
    std::size_t size = sizeof(wide);
    if (::sysctlbyname(name, &wide, &size, nullptr, 0) != 0) return 0;
    return size == sizeof(std::uint32_t) ? static_cast<std::uint32_t>(wide) : wide;
}

/// What Metal recommends as a working set: the limit set by the owner, else about 2/3 of the memory
/// up to 36 GB and 3/4 above (measured by users of MLX and llama.cpp; Metal itself is not asked, to
/// stay free of Objective-C).
std::uint64_t working_set_of(std::uint64_t total) {
    if (const auto limit = sysctl_number("iogpu.wired_limit_mb"); limit > 0) return limit << 20U;
    return total <= 36 * gigabyte ? total / 3 * 2 : total / 4 * 3;
}

}  // namespace

std::vector<pid_t> descendants(pid_t root) {
    auto pids = tree_of(root);
    std::erase(pids, root);
    return pids;
}

bool port_listens(std::uint16_t port) {
    return port_holder(port).has_value();
}

std::optional<PortHolder> port_holder(std::uint16_t port) {
    for (const auto& process : all_processes()) {
        if (process.zombie || !listens(process.pid, port)) continue;
        auto program = printable(process_arguments(process.pid).command_line);
        if (program.size() > longest_program)
            program = program.substr(0, longest_program - 3) + "...";
        return PortHolder{.pid = process.pid, .program = program};
    }
    // Another user's sockets cannot be seen, but they can be felt.
    if (bind_error("127.0.0.1", port) == EADDRINUSE) return PortHolder{};
    return std::nullopt;
}

bool tree_listens(pid_t root, std::uint16_t port) {
    return std::ranges::any_of(tree_of(root), [&](pid_t pid) { return listens(pid, port); });
}

TreeUsage tree_usage(pid_t root) {
    TreeUsage usage;
    mach_timebase_info_data_t base{};
    ::mach_timebase_info(&base
    );  // on Apple silicon the times below are in ticks, not in nanoseconds
    for (const pid_t pid : tree_of(root)) {
        rusage_info_v4 info{};
        if (::proc_pid_rusage(pid, RUSAGE_INFO_V4, reinterpret_cast<rusage_info_t*>(&info)) != 0)
            continue;
        usage.resident += info.ri_resident_size;
        usage.anonymous += info.ri_phys_footprint;
        const auto ticks = info.ri_user_time + info.ri_system_time + info.ri_child_user_time +
                           info.ri_child_system_time;
        const double nanoseconds =
            static_cast<double>(ticks) * base.numer / std::max(base.denom, 1U);
        usage.cpu += std::chrono::duration<double>(nanoseconds * 1e-9);
        ++usage.processes;
    }
    return usage;
}

MachineMemory machine_memory() {
    MachineMemory memory;
    memory.total = sysctl_number("hw.memsize");
    vm_statistics64_data_t pages{};
    mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
    const auto result = ::host_statistics64(
        ::mach_host_self(), HOST_VM_INFO64, reinterpret_cast<host_info64_t>(&pages), &count
    );
    if (result == KERN_SUCCESS) {
        // Free, and what is given back at once: inactive, purgeable and speculative pages.
        const auto usable = static_cast<std::uint64_t>(pages.free_count) + pages.inactive_count +
                            pages.purgeable_count;
        memory.available =
            std::min(memory.total, usable * static_cast<std::uint64_t>(::getpagesize()));
    }
    memory.working_set = working_set_of(memory.total);
    return memory;
}

std::string platform_name() {
    const auto version = sysctl_text("kern.osproductversion");
    utsname kernel{};
    return fmt::format("macOS {}, {}", version, ::uname(&kernel) == 0 ? kernel.machine : "unknown");
}

std::string processor_name() {
    const auto name = sysctl_text("machdep.cpu.brand_string");
    return name.empty() ? "unknown" : name;
}

unsigned processor_count() {
    return std::max(1U, static_cast<unsigned>(sysctl_number("hw.activecpu")));
}

bool process_alive(pid_t pid) {
    const auto info = process_info(pid);
    return info && !info->zombie;
}

std::string executable_path() {
    std::uint32_t size = 0;
    ::_NSGetExecutablePath(nullptr, &size);
    std::string path(size, '\0');
    if (::_NSGetExecutablePath(path.data(), &size) != 0) return {};
    path.resize(path.find('\0'));
    std::error_code error;
    const auto real = std::filesystem::canonical(path, error);
    return error ? path : real.native();
}

}  // namespace punie::process
