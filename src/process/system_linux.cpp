#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <set>

#include "base/text.hpp"
#include "process/launch.hpp"
#include "process/proc_linux.hpp"

namespace punie::process {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t longest_program = 120;

/// Numeric names in a folder, e.g. the pids of /proc.
std::vector<int> numbers_in(const std::string& folder) {
    std::vector<int> numbers;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder.c_str()), &::closedir);
    if (!directory) return numbers;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string_view name = entry->d_name;
        int number = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
        if (error == std::errc() && end == name.data() + name.size()) numbers.push_back(number);
    }
    return numbers;
}

/// `root` and its descendants.
std::vector<ProcessStat> tree_of(pid_t root) {
    auto all = all_processes();
    std::set<pid_t> members = {root};
    for (bool grew = true; grew;) {
        grew = false;
        for (const auto& process : all) {
            if (members.contains(process.parent)) grew = members.insert(process.pid).second || grew;
        }
    }
    std::erase_if(all, [&](const ProcessStat& process) { return !members.contains(process.pid); });
    return all;
}

std::vector<std::uint64_t> listening(std::uint16_t port) {
    if (auto diagnosed = diagnosed_listeners(port)) return *std::move(diagnosed);
    auto inodes = listening_inodes(slurp("/proc/net/tcp"), port);
    const auto six = listening_inodes(slurp("/proc/net/tcp6"), port);
    inodes.insert(inodes.end(), six.begin(), six.end());
    return inodes;
}

bool holds_any(pid_t pid, const std::vector<std::uint64_t>& inodes) {
    const auto folder = fmt::format("/proc/{}/fd", pid);
    for (const int fd : numbers_in(folder)) {
        std::array<char, 64> target{};
        const auto length =
            ::readlink(fmt::format("{}/{}", folder, fd).c_str(), target.data(), target.size());
        const std::string_view name(
            target.data(), length > 0 ? static_cast<std::size_t>(length) : 0
        );
        if (!name.starts_with("socket:[")) continue;
        std::uint64_t inode = 0;
        std::from_chars(name.data() + 8, name.data() + name.size(), inode);
        if (std::ranges::find(inodes, inode) != inodes.end()) return true;
    }
    return false;
}

std::string command_line(pid_t pid) {
    auto text = slurp(fmt::format("/proc/{}/cmdline", pid));
    while (text.ends_with('\0')) text.pop_back();
    std::ranges::replace(text, '\0', ' ');
    if (text.empty()) text = std::string(trim(slurp(fmt::format("/proc/{}/comm", pid))));
    text = printable(text);
    if (text.size() > longest_program) text = text.substr(0, longest_program - 3) + "...";
    return text;
}

}  // namespace

