// The machine's memory, and what a container leaves of it (cgroup version 2 and 1).
#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "process/proc_linux.hpp"

namespace punie::process {

namespace fs = std::filesystem;

namespace {

struct Limit {
    std::uint64_t bytes = UINT64_MAX;
    std::uint64_t used = 0;
};

/// A file with one number; nothing for "max" or when it is not there.
std::optional<std::uint64_t> number_in(const fs::path& file) {
    const auto text = slurp(file);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() ? std::optional(number) : std::nullopt;
}

struct Names {
    const char* limit;
    const char* used;
    const char* reclaimable;  // key in memory.stat: file pages that the kernel gives back when they
                              // are needed
};

constexpr Names version_2 = {"memory.max", "memory.current", "inactive_file"};
constexpr Names version_1 = {
    "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
};

/// The tightest limit from `group` up to the root of the hierarchy. In a container the path may
/// lead nowhere: then only the root is there, and it is the container's own group.
Limit tightest(const fs::path& hierarchy, fs::path group, const Names& names) {
    Limit result;
    while (true) {
        const auto folder = hierarchy / group.relative_path();
        const auto bytes = number_in(folder / names.limit);
        if (bytes && *bytes < result.bytes) {
            const auto used = number_in(folder / names.used).value_or(0);
            const auto reclaimable =
                number_after(slurp(folder / "memory.stat"), names.reclaimable).value_or(0);
            result = {.bytes = *bytes, .used = used - std::min(used, reclaimable)};
        }
        if (!group.has_relative_path()) return result;
        group = group.parent_path();
    }
}

/// "0::/user.slice/x" (version 2), "4:memory:/docker/abc" (version 1), from /proc/self/cgroup.
Limit container_limit(const fs::path& root) {
    Limit result;
    const auto consider = [&](const Limit& limit) {
        if (limit.bytes < result.bytes) result = limit;
    };
    for (const auto& line : split_lines(slurp(root / "proc/self/cgroup"))) {
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const auto controllers = "," + line.substr(first + 1, second - first - 1) + ",";
        const fs::path group = line.substr(second + 1);
        if (controllers == ",,") consider(tightest(root / "sys/fs/cgroup", group, version_2));
        if (controllers.find(",memory,") != std::string::npos) {
            consider(tightest(root / "sys/fs/cgroup/memory", group, version_1));
        }
    }
    return result;
}

}  // namespace

MachineMemory machine_memory_under(const fs::path& root) {
    const auto info = slurp(root / "proc/meminfo");
    MachineMemory memory;
    memory.total = number_after(info, "MemTotal:").value_or(0) * 1024;
    memory.available = number_after(info, "MemAvailable:").value_or(0) * 1024;
    const auto limit = container_limit(root);
    if (limit.bytes < memory.total) {
        memory.limited_by_container = true;
        memory.total = limit.bytes;
        memory.available =
            std::min(memory.available, limit.bytes - std::min(limit.bytes, limit.used));
    }
    memory.working_set = memory.total;
    return memory;
}

MachineMemory machine_memory() {
    return machine_memory_under("/");
}

}  // namespace punie::process
