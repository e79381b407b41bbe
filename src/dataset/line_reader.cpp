#include "dataset/line_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "base/files.hpp"

namespace punie::dataset {

namespace {

constexpr std::size_t buffer_bytes = std::size_t{128} << 10U;  // stays in the processor's cache

}  // namespace

Result<LineReader> LineReader::open(const std::filesystem::path& file, std::size_t longest) {
    const auto failed = [&](int number) {
        return std::unexpected(errno_error(number, fmt::format("cannot read {}", file.native())));
    };
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return failed(errno);
    struct stat status{};
    if (::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
        ::close(descriptor);
        return failed(EISDIR);
    }
    return LineReader(descriptor, longest);
}

LineReader::LineReader(int descriptor, std::size_t longest)
    : descriptor_(descriptor),
      longest_(longest),
      buffer_(std::make_unique_for_overwrite<char[]>(buffer_bytes)),
      capacity_(buffer_bytes) {}

LineReader::LineReader(LineReader&& other) noexcept : longest_(other.longest_) {
    *this = std::move(other);
}

LineReader& LineReader::operator=(LineReader&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(buffer_, other.buffer_);
    longest_ = other.longest_;
    capacity_ = other.capacity_;
    begin_ = other.begin_;
    end_ = other.end_;
    scanned_ = other.scanned_;
    number_ = other.number_;
    offset_ = other.offset_;
    at_end_ = other.at_end_;
    failure_ = other.failure_;
    return *this;
}

LineReader::~LineReader() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

/// Reads more behind what is there; makes room first. False at the end.
bool LineReader::fill() {
    if (at_end_) return false;
    if (begin_ > 0) {
        std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (end_ == capacity_) {
        auto larger = std::make_unique_for_overwrite<char[]>(capacity_ * 2);
        std::memcpy(larger.get(), buffer_.get(), end_);
        buffer_ = std::move(larger);
        capacity_ *= 2;
    }
    while (true) {
        const auto count = ::read(descriptor_, buffer_.get() + end_, capacity_ - end_);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) failure_ = errno;
        if (count <= 0) {
            at_end_ = true;
            return false;
        }
        end_ += static_cast<std::size_t>(count);
        return true;
    }
}

/// The rest of a line that is longer than anything sensible.
void LineReader::skip_rest() {
    while (true) {
        const auto* found =
            static_cast<const char*>(std::memchr(buffer_.get() + begin_, '\n', end_ - begin_));
        const auto end =
            found != nullptr ? static_cast<std::size_t>(found - buffer_.get()) + 1 : end_;
        offset_ += end - begin_;
        begin_ = end;
        if (found != nullptr) return;
        begin_ = end_ = 0;
        if (!fill()) return;
    }
}

bool LineReader::next(Line& line) {
    scanned_ = 0;
    while (true) {
        const char* from = buffer_.get() + begin_ + scanned_;
        const auto left = end_ - begin_ - scanned_;
        const auto* found =
            left == 0 ? nullptr : static_cast<const char*>(std::memchr(from, '\n', left));
        const auto size = found != nullptr
                              ? static_cast<std::size_t>(found - buffer_.get()) - begin_
                              : end_ - begin_;
        if (found == nullptr && size <= longest_) {
            scanned_ = size;
            if (fill()) continue;
            if (failed() || size == 0) return false;
        }
        line = {
            .text = {buffer_.get() + begin_, size},
            .number = ++number_,
            .offset = offset_,
            .too_long = size > longest_,
            .ended = found != nullptr
        };
        const auto consumed = size + (found != nullptr ? 1 : 0);
        begin_ += consumed;
        offset_ += consumed;
        if (line.too_long && found == nullptr) {
            line.text = {};  // its bytes go when the rest is skipped
            skip_rest();
        }
        return true;
    }
}

std::string line_at(const std::filesystem::path& file, std::uint64_t offset) {
    std::ifstream in(file, std::ios::binary);
    std::string text;
    in.seekg(static_cast<std::streamoff>(offset));
    std::getline(in, text);
    return text;
}

}  // namespace punie::dataset
