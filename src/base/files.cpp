#include "base/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace punie {

namespace fs = std::filesystem;

Error errno_error(int error_number, std::string_view what) {
    const auto text = std::generic_category().message(error_number);
    if (error_number == ENOSPC || error_number == EDQUOT) {
        return Error(ErrorCode::disk_full, fmt::format("{}: {}", what, text))
            .with_hint("free some disk space and try again");
    }
    const auto code = error_number == ENOENT ? ErrorCode::not_found : ErrorCode::io;
    return {code, fmt::format("{}: {}", what, text)};
}

namespace {

/// Closes a descriptor when it goes out of scope.
class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}

    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }

    int get() const { return number_; }

private:
    int number_;
};

Result<void> write_all(int descriptor, std::string_view bytes, const fs::path& file) {
    while (!bytes.empty()) {
        const auto written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0)
            return std::unexpected(errno_error(errno, fmt::format("cannot write {}", file.native()))
            );
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

fs::path home_or(const char* variable, const char* below_home) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): read only, nothing in Punie changes the environment
    const char* value = std::getenv(variable);
    // the XDG specification has relative paths ignored
    if (value != nullptr && *value == '/') return fs::path(value) / "punie";
    // NOLINTNEXTLINE(concurrency-mt-unsafe)
    if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
        return fs::path(home) / below_home;
    return fs::path("/tmp") / fmt::format("punie-{}", ::getuid()) / below_home;
}

}  // namespace

Result<std::string> read_text(const fs::path& file, std::size_t limit) {
    const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (descriptor.get() < 0)
        return std::unexpected(errno_error(errno, fmt::format("cannot read {}", file.native())));
    std::string text;
    std::array<char, 65536> buffer{};
    while (true) {
        const auto count = ::read(descriptor.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0)
            return std::unexpected(errno_error(errno, fmt::format("cannot read {}", file.native()))
            );
        if (count == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(count));
        if (text.size() > limit) {
            return fail(
                ErrorCode::io, fmt::format("{} is larger than {} bytes", file.native(), limit)
            );
        }
    }
}

Result<void> write_atomic(const fs::path& file, std::string_view bytes) {
    std::error_code ignored;
    if (file.has_parent_path())
        fs::create_directories(file.parent_path(), ignored);  // open reports what is wrong
    static std::atomic<unsigned> writes = 0;                  // two threads may write the same file
    const fs::path beside = fmt::format("{}.{}.{}.part", file.native(), ::getpid(), ++writes);
    {
        const Descriptor descriptor(
            ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)
        );
        if (descriptor.get() < 0) {
            return std::unexpected(errno_error(errno, fmt::format("cannot write {}", file.native()))
            );
        }
        auto written = write_all(descriptor.get(), bytes, file);
        if (written && ::fsync(descriptor.get()) != 0) {
            written =
                std::unexpected(errno_error(errno, fmt::format("cannot write {}", file.native())));
        }
        if (!written) {
            ::unlink(beside.c_str());
            return written;
        }
    }
    if (::rename(beside.c_str(), file.c_str()) != 0) {
        const int error_number = errno;
        ::unlink(beside.c_str());
        return std::unexpected(
            errno_error(error_number, fmt::format("cannot write {}", file.native()))
        );
    }
    return {};
}

Result<TemporaryFolder> TemporaryFolder::make(std::string_view prefix) {
    std::error_code error;
    auto base = fs::temp_directory_path(error);
    if (error) base = "/tmp";
    std::string pattern = (base / fmt::format("{}-XXXXXX", prefix)).native();
    if (::mkdtemp(pattern.data()) == nullptr) {
        return std::unexpected(
            errno_error(errno, fmt::format("cannot make a folder in {}", base.native()))
        );
    }
    return TemporaryFolder(pattern);
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

TemporaryFolder& TemporaryFolder::operator=(TemporaryFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;  // a folder in /tmp that stays is no reason to fail
    if (!path_.empty()) fs::remove_all(path_, ignored);
}

fs::path cache_folder() {
#ifdef __APPLE__
    return home_or("XDG_CACHE_HOME", "Library/Caches/punie");
#else
    return home_or("XDG_CACHE_HOME", ".cache/punie");
#endif
}

fs::path config_folder() {
    return home_or("XDG_CONFIG_HOME", ".config/punie");
}

fs::path state_folder() {
    return home_or("XDG_STATE_HOME", ".local/state/punie");
}

}  // namespace punie
