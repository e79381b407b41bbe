#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "process/output.hpp"

namespace punie::process {

namespace fs = std::filesystem;

namespace {

constexpr auto retry_pause = std::chrono::seconds(1);  // a full disk is not asked at every line

}  // namespace

struct RotatingFile::State {
    fs::path file;
    std::uint64_t max_bytes;
    unsigned keep;
    int descriptor = -1;
    std::uint64_t size = 0;
    std::uint64_t dropped = 0;
    std::chrono::steady_clock::time_point retry_at;

    State(fs::path path, std::uint64_t limit, unsigned old)
        : file(std::move(path)), max_bytes(limit), keep(old) {}

    State(const State&) = delete;
    State& operator=(const State&) = delete;

    ~State() { close(); }

    void close() {
        if (descriptor >= 0) ::close(std::exchange(descriptor, -1));
    }

    fs::path numbered(unsigned number) const { return fmt::format("{}.{}", file.native(), number); }

    bool open() {
        if (descriptor >= 0) return true;
        std::error_code ignored;  // open says what is wrong
        if (file.has_parent_path()) fs::create_directories(file.parent_path(), ignored);
        descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        struct stat info{};
        size = descriptor >= 0 && ::fstat(descriptor, &info) == 0
                   ? static_cast<std::uint64_t>(info.st_size)
                   : 0;
        return descriptor >= 0;
    }

    void rotate() {
        close();
        std::error_code
            ignored;  // a rename that fails leaves the file growing: better than losing the output
        if (keep == 0) {
            fs::remove(file, ignored);
            return;
        }
        fs::remove(numbered(keep), ignored);
        for (unsigned i = keep; i > 1; --i) fs::rename(numbered(i - 1), numbered(i), ignored);
        fs::rename(file, numbered(1), ignored);
    }

    /// Whether the folder was removed, or the file renamed or deleted, behind our back.
    bool vanished() const {
        struct stat ours{};
        struct stat named{};
        if (::fstat(descriptor, &ours) != 0 || ::stat(file.c_str(), &named) != 0) return true;
        return ours.st_ino != named.st_ino || ours.st_dev != named.st_dev;
    }

    void give_up_for_now(std::size_t bytes) {
        dropped += bytes;
        close();
        retry_at = std::chrono::steady_clock::now() + retry_pause;
    }
};

RotatingFile::RotatingFile(fs::path file, std::uint64_t max_bytes, unsigned keep)
    : state_(std::make_unique<State>(std::move(file), max_bytes, keep)) {}

RotatingFile::~RotatingFile() = default;
RotatingFile::RotatingFile(RotatingFile&&) noexcept = default;
RotatingFile& RotatingFile::operator=(RotatingFile&&) noexcept = default;

void RotatingFile::write(std::string_view bytes) {
    auto& s = *state_;
    if (s.descriptor < 0 && std::chrono::steady_clock::now() < s.retry_at) {
        s.dropped += bytes.size();
        return;
    }
    if (s.descriptor >= 0 && s.vanished()) s.close();
    while (!bytes.empty()) {
        if (!s.open()) return s.give_up_for_now(bytes.size());
        if (s.size >= s.max_bytes) {
            s.rotate();
            if (!s.open()) return s.give_up_for_now(bytes.size());
        }
        // A failed rename leaves a file over its limit: written on in pieces of that limit.
        const auto room = s.size < s.max_bytes ? s.max_bytes - s.size : s.max_bytes;
        const auto written =
            ::write(s.descriptor, bytes.data(), std::min<std::uint64_t>(bytes.size(), room));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return s.give_up_for_now(bytes.size());
        s.size += static_cast<std::uint64_t>(written);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

std::uint64_t RotatingFile::dropped() const {
    return state_->dropped;
}

const fs::path& RotatingFile::path() const {
    return state_->file;
}

}  // namespace punie::process
