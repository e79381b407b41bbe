#include "journal/space.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace punie::journal {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t a_few_pages = 65536;

bool at_size_limit(const fs::path& file) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return false;
    std::error_code missing;
    const auto size = fs::file_size(file, missing);
    return !missing && size + a_few_pages > limit.rlim_cur;
}

}  // namespace

int space_trouble(const fs::path& file) {
    if (at_size_limit(file) || at_size_limit(file.native() + "-wal")) return EFBIG;
    const auto probe = fmt::format("{}.{}.probe", file.native(), ::getpid());
    const int descriptor = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) return errno == ENOSPC || errno == EDQUOT ? errno : 0;
    const std::string bytes(a_few_pages, '\0');
    const auto written = ::write(descriptor, bytes.data(), bytes.size());
    int trouble = 0;
    if (written < 0) trouble = errno;
    if (written >= 0 && static_cast<std::size_t>(written) < bytes.size()) trouble = ENOSPC;
    ::close(descriptor);
    ::unlink(probe.c_str());
    return trouble == ENOSPC || trouble == EDQUOT ? trouble : 0;
}

}  // namespace punie::journal
