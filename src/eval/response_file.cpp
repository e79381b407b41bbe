#include "eval/response_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/files.hpp"

namespace punie::eval {

namespace {

/// Where the last whole line ends.
Result<std::uintmax_t> whole_lines_end(int descriptor, std::uintmax_t size) {
    std::string buffer(std::size_t{64} << 10U, '\0');
    auto end = size;
    while (end > 0) {
        const auto begin = end > buffer.size() ? end - buffer.size() : 0;
        const auto got = ::pread(descriptor, buffer.data(), end - begin, static_cast<off_t>(begin));
        if (got < 0) return std::unexpected(errno_error(errno, "read"));
        const std::string_view piece(buffer.data(), static_cast<std::size_t>(got));
        if (const auto last = piece.rfind('\n'); last != std::string_view::npos)
            return begin + last + 1;
        end = begin;
    }
    return 0;
}

}  // namespace

Result<ResponseFile> ResponseFile::open(
    const std::filesystem::path& file, const std::function<void(const ResponseRecord&)>& on_record
) {
    std::error_code ignored;  // the open below says what is wrong
    std::filesystem::create_directories(file.parent_path(), ignored);
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (descriptor < 0) return std::unexpected(errno_error(errno, "open " + file.string()));
    ResponseFile opened(file, descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        return fail(
            ErrorCode::state,
            fmt::format("{} is being written by another punie", file.string()),
            "wait for that run to end, or give this one another --out"
        );
    }
    if (auto stock = opened.take_stock(on_record); !stock)
        return std::unexpected(std::move(stock).error());
    return opened;
}

ResponseFile::ResponseFile(ResponseFile&& other) noexcept
    : file_(std::move(other.file_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      finished_(std::move(other.finished_)),
      suites_(std::move(other.suites_)) {}

ResponseFile& ResponseFile::operator=(ResponseFile&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(descriptor_, other.descriptor_);
    std::swap(finished_, other.finished_);
    std::swap(suites_, other.suites_);
    return *this;
}

ResponseFile::~ResponseFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> ResponseFile::take_stock(const std::function<void(const ResponseRecord&)>& on_record) {
    std::error_code error;
    const auto size = std::filesystem::file_size(file_, error);
    if (error) return std::unexpected(errno_error(error.value(), "look at " + file_.string()));
    const auto end = whole_lines_end(descriptor_, size);
    if (!end) return std::unexpected(Error(end.error()).in(file_.string()));
    if (auto mended = mend_end(*end, size); !mended) return mended;
    return read_records(file_, [&](const ResponseRecord& record, std::size_t) -> Result<void> {
        if (on_record) on_record(record);
        suites_.insert(record.suite_hash);
        const auto key = std::pair(record.prompt_id, record.sample);
        if (record.state == SampleState::answered || record.state == SampleState::cut) {
            finished_.insert(key);
        } else {
            finished_.erase(key);
        }
        return {};
    });
}

/// A last line without its end: a whole record (another program's file) gets it, a torn one goes.
Result<void> ResponseFile::mend_end(std::uintmax_t whole, std::uintmax_t size) {
    if (whole == size) return {};
    std::string tail(size - whole, '\0');
    const auto got = ::pread(descriptor_, tail.data(), tail.size(), static_cast<off_t>(whole));
    if (got < 0) return std::unexpected(errno_error(errno, "read " + file_.string()));
    tail.resize(static_cast<std::size_t>(got));
    const bool mended = parse_record(tail)
                            ? ::write(descriptor_, "\n", 1) == 1
                            : ::ftruncate(descriptor_, static_cast<off_t>(whole)) == 0;
    if (!mended) return std::unexpected(errno_error(errno, "repair " + file_.string()));
    return {};
}

bool ResponseFile::has_other_suite(const std::string& suite_hash) const {
    return !suites_.empty() && (suites_.size() > 1 || !suites_.contains(suite_hash));
}

Result<void> ResponseFile::append(const ResponseRecord& record) {
    const auto line = to_line(record) + "\n";
    const auto before = ::lseek(descriptor_, 0, SEEK_END);
    std::string_view rest = line;
    while (!rest.empty()) {
        const auto written = ::write(descriptor_, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            auto error = errno_error(errno, "write " + file_.string());
            // A full disk takes a part of a line: it must not become the beginning of the next.
            const bool clean = before >= 0 && ::ftruncate(descriptor_, before) == 0;
            return std::unexpected(
                clean ? std::move(error) : std::move(error).in("a torn last line is left")
            );
        }
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<void> ResponseFile::sync() {
    if (::fsync(descriptor_) != 0)
        return std::unexpected(errno_error(errno, "write " + file_.string()));
    return {};
}

}  // namespace punie::eval
