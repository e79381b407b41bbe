#include "dataset/out_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/files.hpp"

namespace punie::dataset {

namespace fs = std::filesystem;

OutFile::OutFile(fs::path path)
    : path_(std::move(path)), partial_(fmt::format("{}.partial-{}", path_.native(), ::getpid())) {}

OutFile::OutFile(OutFile&& other) noexcept
    : path_(std::move(other.path_)),
      partial_(std::exchange(other.partial_, {})),
      out_(std::move(other.out_)),
      lines_(other.lines_) {}

OutFile::~OutFile() {
    if (partial_.empty()) return;
    out_.close();
    std::error_code ignored;
    fs::remove(partial_, ignored);
}

Result<OutFile> OutFile::open(const fs::path& file, bool force) {
    std::error_code error;
    if (!force && fs::exists(fs::symlink_status(file, error))) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} exists already", file.native()),
            "name another place, or overwrite it with --force"
        );
    }
    if (!file.parent_path().empty()) fs::create_directories(file.parent_path(), error);
    OutFile out(file);
    errno = 0;
    out.out_.open(out.partial_, std::ios::binary);
    if (!out.out_)
        return std::unexpected(
            errno_error(errno != 0 ? errno : EIO, fmt::format("cannot write {}", file.native()))
        );
    return out;
}

void OutFile::line(std::string_view text) {
    out_.write(text.data(), static_cast<std::streamsize>(text.size()));
    out_.put('\n');
    ++lines_;
}

Result<void> OutFile::finish() {
    errno = 0;
    out_.close();
    if (!out_)
        return std::unexpected(
            errno_error(errno != 0 ? errno : EIO, fmt::format("cannot write {}", path_.native()))
        );
    std::error_code error;
    fs::rename(partial_, path_, error);
    if (error)
        return std::unexpected(
            errno_error(error.value(), fmt::format("cannot rename to {}", path_.native()))
        );
    partial_.clear();
    return {};
}

}  // namespace punie::dataset