std::string slurp(const fs::path& file) {
    std::string text;
    const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 16384> buffer{};
    while (descriptor) {
        const auto count = ::read(descriptor.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
}

std::optional<std::uint64_t> number_after(const std::string& text, std::string_view key) {
    auto at = text.find(key);
    while (at != std::string::npos && at != 0 && text[at - 1] != '\n') at = text.find(key, at + 1);
    if (at == std::string::npos) return std::nullopt;
    const char* begin = text.data() + at + key.size();
    const char* const end = text.data() + text.size();
    while (begin != end && (*begin == ' ' || *begin == '\t' || *begin == ':')) ++begin;
    std::uint64_t number = 0;
    const auto [stop, error] = std::from_chars(begin, end, number);
    return error == std::errc() ? std::optional(number) : std::nullopt;
}

std::optional<ProcessStat> read_stat(pid_t pid) {
    const auto text = slurp(fmt::format("/proc/{}/stat", pid));
    const auto name_end = text.rfind(')');  // the name in brackets may hold anything
    if (name_end == std::string::npos || name_end + 2 >= text.size()) return std::nullopt;
    std::vector<std::string_view> fields;  // from the third of the manual on
    std::string_view rest = std::string_view(text).substr(name_end + 2);
    while (!rest.empty()) {
        const auto end = rest.find(' ');
        fields.push_back(rest.substr(0, end));
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    if (fields.size() < 15) return std::nullopt;
    const auto number = [&](std::size_t field) {
        std::int64_t value = 0;
        const auto text_of = fields[field - 3];
        std::from_chars(text_of.data(), text_of.data() + text_of.size(), value);
        return value;
    };
    ProcessStat stat{
        .pid = pid, .parent = static_cast<pid_t>(number(4)), .state = fields[0].front()
    };
    stat.cpu_ticks = static_cast<std::uint64_t>(number(14) + number(15) + number(16) + number(17));
    return stat;
}

std::vector<ProcessStat> all_processes() {
    std::vector<ProcessStat> all;
    for (const int pid : numbers_in("/proc")) {
        if (auto stat = read_stat(pid)) all.push_back(*stat);
    }
    return all;
}

std::vector<std::uint64_t> listening_inodes(const std::string& table, std::uint16_t port) {
    // "  sl  local_address rem_address   st ..." / "   0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0
    // uid timeout inode"
    std::vector<std::uint64_t> inodes;
    const auto wanted = fmt::format(":{:04X}", port);
    std::string_view rest = table;
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        auto line = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
        if (line.find(wanted) == std::string_view::npos) continue;  // cheap, and true for few lines
        std::vector<std::string_view> fields;
        while (!(line = trim(line)).empty()) {
            fields.push_back(line.substr(0, line.find(' ')));
            line.remove_prefix(fields.back().size());
        }
        if (fields.size() < 10 || !fields[1].ends_with(wanted) || fields[3] != "0A")
            continue;  // 0A: TCP_LISTEN
        std::uint64_t inode = 0;
        std::from_chars(fields[9].data(), fields[9].data() + fields[9].size(), inode);
        inodes.push_back(inode);
    }
    return inodes;
}

std::vector<pid_t> descendants(pid_t root) {
    std::vector<pid_t> pids;
    for (const auto& process : tree_of(root)) {
        if (process.pid != root) pids.push_back(process.pid);
    }
    return pids;
}

bool port_listens(std::uint16_t port) {
    return !listening(port).empty();
}

std::optional<PortHolder> port_holder(std::uint16_t port) {
    const auto inodes = listening(port);
    if (inodes.empty()) return std::nullopt;
    for (const int pid : numbers_in("/proc")) {
        if (holds_any(pid, inodes)) return PortHolder{.pid = pid, .program = command_line(pid)};
    }
    return PortHolder{};
}

bool tree_listens(pid_t root, std::uint16_t port) {
    const auto inodes = listening(port);
    if (inodes.empty()) return false;
    return std::ranges::any_of(tree_of(root), [&](const ProcessStat& p) {
        return holds_any(p.pid, inodes);
    });
}

TreeUsage tree_usage(pid_t root) {
    TreeUsage usage;
    const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
    for (const auto& process : tree_of(root)) {
        if (process.state == 'Z') continue;
        const auto status = slurp(fmt::format("/proc/{}/status", process.pid));
        const auto bytes = [&](std::string_view key) {
            return number_after(status, key).value_or(0) * 1024;
        };
        usage.resident += bytes("VmRSS:");
        usage.anonymous += bytes("RssAnon:") + bytes("VmSwap:");
        usage.cpu += std::chrono::duration<double>(
            static_cast<double>(process.cpu_ticks) / ticks_per_second
        );
        ++usage.processes;
    }
    return usage;
}

std::string platform_name() {
    std::string system = "Linux";
    for (const auto& line : split_lines(slurp("/etc/os-release"))) {
        if (!line.starts_with("PRETTY_NAME=")) continue;
        system = line.substr(12);
        std::erase(system, '"');
    }
    utsname kernel{};
    if (::uname(&kernel) != 0) return system;
    const std::string release = kernel.release;
    const auto minor_end = release.find('.', release.find('.') + 1);
    return fmt::format("{}, Linux {}, {}", system, release.substr(0, minor_end), kernel.machine);
}

std::string processor_name() {
    for (const auto& line : split_lines(slurp("/proc/cpuinfo"))) {
        const bool names = line.starts_with("model name") || line.starts_with("Model");
        const auto colon = line.find(':');
        if (names && colon != std::string::npos)
            return std::string(trim(std::string_view(line).substr(colon + 1)));
    }
    utsname kernel{};
    return ::uname(&kernel) == 0 ? kernel.machine : "unknown";
}

unsigned processor_count() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof(set), &set) == 0)
        return static_cast<unsigned>(CPU_COUNT(&set));
    return static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

bool process_alive(pid_t pid) {
    const auto stat = read_stat(pid);
    return stat && stat->state != 'Z' && stat->state != 'X';
}

std::string executable_path() {
    std::error_code error;
    return fs::read_symlink("/proc/self/exe", error).native();
}

}  // namespace punie::process
