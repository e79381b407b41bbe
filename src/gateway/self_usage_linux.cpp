// Linux: /proc/self, see proc_pid_stat(5).

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <string_view>
#include <vector>

#include "base/files.hpp"
#include "gateway/self_usage.hpp"

namespace punie::gateway {

namespace {

/// The fields of /proc/self/stat from the third on: the second, in brackets, may hold blanks.
std::vector<double> stat_fields() {
    std::vector<double> fields;
    const auto text = read_text("/proc/self/stat");
    if (!text) return fields;
    const auto bracket = text->rfind(')');
    if (bracket == std::string::npos) return fields;
    auto rest = std::string_view(*text).substr(bracket + 1);
    constexpr std::size_t usual = 52;
    fields.reserve(usual);
    while (!rest.empty()) {
        const auto begin = rest.find_first_not_of(" \n");
        if (begin == std::string_view::npos) break;
        rest.remove_prefix(begin);
        const auto word = rest.substr(0, rest.find_first_of(" \n"));
        double value = 0;
        std::from_chars(word.data(), word.data() + word.size(), value);  // the state is a letter: 0
        fields.push_back(value);
        rest.remove_prefix(word.size());
    }
    return fields;
}

/// Seconds since 1970 at which the machine booted.
double boot_time() {
    const auto text = read_text("/proc/stat");
    if (!text) return 0;
    constexpr std::string_view name = "\nbtime ";
    const auto at = text->find(name);
    if (at == std::string::npos) return 0;
    double seconds = 0;
    std::from_chars(text->data() + at + name.size(), text->data() + text->size(), seconds);
    return seconds;
}

std::uint64_t open_files() {
    DIR* folder = ::opendir("/proc/self/fd");
    if (folder == nullptr) return 0;
    std::uint64_t count = 0;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone
    while (const auto* entry = ::readdir(folder)) {
        if (entry->d_name[0] != '.') ++count;
    }
    ::closedir(folder);
    return count > 0 ? count - 1 : 0;  // the one that looks
}

}  // namespace

SelfUsage self_usage() {
    constexpr std::size_t utime = 11;  // field 14 of the manual page, the third being 0 here
    constexpr std::size_t stime = 12;
    constexpr std::size_t starttime = 19;
    constexpr std::size_t vsize = 20;
    constexpr std::size_t rss = 21;
    SelfUsage usage;
    const auto fields = stat_fields();
    if (fields.size() > rss) {
        static const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
        static const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
        static const double booted = boot_time();
        usage.cpu_seconds = (fields[utime] + fields[stime]) / ticks;
        usage.virtual_bytes = static_cast<std::uint64_t>(fields[vsize]);
        usage.resident = static_cast<std::uint64_t>(fields[rss] * page);
        if (booted > 0) usage.start_time = booted + (fields[starttime] / ticks);
    }
    usage.open_files = open_files();
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) usage.most_files = limit.rlim_cur;
    return usage;
}

}  // namespace punie::gateway
